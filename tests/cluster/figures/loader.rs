//! Fills the database with tokens, as fast as it takes them: by COPY, with the indexes made afterwards.

use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tollgate::domain::{Clock, Keyring};
use uuid::Uuid;

use crate::cluster::CLIENT;

const COPY: &str = "COPY oauth2_tokens (id, credential_id, service_id, token_type, expires_in, access_token_digest,
    access_token_sealed, custom, created_at, expires_at) FROM STDIN (FORMAT binary)";
const TYPES: [Type; 10] = [
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::BYTEA,
    Type::BYTEA,
    Type::BOOL,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
];

/// What is loaded.
pub struct Batch {
    pub rows: usize,
    /// So many of them, evenly among the rest, are tokens that calls can be made with. Nobody knows the others: what is
    /// stored of a token looks random, so theirs is.
    pub usable: usize,
    /// Seconds from now to their end; negative: they have ended.
    pub ends_in: i64,
}

/// Constraints and indexes of the table, as the statements that take them away and bring them back.
struct Indexes {
    drop: Vec<String>,
    create: Vec<String>,
}

const CONSTRAINTS: &str = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'oauth2_tokens'::regclass AND contype IN ('p', 'u', 'f') ORDER BY contype DESC";
const INDEXES: &str = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'oauth2_tokens'
    AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = 'oauth2_tokens'::regclass)";

/// Below this, making the indexes anew would take longer.
const FEW: usize = 20_000;

impl Indexes {
    async fn of(database: &Client) -> Self {
        let (mut drop, mut create) = (Vec::new(), Vec::new());
        for row in database.query(CONSTRAINTS, &[]).await.unwrap() {
            let (name, definition): (String, String) = (row.get(0), row.get(1));
            drop.push(format!("ALTER TABLE oauth2_tokens DROP CONSTRAINT {name}"));
            create.push(format!("ALTER TABLE oauth2_tokens ADD CONSTRAINT {name} {definition}"));
        }
        for row in database.query(INDEXES, &[]).await.unwrap() {
            let (name, definition): (String, String) = (row.get(0), row.get(1));
            drop.push(format!("DROP INDEX {name}"));
            create.push(definition);
        }
        Self { drop, create }
    }
}

async fn run(database: &Client, statements: &[String]) {
    for statement in statements {
        database.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// Loads a batch of tokens of the standing application. Gives the usable ones.
pub async fn load(database: &Client, keyring: &Keyring, batch: &Batch) -> Vec<String> {
    let indexes = if batch.rows > FEW { Some(Indexes::of(database).await) } else { None };
    if let Some(indexes) = &indexes {
        run(database, &indexes.drop).await;
    }
    let usable = copy(database, keyring, batch).await;
    if let Some(indexes) = &indexes {
        let memory = ["SET maintenance_work_mem = '512MB'".to_owned()];
        run(database, &memory).await;
        run(database, &indexes.create).await;
    }
    run(database, &["VACUUM ANALYZE oauth2_tokens".to_owned(), "CHECKPOINT".to_owned()]).await;
    usable
}

async fn copy(database: &Client, keyring: &Keyring, batch: &Batch) -> Vec<String> {
    let owner = "SELECT c.id, s.id FROM oauth2_credentials AS c, services AS s WHERE client_id = $1 AND s.name = 'api'";
    let owner = database.query_one(owner, &[&CLIENT]).await.unwrap();
    let (credential, service): (Uuid, Uuid) = (owner.get(0), owner.get(1));
    let now = UNIX_EPOCH + Duration::from_millis(Clock::System.now().millis().unsigned_abs());
    let lasts = Duration::from_secs(batch.ends_in.unsigned_abs());
    let ends: SystemTime = if batch.ends_in < 0 { now - lasts } else { now + lasts };
    let sink = database.copy_in(COPY).await.unwrap();
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    let mut usable = Vec::with_capacity(batch.usable);
    let stride = batch.rows.checked_div(batch.usable).unwrap_or(usize::MAX);
    for number in 0..batch.rows {
        let (digest, sealed) = if number % stride == 0 && usable.len() < batch.usable {
            let token = keyring.mint_at(rand::random(), Clock::System.now());
            usable.push(token.reveal().to_owned());
            let sealed = keyring.seal(token.reveal().as_bytes(), "oauth2_tokens.access_token", rand::random());
            (keyring.digest(token.reveal().as_bytes()).0, sealed.0)
        } else {
            // As long as a sealed token.
            let parts: [[u8; 32]; 2] = [rand::random(), rand::random()];
            (rand::random(), parts.concat())
        };
        let row: [&(dyn ToSql + Sync); 10] = [
            &Uuid::now_v7(),
            &credential,
            &service,
            &"bearer",
            &7200_i64,
            &digest.as_slice(),
            &sealed,
            &false,
            &now,
            &ends,
        ];
        writer.as_mut().write(&row).await.unwrap();
    }
    writer.finish().await.unwrap();
    usable
}
