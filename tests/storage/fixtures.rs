//! Entities and tokens to test with.

use serde_json::{Value, json};
use tollgate::domain::{NewCode, NewToken, PlainToken, Timestamp, TokenDigest};
use tollgate::schema::{Entity, Schema};
use uuid::Uuid;

use crate::bench::{Bench, START, keyring};

/// An entity of `schema` with the fields given; the others take their defaults.
pub fn entity(schema: &Schema, given: Value) -> Entity {
    let mut entity = Entity::new();
    for field in &schema.fields {
        let value = match field.name {
            "id" => Uuid::now_v7().to_string().into(),
            "created_at" | "updated_at" => START.seconds().into(),
            _ => field.default.clone().unwrap_or(Value::Null),
        };
        entity.insert(field.name.to_owned(), value);
    }
    entity.extend(given.as_object().unwrap().clone());
    entity
}

pub fn id(entity: &Entity) -> Uuid {
    Uuid::parse_str(entity["id"].as_str().unwrap()).unwrap()
}

pub fn reference(entity: &Entity) -> Value {
    json!({ "id": entity["id"] })
}

impl Bench {
    pub async fn stored(&self, schema: &str, given: Value) -> Entity {
        let schema = self.schema(schema);
        let entity = entity(schema, given);
        self.store.insert(schema, &entity).await.unwrap();
        entity
    }

    pub async fn consumer(&self, username: &str) -> Entity {
        self.stored("consumers", json!({ "username": username })).await
    }

    pub async fn service(&self, name: &str) -> Entity {
        self.stored("services", json!({ "name": name, "host": "upstream" })).await
    }

    pub async fn plugin(&self) -> Entity {
        self.stored("plugins", json!({ "name": "oauth2", "config": {} })).await
    }

    pub async fn credential(&self, client_id: &str) -> Entity {
        let consumer = self.consumer(&format!("owner of {client_id}")).await;
        let fields = json!({
            "consumer": reference(&consumer), "name": "app", "client_id": client_id,
            "client_secret": format!("secret of {client_id}"), "redirect_uris": ["https://app.test/cb"],
        });
        self.stored("oauth2_credentials", fields).await
    }
}

pub fn digest(token: &str) -> TokenDigest {
    keyring().digest(token.as_bytes())
}

/// A token that ends in an hour, its row in a day.
pub fn token(credential: &Entity, access_token: &str) -> NewToken {
    NewToken {
        id: Uuid::now_v7(),
        credential_id: id(credential),
        service_id: None,
        access_token: PlainToken::new(access_token),
        refresh_token: Some(PlainToken::new(format!("refresh {access_token}"))),
        family_id: Some(Uuid::now_v7()),
        scope: Some("read write".into()),
        authenticated_userid: Some("alice".into()),
        created_at: Timestamp::from_millis(START.millis() + 123),
        expires_in: 3600,
        expires_at: Some(START.plus_seconds(86_400)),
    }
}

pub fn code(credential: &Entity, plugin: &Entity, code: &str) -> NewCode {
    NewCode {
        id: Uuid::now_v7(),
        digest: digest(code),
        credential_id: id(credential),
        service_id: None,
        plugin_id: id(plugin),
        scope: Some("read".into()),
        authenticated_userid: Some("alice".into()),
        challenge: Some("challenge".into()),
        challenge_method: Some("S256".into()),
        redirect_uri: None,
        family_id: Uuid::now_v7(),
        created_at: START,
        expires_at: START.plus_seconds(300),
    }
}

/// Parallel tries of each race.
pub const CROWD: usize = 64;

/// Trials per race: few in a quick run, as many as `TOLLGATE_TEST_RACES` says in a long one.
pub fn races() -> usize {
    std::env::var("TOLLGATE_TEST_RACES").ok().and_then(|number| number.parse().ok()).unwrap_or(20)
}
