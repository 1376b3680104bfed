//! Client authentication at the token endpoint (RFC 6749 §2.3, oauth2.md section 4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::{ClientSecret, ClientType, ClientView, MOST_SECRETS, Secret, Timestamp};

use super::{OAuthError, Params};

/// One reading of who the client says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub client_id: String,
    /// `None`: no secret was sent.
    pub secret: Option<Secret>,
}

/// Every reading of the client's claim, in the order to try them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientClaim {
    /// Empty when the request names no client at all. At most two: a Basic header as sent, and form-decoded.
    pub readings: Vec<Claimed>,
    /// The client used the Authorization header, so refusals are 401 with a challenge.
    pub in_header: bool,
}

/// What [`authenticate`] can settle by itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Authentication<'c> {
    Accepted,
    /// Slow hashes have to be verified: whether `secret` fits one of these PHC strings, of which there are at most
    /// [`MOST_SECRETS`].
    Verify {
        hashes: Vec<&'c Secret>,
        secret: &'c Secret,
    },
    /// The secret is right, and must be stored hashed from now on in the place of `known`.
    AcceptedToBeHashed {
        known: &'c Secret,
        secret: &'c Secret,
    },
}

/// Reads the claim: `client_id` and `client_secret` parameters; else the Basic header; else `client_id` alone.
pub fn claim(params: &Params, header: Option<&[u8]>) -> ClientClaim {
    let id = params.text("client_id");
    if let (Some(id), Some(secret)) = (id, params.text("client_secret")) {
        let reading = Claimed { client_id: id.to_owned(), secret: Some(Secret::new(secret)) };
        return ClientClaim { readings: vec![reading], in_header: false };
    }
    if let Some(encoded) = header.and_then(basic) {
        return ClientClaim { readings: readings(encoded).unwrap_or_default(), in_header: true };
    }
    let readings = id.map(|id| Claimed { client_id: id.to_owned(), secret: None }).into_iter().collect();
    ClientClaim { readings, in_header: false }
}

/// What a header of HTTP Basic (RFC 7617) carries; `None` for another scheme, which tells nothing of the client.
fn basic(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let space = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (scheme, encoded) = value.split_at(space);
    scheme.eq_ignore_ascii_case(b"basic").then(|| encoded.trim_ascii())
}

/// Id and secret split at the first colon: as sent, then form-decoded (RFC 6749 §2.3.1) where that differs.
fn readings(encoded: &[u8]) -> Option<Vec<Claimed>> {
    let decoded = text_of(STANDARD.decode(encoded).ok()?);
    let (id, secret) = decoded.split_once(':')?;
    let as_sent = Claimed { client_id: id.to_owned(), secret: Some(Secret::new(secret)) };
    let unfolded = Claimed { client_id: form_decoded(id), secret: Some(Secret::new(form_decoded(secret))) };
    Some(if as_sent == unfolded { vec![as_sent] } else { vec![as_sent, unfolded] })
}

/// UTF-8, or else ISO-8859-1: RFC 7617 §2 leaves the encoding open, and clients use both (authlib the latter).
fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|not_utf8| not_utf8.as_bytes().iter().copied().map(char::from).collect())
}

fn form_decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Judges one reading against the client it names, at `now`. `None` for `client`: no such client. Any live secret of
/// the client will do; an empty one, stored or sent, fits nothing.
///
/// # Errors
/// `invalid_client` on any mismatch; a public client that sends a secret is told so.
pub fn authenticate<'c>(
    client: Option<&'c ClientView>,
    claimed: &'c Claimed,
    in_header: bool,
    now: Timestamp,
) -> Result<Authentication<'c>, OAuthError> {
    let refused = OAuthError::InvalidClient { in_header };
    let Some(client) = client else { return Err(refused) };
    let sent = claimed.secret.as_ref();
    if client.client_type == ClientType::Public {
        let blank = sent.is_none_or(|secret| secret.reveal().trim().is_empty());
        return if blank { Ok(Authentication::Accepted) } else { Err(OAuthError::SecretFromPublicClient) };
    }
    let Some(secret) = sent.filter(|secret| !secret.reveal().is_empty()) else { return Err(refused) };
    let mut hashes = Vec::new();
    for known in client.secrets.iter().filter(|known| known.is_live(now)).take(MOST_SECRETS) {
        match &known.secret {
            ClientSecret::Clear(known) if known.matches(secret.reveal()) => return Ok(Authentication::Accepted),
            ClientSecret::ToBeHashed(known) if known.matches(secret.reveal()) => {
                return Ok(Authentication::AcceptedToBeHashed { known, secret });
            }
            ClientSecret::Clear(_) | ClientSecret::ToBeHashed(_) => {}
            ClientSecret::Hashed(phc) => hashes.push(phc),
        }
    }
    if hashes.is_empty() { Err(refused) } else { Ok(Authentication::Verify { hashes, secret }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::LiveSecret;
    use crate::oauth2::fixtures::{client, secret};

    fn header(text: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(text)).into_bytes()
    }

    #[test]
    fn parameters_come_before_the_header() {
        let params = Params::from_form(b"client_id=a&client_secret=b");
        let claim = claim(&params, Some(&header("x:y")));
        assert!(!claim.in_header);
        assert_eq!(claim.readings[0].client_id, "a");
    }

    #[test]
    fn the_header_splits_at_the_first_colon() {
        let claim = claim(&Params::default(), Some(&header("id:se:cret")));
        assert!(claim.in_header);
        assert_eq!(claim.readings, vec![Claimed { client_id: "id".into(), secret: Some(Secret::new("se:cret")) }]);
    }

    #[test]
    fn an_encoded_header_is_read_both_ways() {
        let claim = claim(&Params::default(), Some(&header("my%20id:a+b")));
        assert_eq!(claim.readings[0].client_id, "my%20id");
        assert_eq!(claim.readings[1], Claimed { client_id: "my id".into(), secret: Some(Secret::new("a b")) });
    }

    #[test]
    fn a_header_in_latin_1_is_read_as_such() {
        let value = format!("Basic {}", STANDARD.encode(b"id:p\xfc"));
        let claim = claim(&Params::default(), Some(value.as_bytes()));
        assert_eq!(claim.readings[0].secret, Some(Secret::new("pü")));
    }

    #[test]
    fn a_basic_header_that_says_nothing_counts_as_one() {
        for value in [&b"Basic ???"[..], b"basic", b"BASIC eA=="] {
            let claim = claim(&Params::from_form(b"client_id=a"), Some(value));
            assert!(claim.in_header && claim.readings.is_empty(), "{value:?}");
        }
        let other = claim(&Params::from_form(b"client_id=a"), Some(b"Bearer x"));
        assert!(!other.in_header && other.readings.len() == 1);
    }

    #[test]
    fn an_id_alone_is_a_claim_without_secret() {
        let claim = claim(&Params::from_form(b"client_id=a"), None);
        assert_eq!(claim.readings, vec![Claimed { client_id: "a".into(), secret: None }]);
    }

    fn settled(client: &ClientView, sent: &str, now: i64) -> Result<usize, OAuthError> {
        let claimed = Claimed { client_id: "app".into(), secret: Some(Secret::new(sent)) };
        match authenticate(Some(client), &claimed, false, Timestamp::from_seconds(now))? {
            Authentication::Accepted | Authentication::AcceptedToBeHashed { .. } => Ok(0),
            Authentication::Verify { hashes, .. } => Ok(hashes.len()),
        }
    }

    const REFUSED: Result<usize, OAuthError> = Err(OAuthError::InvalidClient { in_header: false });

    #[test]
    fn any_live_secret_will_do() {
        let ends = |known: ClientSecret, at: i64| LiveSecret {
            expires_at: Some(Timestamp::from_seconds(at)),
            ..secret(known)
        };
        let hashed = |phc: &str| ClientSecret::Hashed(Secret::new(phc));
        let mut client = client();
        client.secrets.push(ends(hashed("$1"), 100));
        client.secrets.push(ends(hashed("$2"), 200));
        assert_eq!(settled(&client, "secret", 99), Ok(0));
        assert_eq!(settled(&client, "another", 99), Ok(2));
        assert_eq!(settled(&client, "another", 100), Ok(1), "a view that is remembered lengthens no life");
        assert_eq!(settled(&client, "another", 200), REFUSED);
        client.secrets[0].expires_at = Some(Timestamp::from_seconds(150));
        assert_eq!((settled(&client, "secret", 149), settled(&client, "secret", 200)), (Ok(0), REFUSED));
        client.secrets = (0..20).map(|_| secret(hashed("$"))).collect();
        assert_eq!(settled(&client, "secret", 0), Ok(MOST_SECRETS), "what a guess costs is bounded");
    }

    #[test]
    fn an_empty_secret_fits_nothing() {
        let mut client = client();
        for known in [ClientSecret::Clear(Secret::new("")), ClientSecret::ToBeHashed(Secret::new(""))] {
            client.secrets = vec![secret(known)];
            assert_eq!(settled(&client, "", 0), REFUSED);
        }
        client.secrets.clear();
        assert_eq!((settled(&client, "", 0), settled(&client, "x", 0)), (REFUSED, REFUSED));
    }

    proptest! {
        #[test]
        fn headers_never_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = claim(&Params::default(), Some(&value));
        }

        #[test]
        fn what_basic_encodes_is_read_back(id in "[a-z]{1,8}", secret in "[ -~]{0,12}") {
            let claim = claim(&Params::default(), Some(&header(&format!("{id}:{secret}"))));
            prop_assert_eq!(&claim.readings[0], &Claimed { client_id: id, secret: Some(Secret::new(secret)) });
        }
    }
}
