//! Revocations by what tokens have in common: what they end, and what they do not.

use serde_json::{Value, json};
use tollgate::domain::{CodeState, NewToken, TokenDigest};
use tollgate::schema::Entity;
use tollgate::storage::{ListQuery, Lookup, Removed, TokenFilter};
use uuid::Uuid;

use crate::bench::{Bench, START};
use crate::fixtures::{code, digest, entity, id, races, reference, token};

crate::conformance!(
    a_revocation_ends_what_fits_and_was_issued_before,
    what_a_revocation_ended_is_gone_for_every_reader,
    clocks_do_not_decide_what_was_issued_before,
    what_hangs_on_something_ended_is_not_issued,
    a_revocation_ends_what_is_exchanged_beside_it,
    what_a_revocation_ended_is_removed_in_bites,
    a_revocation_stays_until_all_of_it_is_removed,
    a_revocation_that_is_repeated_ends_what_came_between,
    a_row_that_is_ended_makes_way,
);

/// What a token hangs on, and the choice of it that a test revokes.
struct Kin {
    consumers: Vec<Entity>,
    credentials: Vec<Entity>,
    services: Vec<Entity>,
    plugin: Entity,
}

impl Kin {
    /// Two consumers; two credentials of the first and one of the second; two services.
    async fn of(bench: &Bench) -> Self {
        let mut consumers = Vec::new();
        for name in ["one", "two"] {
            consumers.push(bench.consumer(name).await);
        }
        let mut credentials = Vec::new();
        for (owner, client_id) in [(0, "a"), (0, "b"), (1, "c")] {
            let fields = json!({ "consumer": reference(&consumers[owner]), "name": "app", "client_id": client_id,
                "client_secret": "secret" });
            credentials.push(bench.stored("oauth2_credentials", fields).await);
        }
        let services = vec![bench.service("s").await, bench.service("t").await];
        Self { consumers, credentials, services, plugin: bench.plugin().await }
    }

    /// Tokens and codes of every credential, for each service and none, of two users and nobody; named by all three.
    async fn stock(&self, bench: &Bench, prefix: &str) -> Vec<(String, TokenFilter)> {
        let (mut tokens, mut stock) = (Vec::new(), Vec::new());
        for (owner, credential) in [0, 0, 1].into_iter().zip(&self.credentials) {
            for service in [None, Some(id(&self.services[0])), Some(id(&self.services[1]))] {
                for user in [None, Some("alice"), Some("bob")] {
                    let name = format!("{prefix} {} {service:?} {user:?}", credential["client_id"]);
                    let user = user.map(str::to_owned);
                    let mut code = code(credential, &self.plugin, &name);
                    (code.service_id, code.authenticated_userid) = (service, user.clone());
                    bench.store.insert_code(&code).await.unwrap();
                    tokens.push(NewToken {
                        service_id: service,
                        authenticated_userid: user.clone(),
                        ..token(credential, &name)
                    });
                    let consumer = Some(id(&self.consumers[owner]));
                    let of =
                        TokenFilter { consumer, credential: Some(id(credential)), service, authenticated_userid: user };
                    stock.push((name, of));
                }
            }
        }
        assert!(bench.store.insert_tokens(tokens).await.iter().all(Result::is_ok));
        stock
    }
}

fn fits(filter: &TokenFilter, of: &TokenFilter) -> bool {
    (filter.consumer.is_none() || filter.consumer == of.consumer)
        && (filter.credential.is_none() || filter.credential == of.credential)
        && (filter.service.is_none() || filter.service == of.service)
        && (filter.authenticated_userid.is_none() || filter.authenticated_userid == of.authenticated_userid)
}

fn refresh(name: &str) -> TokenDigest {
    digest(&format!("refresh {name}"))
}

/// Whether it is given out; the readers must agree.
async fn lives(bench: &Bench, name: &str) -> bool {
    let store = &bench.store;
    let token = store.find_token(digest(name)).await.unwrap();
    let by_refresh = store.find_refresh(refresh(name), START).await.unwrap();
    let code = store.find_code(digest(name)).await.unwrap();
    assert_eq!((by_refresh.is_some(), code.is_some()), (token.is_some(), token.is_some()), "{name}");
    token.is_some()
}

fn user(user: &str) -> TokenFilter {
    TokenFilter { authenticated_userid: Some(user.to_owned()), ..TokenFilter::default() }
}

async fn stored(bench: &Bench, token: &NewToken) {
    bench.store.insert_tokens(vec![token.clone()]).await.pop().unwrap().unwrap();
}

async fn a_revocation_ends_what_fits_and_was_issued_before(bench: &Bench) {
    let kin = Kin::of(bench).await;
    for given in 1..16_u8 {
        let before = kin.stock(bench, &format!("before {given}")).await;
        let filter = TokenFilter {
            consumer: (given & 1 > 0).then(|| id(&kin.consumers[0])),
            credential: (given & 2 > 0).then(|| id(&kin.credentials[0])),
            service: (given & 4 > 0).then(|| id(&kin.services[0])),
            authenticated_userid: (given & 8 > 0).then(|| "alice".to_owned()),
        };
        let revocation = bench.store.revoke_tokens(&filter).await.unwrap().unwrap();
        assert_eq!(revocation.filter, filter);
        let after = kin.stock(bench, &format!("after {given}")).await;
        assert!(before.iter().any(|(_, of)| fits(&filter, of)) && before.iter().any(|(_, of)| !fits(&filter, of)));
        for (name, of) in &before {
            assert_eq!(lives(bench, name).await, !fits(&filter, of), "{filter:?} {name}");
        }
        for (name, _) in &after {
            assert!(lives(bench, name).await, "{filter:?} {name}");
        }
        let live = before.iter().chain(&after).filter(|(name, of)| fits(&filter, of) && name.starts_with("after"));
        assert!(bench.store.count_tokens(&filter, 10_000).await.unwrap() >= live.count() as u64);
    }
    assert_eq!(bench.store.revoke_tokens(&TokenFilter::default()).await, Ok(None));
    assert_eq!(bench.store.revoke_tokens(&user("\0")).await, Ok(None));
}

async fn what_a_revocation_ended_is_gone_for_every_reader(bench: &Bench) {
    let credential = bench.credential("c").await;
    let (token, schema) = (token(&credential, "t"), bench.schema("oauth2_tokens"));
    stored(bench, &token).await;
    let row = bench.store.find(schema, &Lookup::Id(token.id)).await.unwrap().unwrap();
    let held = bench.store.find_refresh(refresh("t"), START).await.unwrap().unwrap();
    bench.store.revoke_tokens(&user("alice")).await.unwrap();
    let lookups = [
        Lookup::Id(token.id),
        Lookup::Field("access_token", "t".into()),
        Lookup::Field("refresh_token", "refresh t".into()),
    ];
    for lookup in lookups {
        assert_eq!(bench.store.find(schema, &lookup).await, Ok(None), "{lookup:?}");
    }
    let filters: [Vec<(String, Value)>; 3] = [
        vec![],
        vec![("authenticated_userid".into(), json!("alice"))],
        vec![("credential.id".into(), credential["id"].clone())],
    ];
    for filters in filters {
        let query = ListQuery { filters, size: 10, ..ListQuery::default() };
        assert_eq!(bench.store.list(schema, &query).await.unwrap().data, []);
        assert_eq!(bench.store.count(schema, &query, 10).await, Ok(0));
    }
    assert_eq!(bench.store.count_tokens(&user("alice"), 10).await, Ok(0));
    assert_eq!(bench.store.update(schema, token.id, &row).await, Ok(false));
    assert_eq!(bench.store.delete(schema, token.id).await, Ok(false));
    assert_eq!(bench.store.find_pair(token.id, START).await.unwrap().map(|pair| pair.expires_in), None);
    assert_eq!(bench.store.renew(&held, &self::token(&credential, "renewed")).await, Ok(false));
    assert!(bench.store.find_token(digest("renewed")).await.unwrap().is_none());
}

async fn clocks_do_not_decide_what_was_issued_before(bench: &Bench) {
    let credential = bench.credential("c").await;
    let (mut fast, mut slow) = (token(&credential, "fast"), token(&credential, "slow"));
    fast.created_at = START.plus_seconds(30);
    slow.created_at = START.plus_seconds(-30);
    stored(bench, &fast).await;
    bench.store.revoke_tokens(&user("alice")).await.unwrap();
    stored(bench, &slow).await;
    assert!(bench.store.find_token(digest("fast")).await.unwrap().is_none(), "its node's clock is ahead");
    assert!(bench.store.find_token(digest("slow")).await.unwrap().is_some(), "its node's clock is behind");
    let given = json!({ "credential": reference(&credential), "expires_in": 0, "access_token": "imported",
        "authenticated_userid": "alice", "created_at": START.seconds() - 1000 });
    bench.stored("oauth2_tokens", given).await;
    assert!(bench.store.find_token(digest("imported")).await.unwrap().is_some(), "it was given after");
}

async fn what_hangs_on_something_ended_is_not_issued(bench: &Bench) {
    let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
    stored(bench, &token(&credential, "old")).await;
    for name in ["used", "unused"] {
        bench.store.insert_code(&code(&credential, &plugin, name)).await.unwrap();
    }
    assert_eq!(bench.store.exchange_code(digest("used"), &token(&credential, "got"), START).await, Ok(true));
    let found = bench.store.find_code(digest("used")).await.unwrap().unwrap();
    assert_eq!(found.state, CodeState::Redeemed { at: START });
    bench.store.revoke_tokens(&user("alice")).await.unwrap();
    let late = token(&credential, "late");
    for digest in [refresh("old"), refresh("got")] {
        assert_eq!(bench.store.rotate(digest, &late, START).await, Ok(false));
        assert_eq!(bench.store.find_replaced(digest).await, Ok(None));
    }
    assert_eq!(bench.store.exchange_code(digest("unused"), &late, START).await, Ok(false));
    for name in ["old", "got", "late"] {
        assert!(bench.store.find_token(digest(name)).await.unwrap().is_none(), "{name}");
    }
    for name in ["used", "unused"] {
        assert_eq!(bench.store.find_code(digest(name)).await, Ok(None));
    }
}

/// Whatever comes first: a pair that hangs on something issued before the revocation does not outlive it.
async fn a_revocation_ends_what_is_exchanged_beside_it(bench: &Bench) {
    let (credential, plugin, store) = (bench.credential("c").await, bench.plugin().await, &bench.store);
    for round in 0..races() {
        let name = |what: &str| format!("{what} {round}");
        stored(bench, &token(&credential, &name("old"))).await;
        stored(bench, &token(&credential, &name("kept"))).await;
        store.insert_code(&code(&credential, &plugin, &name("code"))).await.unwrap();
        let held = store.find_refresh(refresh(&name("kept")), START).await.unwrap().unwrap();
        let (rotated, renewed, exchanged) = (
            token(&credential, &name("rotated")),
            token(&credential, &name("renewed")),
            token(&credential, &name("got")),
        );
        let filter = user("alice");
        let (rotate, renew, exchange, revoked) = tokio::join!(
            store.rotate(refresh(&name("old")), &rotated, START),
            store.renew(&held, &renewed),
            store.exchange_code(digest(&name("code")), &exchanged, START),
            store.revoke_tokens(&filter),
        );
        assert!(rotate.is_ok() && renew.is_ok() && exchange.is_ok() && revoked.unwrap().is_some());
        for what in ["old", "rotated", "kept", "renewed", "got"] {
            assert!(store.find_token(digest(&name(what))).await.unwrap().is_none(), "round {round}: {what}");
            assert_eq!(store.find_refresh(refresh(&name(what)), START).await, Ok(None), "round {round}: {what}");
        }
        assert_eq!(store.find_code(digest(&name("code"))).await, Ok(None));
        let next = token(&credential, &name("next"));
        stored(bench, &next).await;
        assert!(store.find_token(digest(&name("next"))).await.unwrap().is_some());
    }
}

async fn what_a_revocation_ended_is_removed_in_bites(bench: &Bench) {
    let (credential, plugin) = (bench.credential("c").await, bench.plugin().await);
    let mut tokens: Vec<_> = (0..10).map(|nth| token(&credential, &format!("t{nth}"))).collect();
    tokens[3].expires_at = Some(START);
    tokens[4].authenticated_userid = Some("bob".into());
    bench.store.insert_tokens(tokens).await;
    for nth in 0..3 {
        bench.store.insert_code(&code(&credential, &plugin, &format!("c{nth}"))).await.unwrap();
    }
    let revocation = bench.store.revoke_tokens(&user("alice")).await.unwrap().unwrap();
    stored(bench, &token(&credential, "later")).await;
    let mut bites = Vec::new();
    for _ in 0..4 {
        bites.push(bench.store.remove_revoked_tokens(&revocation, 4).await.unwrap());
    }
    assert_eq!(bites.iter().map(|bite| bite.removed).collect::<Vec<_>>(), [4, 4, 1, 0]);
    assert_eq!(bites.iter().map(|bite| bite.live).sum::<usize>(), 8);
    assert_eq!(bites[3], Removed::default());
    assert_eq!(bench.store.remove_revoked_codes(&revocation, 2).await, Ok(2));
    assert_eq!(bench.store.remove_revoked_codes(&revocation, 2).await, Ok(1));
    for name in ["later", "t4"] {
        assert!(bench.store.find_token(digest(name)).await.unwrap().is_some(), "{name}");
    }
}

async fn a_revocation_stays_until_all_of_it_is_removed(bench: &Bench) {
    let (credential, plugin, store) = (bench.credential("c").await, bench.plugin().await, &bench.store);
    stored(bench, &token(&credential, "t")).await;
    store.insert_code(&code(&credential, &plugin, "c")).await.unwrap();
    assert_eq!((store.last_revocation().await, store.revocations(9, 9).await), (Ok(0), Ok(Vec::new())));
    let revocation = store.revoke_tokens(&user("alice")).await.unwrap().unwrap();
    let other = TokenFilter { service: Some(Uuid::now_v7()), ..user("bob") };
    let other = store.revoke_tokens(&other).await.unwrap().unwrap();
    assert_eq!(store.last_revocation().await, Ok(other.number));
    assert_eq!(store.revocations(other.number, 9).await, Ok(vec![revocation.clone(), other.clone()]));
    assert_eq!(store.revocations(other.number, 1).await, Ok(vec![revocation.clone()]));
    assert_eq!(store.revocations(revocation.number, 9).await, Ok(vec![revocation.clone()]));
    assert_eq!(store.finish_revocation(&revocation).await, Ok(false), "a token and a code are left");
    assert_eq!(store.remove_revoked_tokens(&revocation, 9).await.unwrap().removed, 1);
    assert_eq!(store.finish_revocation(&revocation).await, Ok(false), "a code is left");
    assert_eq!(store.remove_revoked_codes(&revocation, 9).await, Ok(1));
    stored(bench, &token(&credential, "later")).await;
    assert_eq!(store.finish_revocation(&revocation).await, Ok(true), "what came later is none of its");
    assert_eq!(store.finish_revocation(&revocation).await, Ok(false), "it has gone");
    assert_eq!(store.revocations(other.number, 9).await, Ok(vec![other]));
    assert!(store.find_token(digest("later")).await.unwrap().is_some());
}

async fn a_revocation_that_is_repeated_ends_what_came_between(bench: &Bench) {
    let (credential, store) = (bench.credential("c").await, &bench.store);
    stored(bench, &token(&credential, "one")).await;
    let first = store.revoke_tokens(&user("alice")).await.unwrap().unwrap();
    stored(bench, &token(&credential, "two")).await;
    let second = store.revoke_tokens(&user("alice")).await.unwrap().unwrap();
    assert!(second.number > first.number && second.id == first.id);
    assert_eq!(store.revocations(second.number, 9).await, Ok(vec![second.clone()]), "one row for one X");
    assert!(store.find_token(digest("two")).await.unwrap().is_none());
    assert_eq!(store.remove_revoked_tokens(&first, 9).await.unwrap().removed, 1);
    assert_eq!(store.finish_revocation(&first).await, Ok(false), "it was repeated");
    assert_eq!(store.remove_revoked_tokens(&second, 9).await.unwrap().removed, 1);
    assert_eq!(store.finish_revocation(&second).await, Ok(true));
}

async fn a_row_that_is_ended_makes_way(bench: &Bench) {
    let credential = bench.credential("c").await;
    let old = token(&credential, "custom");
    stored(bench, &old).await;
    bench.store.revoke_tokens(&user("alice")).await.unwrap();
    let given = json!({ "id": old.id.to_string(), "credential": reference(&credential), "expires_in": 0,
        "access_token": "custom", "authenticated_userid": "alice" });
    let schema = bench.schema("oauth2_tokens");
    assert_eq!(bench.store.insert(schema, &entity(schema, given)).await, Ok(()));
    assert!(bench.store.find_token(digest("custom")).await.unwrap().is_some());
}
