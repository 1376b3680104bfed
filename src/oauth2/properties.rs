//! What holds of every decision, whatever is sent.

use proptest::prelude::*;

use super::fixtures::{client, place, policy};
use super::grants::{client_credentials, password, scope};
use super::{Params, authenticate, authorize, check_redirect_uri, claim, exchange, grant_type, pkce, vouch};
use crate::domain::Timestamp;

const NAMES: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "scope",
    "redirect_uri",
    "code",
    "code_verifier",
    "code_challenge",
    "code_challenge_method",
    "response_type",
    "provision_key",
    "authenticated_userid",
    "state",
];
const VALUES: &[&str] = &[
    "",
    " ",
    "code",
    "token",
    "password",
    "client_credentials",
    "authorization_code",
    "app",
    "secret",
    "email",
    "wot",
    "email phone",
    "https://client/cb",
    "provision",
    "S256",
    "\0",
    "ü",
];

/// Pairs as a client may send them: known names, values that mean something and values that do not.
fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = prop_oneof![
        4 => proptest::sample::select(VALUES).prop_map(str::to_owned),
        1 => "\\PC{0,50}",
    ];
    proptest::collection::vec((proptest::sample::select(NAMES).prop_map(str::to_owned), value), 0..12)
}

/// Everything that is decided of a request, in one text.
fn decided(params: &Params) -> String {
    let (policy, client) = (policy(), client());
    let place = place(&policy);
    let claimed = claim(params, None);
    let now = Timestamp::from_seconds(0);
    let settle = |reading| authenticate(Some(&client), reading, false, now);
    let settled: Vec<_> = claimed.readings.iter().map(settle).collect();
    format!(
        "{settled:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        grant_type(params, &policy),
        check_redirect_uri(params, &client),
        client_credentials(params, place),
        password(params, place),
        exchange(params, place, &client, None, now),
        vouch(params, &policy).map(|user| authorize(params, place, Some(&client), user)),
        pkce::verify(params, Some("challenge"), policy.pkce(), client.client_type),
    )
}

proptest! {
    #[test]
    fn no_decision_panics_or_depends_on_the_order_of_parameters(pairs in pairs(), turn in 0..12_usize) {
        let forward = decided(&Params::from_pairs(pairs.clone()));
        let mut turned = pairs.clone();
        turned.rotate_left(turn.min(pairs.len()));
        prop_assert_eq!(&forward, &decided(&Params::from_pairs(turned)));
        prop_assert_eq!(&forward, &decided(&Params::from_pairs(pairs.into_iter().rev())));
    }

    #[test]
    fn a_granted_scope_has_only_words_of_the_plugin(asked in "(email|phone|wot|[ \\t\\n]|\\PC){0,6}") {
        let pair = ("scope".to_owned(), asked.clone());
        if let Ok(granted) = scope(&Params::from_pairs([pair]), place(&policy())) {
            let granted = granted.unwrap_or_default();
            prop_assert!(granted.split(' ').all(|word| ["", "email", "phone"].contains(&word)), "{asked:?}: {granted:?}");
            prop_assert_eq!(granted.split_whitespace().count(), asked.split_whitespace().count());
        }
    }

    #[test]
    fn only_registered_uris_are_sent_to(asked in "(https://client/(cb|other)|\\PC{0,30})") {
        let pairs = [("response_type", "code"), ("redirect_uri", asked.as_str())];
        let params = Params::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let registered = client().redirect_uris;
        let uri = match authorize(&params, place(&policy()), Some(&client()), "user".into()) {
            Ok(authorized) => {
                prop_assert_eq!(&authorized.redirect.uri, &asked);
                authorized.redirect.uri
            }
            Err(refused) => refused.redirect.map_or_else(|| registered[0].clone(), |redirect| redirect.uri),
        };
        prop_assert!(registered.contains(&uri));
    }
}
