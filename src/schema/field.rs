//! The vocabulary of a schema.

use std::borrow::Cow;

use serde_json::Value;

/// An entity as a JSON object: every field of its schema in schema order, `null` where unset.
pub type Entity = serde_json::Map<String, Value>;

/// What a field holds.
#[derive(Clone, Debug)]
pub enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    Uuid,
    /// Whole seconds since the epoch in JSON.
    Timestamp,
    Array(Box<Field>),
    /// An array whose repetitions are dropped.
    Set(Box<Field>),
    /// String keys; the field describes the values.
    Map(Box<Field>),
    Record(Vec<Field>),
    /// `{"id": "<uuid>"}` of the entity with this schema name.
    Foreign {
        entity: &'static str,
        on_delete: OnDelete,
    },
    /// Any JSON object, validated elsewhere (a plugin's `config`).
    Json,
}

/// What becomes of an entity when the one it references is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// The delete is refused (foreign key violation, `@referenced_by`).
    Restrict,
    Cascade,
}

/// How a value rests in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// In clear, in a column of the field's name.
    Clear,
    /// Sealed in `<name>_sealed`; never looked up.
    Sealed,
    /// Sealed in `<name>_sealed` and found by `<name>_digest`.
    Lookup,
}

/// A value the gateway makes when none is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auto {
    /// UUID v7 for ids.
    Uuid,
    /// Now, at creation.
    CreatedAt,
    /// Now, at every write.
    UpdatedAt,
    /// 32 characters `[A-Za-z0-9]`.
    Token,
}

/// A check of one value, by the texts of admin-api.md section 3.
#[derive(Clone, Debug)]
pub enum Check {
    OneOf(&'static [&'static str]),
    OneOfIntegers(&'static [i64]),
    /// `value should be between A and B`, bounds included.
    Between(i64, i64),
    /// `length must be at least N`
    MinLength(usize),
    /// `length must be at most N`
    MaxLength(usize),
    /// `length must be N`
    Length(usize),
    /// `value must be null`
    Null,
    /// `must not be one of: a, b`
    NotOneOf(&'static [&'static str]),
    /// `value must be greater than N`
    GreaterThan(i64),
    /// `should start with: x`
    StartsWith(&'static str),
    /// `expected to contain: x` (arrays and sets)
    Contains(&'static str),
    /// A rule for every key of a map; its text stands at the key.
    Keys(fn(&str) -> Option<String>),
    /// A check across the fields of a record; runs when the fields themselves are sound.
    Record(EntityCheck),
    /// A rule of its own: the text of the violation, or nothing.
    Rule(fn(&Value) -> Option<String>),
}

/// A check across the fields of an entity or record; its texts stand under the field named, or `@entity`.
pub type EntityCheck = fn(&Entity) -> Vec<(String, String)>;

#[derive(Clone)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// Must be neither missing nor null (after defaults and generated values).
    pub required: bool,
    pub default: Option<Value>,
    pub auto: Option<Auto>,
    pub unique: bool,
    pub immutable: bool,
    pub seal: Seal,
    /// Kept by storage, unknown to bodies and left out of answers.
    pub internal: bool,
    pub checks: Vec<Check>,
    /// One sentence for `/schemas` and OpenAPI.
    pub description: &'static str,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Field({}: {:?})", self.name, self.kind)
    }
}

/// An admin entity.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Name of the collection, the table and the path: `services`.
    pub name: &'static str,
    /// The field that stands in for the id in paths (`name`, `username`, `client_id`…).
    pub key: Option<&'static str>,
    pub fields: Vec<Field>,
    pub checks: Vec<EntityCheck>,
    pub description: &'static str,
    /// The collection's path in the Admin API, without slashes: `oauth2` for `oauth2_credentials`.
    pub path: &'static str,
    /// The same below a parent: `key-auth` in `/consumers/{c}/key-auth`.
    pub nested: &'static str,
    /// Fields that bodies may carry and the store never sees: `url` of a service, `ttl` of a token.
    pub shorthands: Vec<Field>,
    /// Fields that answers carry and the store does not keep (`expires_at` of a token).
    pub virtuals: Vec<Field>,
    /// What a list may be filtered by: `client_id`, `credential.id`.
    pub filters: Vec<&'static str>,
    /// What a list may be sorted by: `created_at`, or a text that is never null.
    pub sorts: Vec<&'static str>,
    /// What a body may say of a new entity; `None`: every field. The others are the gateway's.
    pub posted: Option<&'static [&'static str]>,
    /// What a body may change; `None`: every field.
    pub patched: Option<&'static [&'static str]>,
    /// Whether a list refuses query parameters it does not know; where Kong ignores them, so do we.
    pub strict_filters: bool,
    /// Rewrites a body before it is validated (a shorthand into the fields it stands for).
    pub expand: Option<Expand>,
    /// Fills computed fields of a sound entity.
    pub derive: Option<fn(&mut Entity)>,
    /// Whether the Admin API's paths follow from the schema.
    pub collection: bool,
}

/// How an entity is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    Insert,
    Replace,
    Patch,
}

/// Rewrites a raw body in place; what it cannot read it leaves for the checks to report.
pub type Expand = fn(Write, &mut Entity);

impl Schema {
    /// The schema of what a body says of a new entity: what the gateway fills in is not demanded.
    pub fn as_posted(&self) -> Cow<'_, Self> {
        let Some(posted) = self.posted else { return Cow::Borrowed(self) };
        let mut schema = self.clone();
        schema.fields.iter_mut().filter(|field| !posted.contains(&field.name)).for_each(|field| field.required = false);
        Cow::Owned(schema)
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}
