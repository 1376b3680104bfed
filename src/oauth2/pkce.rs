//! Proof Key for Code Exchange (RFC 7636), as Kong reads it.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{OAuthError, Param, Params, Pkce};
use crate::domain::ClientType;

/// The only method there is (`plain` would prove nothing).
pub const S256: &str = "S256";
const SHORTEST: usize = 43;
const LONGEST: usize = 128;
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_encode_padding(false),
);

/// Whether a client must use PKCE under this policy.
pub fn is_required(pkce: Pkce, client: ClientType) -> bool {
    match client {
        ClientType::Public => pkce != Pkce::None,
        ClientType::Confidential => pkce == Pkce::Strict,
    }
}

/// The challenge of an authorization request, normalised to unpadded base64url; `None` when there is none and none is
/// needed.
///
/// # Errors
/// Another method than S256, a method without challenge, no challenge where one is needed.
pub fn challenge(params: &Params, pkce: Pkce, client: ClientType) -> Result<Option<String>, OAuthError> {
    let method = params.get("code_challenge_method");
    let known = |param: &Param| matches!(param, Param::Text(text) if text.eq_ignore_ascii_case(S256));
    if method.is_some_and(|method| !known(method)) {
        return Err(OAuthError::UnknownChallengeMethod);
    }
    match params.filled("code_challenge") {
        Some(challenge) => Ok(Some(normalised(challenge))),
        None if method.is_some() => Err(OAuthError::ChallengeMissing),
        None if is_required(pkce, client) => Err(OAuthError::ChallengeRequired(client)),
        None => Ok(None),
    }
}

/// base64 and base64url, padded or not, come to one form. What is neither stays as it is, and no verifier fits it.
fn normalised(challenge: &str) -> String {
    let url_safe = challenge.replace('+', "-").replace('/', "_");
    match LENIENT.decode(&url_safe) {
        Ok(bytes) => LENIENT.encode(bytes),
        Err(_) => url_safe,
    }
}

/// Checks the verifier of a token request against the challenge its code was issued with.
///
/// # Errors
/// A verifier that is missing though needed, malformed, or wrong.
pub fn verify(params: &Params, challenge: Option<&str>, pkce: Pkce, client: ClientType) -> Result<(), OAuthError> {
    if challenge.is_none() && !is_required(pkce, client) {
        return Ok(());
    }
    let verifier = match params.get("code_verifier") {
        None => return Err(OAuthError::VerifierMissing),
        Some(Param::NotText) => return Err(OAuthError::VerifierNotText),
        Some(Param::Text(text)) => text,
    };
    if !(SHORTEST..=LONGEST).contains(&verifier.len()) {
        return Err(OAuthError::VerifierLength);
    }
    let proof = LENIENT.encode(Sha256::digest(verifier.as_bytes()));
    // A code without challenge where one is needed now: nothing can prove it.
    let fits = challenge.is_some_and(|challenge| proof.as_bytes().ct_eq(challenge.as_bytes()).into());
    if fits { Ok(()) } else { Err(OAuthError::WrongVerifier) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn asked(form: &str, pkce: Pkce, client: ClientType) -> Result<Option<String>, OAuthError> {
        challenge(&Params::from_form(form.as_bytes()), pkce, client)
    }

    fn proved(form: &str, challenge: Option<&str>) -> Result<(), OAuthError> {
        verify(&Params::from_form(form.as_bytes()), challenge, Pkce::Lax, ClientType::Confidential)
    }

    #[test]
    fn every_spelling_of_a_challenge_is_one() {
        let padded = format!("code_challenge={CHALLENGE}%3D&code_challenge_method=s256");
        let plain = format!("code_challenge={}", CHALLENGE.replace('-', "%2B").replace('_', "%2F"));
        for form in [padded, plain] {
            assert_eq!(asked(&form, Pkce::Lax, ClientType::Public), Ok(Some(CHALLENGE.to_owned())), "{form}");
        }
    }

    #[test]
    fn who_needs_a_challenge_is_the_policys_word() {
        use ClientType::{Confidential, Public};
        for (pkce, client, needed) in [
            (Pkce::None, Public, false),
            (Pkce::None, Confidential, false),
            (Pkce::Lax, Public, true),
            (Pkce::Lax, Confidential, false),
            (Pkce::Strict, Public, true),
            (Pkce::Strict, Confidential, true),
        ] {
            let expected = if needed { Err(OAuthError::ChallengeRequired(client)) } else { Ok(None) };
            assert_eq!(asked("", pkce, client), expected, "{pkce:?} {client:?}");
        }
        let missing = asked("code_challenge_method=S256", Pkce::None, Public);
        assert_eq!(missing, Err(OAuthError::ChallengeMissing));
        let plain = asked("code_challenge_method=plain&code_challenge=x", Pkce::None, Public);
        assert_eq!(plain, Err(OAuthError::UnknownChallengeMethod));
    }

    #[test]
    fn only_the_verifier_of_the_challenge_fits() {
        assert_eq!(proved(&format!("code_verifier={VERIFIER}"), Some(CHALLENGE)), Ok(()));
        let other = VERIFIER.replace('d', "e");
        assert_eq!(proved(&format!("code_verifier={other}"), Some(CHALLENGE)), Err(OAuthError::WrongVerifier));
        assert_eq!(proved("code_verifier=short", Some(CHALLENGE)), Err(OAuthError::VerifierLength));
        assert_eq!(proved("", Some(CHALLENGE)), Err(OAuthError::VerifierMissing));
        assert_eq!(proved("code_verifier=a&code_verifier=b", Some(CHALLENGE)), Err(OAuthError::VerifierNotText));
        assert_eq!(proved("", None), Ok(()));
    }

    proptest! {
        #[test]
        fn a_challenge_is_normalised_once_and_for_all(text in ".{0,80}") {
            prop_assert_eq!(normalised(&normalised(&text)), normalised(&text));
        }
    }
}
