//! A database with so many tokens at rest, issued evenly over the last 13 days and kept for 14.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest, Sha256};
use tollgate::domain::{Clock, Keyring, NewToken, TokenDigest};
use tollgate::storage::{Location, Role, Store};
use uuid::Uuid;

use super::server::{Server, connect};

const DAY: i64 = 24 * 3600 * 1000;
const SPAN: i64 = 13 * DAY;
const LIFE: i64 = 14 * DAY;
/// Rows of one statement of the filling.
const PORTION: i64 = 50_000;
const OWNERS: u128 = 1000;
const SERVICES: u128 = 10;

pub struct Rest {
    pub database: String,
    pub store: Store,
    pub keyring: Arc<Keyring>,
    pub number: u64,
    /// When the first of them was issued, milliseconds.
    first: i64,
}

impl fmt::Display for Rest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} tokens", self.number)
    }
}

/// Half of the tokens have a user and a refresh token. The digests are as the gateway's: the minute, then chance.
const FILL: &str =
    "INSERT INTO oauth2_tokens (id, credential_id, service_id, token_type, expires_in, access_token_digest,
        access_token_sealed, refresh_token_digest, refresh_token_sealed, authenticated_userid, scope, family_id, custom,
        created_at, expires_at)
    SELECT uuid_at(ms, 'i' || i), to_uuid(hash % 1000 + 1), to_uuid(i % 10 + 1), 'bearer', 7200,
        minute || substr(sha256(int8send(i)), 1, 29), sha256(int8send(i)) || sha256(int8send(-i)),
        CASE WHEN i % 2 = 0 THEN minute || substr(sha256(int8send(-i)), 1, 29) END,
        CASE WHEN i % 2 = 0 THEN sha256(int8send(i)) || sha256(int8send(-i)) END,
        CASE WHEN i % 2 = 0 THEN 'user ' || hash % 1000000 END, 'read write',
        CASE WHEN i % 2 = 0 THEN uuid_at(ms, 'f' || i) END, FALSE, to_timestamp(ms / 1000.0),
        to_timestamp((ms + $5::bigint) / 1000.0)
    FROM (SELECT i, ms, abs(hashint8(i)::bigint) AS hash, substr(int4send((ms / 60000 % 238328)::int), 2) AS minute
        FROM (SELECT i, $3::bigint + i * $4::bigint / $6::bigint AS ms FROM generate_series($1::bigint, $2::bigint - 1) AS i) AS times) AS tokens";

const FUNCTIONS: &str = "CREATE FUNCTION uuid_at(ms bigint, salt text) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(salt), 1, 3) || '8' || substr(md5(salt), 4, 15))::uuid $$;
    CREATE FUNCTION to_uuid(number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT lpad(to_hex(number), 32, '0')::uuid $$;";
const PARENTS: &str =
    "INSERT INTO services (id, retries, protocol, host, port, connect_timeout, write_timeout, read_timeout,
            enabled, created_at, updated_at)
        SELECT to_uuid(i), 5, 'http', 'h', 80, 1, 1, 1, TRUE, now(), now() FROM generate_series(1, 10) AS i;
    INSERT INTO consumers (id, username, created_at, updated_at)
        SELECT to_uuid(i), 'user ' || i, now(), now() FROM generate_series(1, 1000) AS i;
    INSERT INTO oauth2_credentials (id, consumer_id, name, client_id, client_secret_sealed, hash_secret, client_type,
            created_at, updated_at)
        SELECT to_uuid(i), to_uuid(i), 'app', 'client ' || i, '', TRUE, 'confidential', now(), now()
        FROM generate_series(1, 1000) AS i;";

impl Rest {
    pub async fn filled(server: &Server, number: u64) -> Self {
        let database = format!("at_rest_{}", Uuid::new_v4().simple());
        server.run(&format!("CREATE DATABASE {database}")).await;
        let url = server.database(&database);
        let keyring = Arc::new(Keyring::new([1; 32], [2; 32]));
        let location = Location::parse(&url, Role::Tool).expect("the URL is good");
        let store = Store::open(location, Arc::clone(&keyring), Clock::System).await.expect("the database opens");
        store.migrate_up().await.expect("the database migrates");
        let first = Clock::System.now().millis() - SPAN;
        let rest = Self { database, store, keyring, number, first };
        rest.fill(&url).await;
        println!("{rest}: {}", server.sizes(&rest.database).await);
        rest
    }

    async fn fill(&self, url: &str) {
        let client = connect(url).await;
        client.batch_execute(FUNCTIONS).await.expect("functions are made");
        client.batch_execute(PARENTS).await.expect("what tokens hang on is made");
        let begun = Instant::now();
        let number = i64::try_from(self.number).expect("so many fit");
        let statement = client.prepare(FILL).await.expect("the statement is good");
        for from in (0..number).step_by(usize::try_from(PORTION).expect("it fits")) {
            let to = number.min(from + PORTION);
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
                [&from, &to, &self.first, &SPAN, &LIFE, &number];
            client.execute(&statement, &params).await.expect("tokens are stored");
        }
        let rate = self.number as f64 / begun.elapsed().as_secs_f64();
        for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
            client.batch_execute(statement).await.expect("the user may");
        }
        println!("{self} filled in at {rate:.0}/s");
    }

    fn issued(&self, index: u64) -> i64 {
        let (index, number) = (i64::try_from(index).expect("it fits"), i64::try_from(self.number).expect("it fits"));
        self.first + index * SPAN / number
    }

    /// The digest of an access token that was filled in.
    pub fn digest(&self, index: u64) -> TokenDigest {
        let minute = u32::try_from(self.issued(index) / 60_000 % 238_328).expect("it fits").to_be_bytes();
        let chance: [u8; 32] = Sha256::digest(i64::try_from(index).expect("it fits").to_be_bytes()).into();
        let mut digest = [0; 32];
        digest[..3].copy_from_slice(&minute[1..]);
        digest[3..].copy_from_slice(&chance[..29]);
        TokenDigest(digest)
    }

    /// The first of those that were issued within the last two hours: the access tokens that are still good.
    pub fn recent(&self) -> u64 {
        let bad = u128::from(self.number) * u128::try_from(SPAN - DAY / 12).expect("it fits");
        u64::try_from(bad / u128::try_from(SPAN).expect("it fits")).expect("it fits")
    }

    /// A token as the gateway issues it; scattered: without the minute, as every token was before.
    pub fn token(&self, nth: usize, is_scattered: bool) -> NewToken {
        let now = Clock::System.now();
        let mint = || match is_scattered {
            true => self.keyring.mint(rand::random()),
            false => self.keyring.mint_at(rand::random(), now),
        };
        let has_user = nth.is_multiple_of(2);
        let chance: u128 = rand::random();
        NewToken {
            id: Uuid::now_v7(),
            credential_id: Uuid::from_u128(chance % OWNERS + 1),
            service_id: Some(Uuid::from_u128(chance % SERVICES + 1)),
            access_token: mint(),
            refresh_token: has_user.then(mint),
            family_id: has_user.then(Uuid::now_v7),
            scope: Some("read write".to_owned()),
            authenticated_userid: has_user.then(|| format!("user {}", chance % 1_000_000)),
            created_at: now,
            expires_in: 7200,
            expires_at: Some(now.plus_seconds(LIFE / 1000)),
        }
    }

    /// When the first `portion` of a thousand has ended.
    pub fn end_of(&self, portion: u64) -> tollgate::domain::Timestamp {
        tollgate::domain::Timestamp::from_millis(self.issued(self.number * portion / 1000) + LIFE)
    }

    pub async fn drop(self, server: &Server) {
        self.store.close().await;
        server.run(&format!("DROP DATABASE {} WITH (FORCE)", self.database)).await;
    }
}
