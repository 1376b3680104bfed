//! Builders: how schemas are written down.

use serde_json::Value;

use super::field::{Auto, Check, EntityCheck, Expand, Field, Kind, OnDelete, Schema, Seal};
use super::{Entity, checks};
use crate::domain::{LONGEST_NAME, LONGEST_TOKEN};

impl Field {
    /// A nullable field without default or checks.
    pub fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
            default: None,
            auto: None,
            unique: false,
            immutable: false,
            seal: Seal::Clear,
            internal: false,
            checks: Vec::new(),
            description: "",
        }
    }

    pub fn string(name: &'static str) -> Self {
        Self::new(name, Kind::String)
    }

    pub fn integer(name: &'static str) -> Self {
        Self::new(name, Kind::Integer)
    }

    pub fn number(name: &'static str) -> Self {
        Self::new(name, Kind::Number)
    }

    pub fn boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    pub fn uuid(name: &'static str) -> Self {
        Self::new(name, Kind::Uuid)
    }

    pub fn timestamp(name: &'static str) -> Self {
        Self::new(name, Kind::Timestamp)
    }

    pub fn array(name: &'static str, element: Self) -> Self {
        Self::new(name, Kind::Array(Box::new(element)))
    }

    pub fn set(name: &'static str, element: Self) -> Self {
        Self::new(name, Kind::Set(Box::new(element)))
    }

    pub fn map(name: &'static str, value: Self) -> Self {
        Self::new(name, Kind::Map(Box::new(value)))
    }

    pub fn record(name: &'static str, fields: Vec<Self>) -> Self {
        Self::new(name, Kind::Record(fields))
    }

    pub fn foreign(name: &'static str, entity: &'static str, on_delete: OnDelete) -> Self {
        Self::new(name, Kind::Foreign { entity, on_delete })
    }

    pub fn json(name: &'static str) -> Self {
        Self::new(name, Kind::Json)
    }

    /// The primary key, as every entity has it.
    pub fn id() -> Self {
        let mut field = Self::uuid("id").auto(Auto::Uuid).describe("The entity's identifier.");
        field.unique = true;
        field.immutable = true;
        field.required = true;
        field
    }

    pub fn created_at() -> Self {
        Self::timestamp("created_at").auto(Auto::CreatedAt).required().describe("When it was created, in seconds.")
    }

    pub fn updated_at() -> Self {
        Self::timestamp("updated_at").auto(Auto::UpdatedAt).required().describe("When it was last written, in seconds.")
    }

    pub fn tags() -> Self {
        Self::set("tags", Self::string("tag").rule(checks::tag)).describe("Words to group and filter by.")
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    #[must_use]
    pub fn auto(mut self, auto: Auto) -> Self {
        self.auto = Some(auto);
        self
    }

    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// With a bound on the length, where it is a unique text that clients give.
    fn indexable(self) -> Self {
        if !self.unique || self.internal || !matches!(self.kind, Kind::String) {
            return self;
        }
        let longest = if self.seal == Seal::Lookup { LONGEST_TOKEN } else { LONGEST_NAME };
        self.check(Check::MaxLength(longest))
    }

    #[must_use]
    pub fn immutable(mut self) -> Self {
        self.immutable = true;
        self
    }

    #[must_use]
    pub fn seal(mut self, seal: Seal) -> Self {
        self.seal = seal;
        self
    }

    #[must_use]
    pub fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    #[must_use]
    pub fn rule(self, rule: fn(&Value) -> Option<String>) -> Self {
        self.check(Check::Rule(rule))
    }

    #[must_use]
    pub fn one_of(self, words: &'static [&'static str]) -> Self {
        self.check(Check::OneOf(words))
    }

    #[must_use]
    pub fn between(self, low: i64, high: i64) -> Self {
        self.check(Check::Between(low, high))
    }

    #[must_use]
    pub fn describe(mut self, sentence: &'static str) -> Self {
        self.description = sentence;
        self
    }
}

impl Schema {
    /// A schema whose path is its name, without a key. Unique texts get the length that every store can index.
    pub fn new(name: &'static str, description: &'static str, fields: Vec<Field>) -> Self {
        let fields = fields.into_iter().map(Field::indexable).collect();
        Self {
            name,
            key: None,
            fields,
            checks: Vec::new(),
            description,
            path: name,
            nested: name,
            shorthands: Vec::new(),
            virtuals: Vec::new(),
            filters: Vec::new(),
            sorts: Vec::new(),
            posted: None,
            patched: None,
            strict_filters: false,
            expand: None,
            derive: None,
            collection: true,
        }
    }

    #[must_use]
    pub fn key(mut self, field: &'static str) -> Self {
        self.key = Some(field);
        self
    }

    #[must_use]
    pub fn path(mut self, path: &'static str) -> Self {
        self.path = path;
        self.nested = path;
        self
    }

    /// A path below parents that is not the collection's own; to be said after [`Schema::path`].
    #[must_use]
    pub fn nested(mut self, path: &'static str) -> Self {
        self.nested = path;
        self
    }

    /// For entities whose paths are written by hand.
    #[must_use]
    pub fn without_collection(mut self) -> Self {
        self.collection = false;
        self
    }

    #[must_use]
    pub fn check(mut self, check: EntityCheck) -> Self {
        self.checks.push(check);
        self
    }

    #[must_use]
    pub fn shorthand(mut self, field: Field) -> Self {
        self.shorthands.push(field);
        self
    }

    /// Query parameters a list may be filtered by: a field's name, or `field.id` of a reference.
    #[must_use]
    pub fn filters(mut self, filters: &[&'static str]) -> Self {
        self.filters = filters.to_vec();
        self
    }

    /// What a list may be sorted by (`sort_by`): `created_at`, or a text that is never null.
    #[must_use]
    pub fn sorts(mut self, fields: &[&'static str]) -> Self {
        self.sorts = fields.to_vec();
        self
    }

    /// The only fields and shorthands that bodies may say: of a new entity, and to change one.
    #[must_use]
    pub fn confined(mut self, posted: &'static [&'static str], patched: &'static [&'static str]) -> Self {
        (self.posted, self.patched) = (Some(posted), Some(patched));
        self
    }

    /// Refuses unknown query parameters of a list.
    #[must_use]
    pub fn strict_filters(mut self) -> Self {
        self.strict_filters = true;
        self
    }

    /// A field of bodies and answers that the store does not keep.
    #[must_use]
    pub fn virtual_field(mut self, field: Field) -> Self {
        self.virtuals.push(field.clone());
        self.shorthand(field)
    }

    #[must_use]
    pub fn expand(mut self, expand: Expand) -> Self {
        self.expand = Some(expand);
        self
    }

    #[must_use]
    pub fn derive(mut self, derive: fn(&mut Entity)) -> Self {
        self.derive = Some(derive);
        self
    }

    /// The entity as a client sees it: without internal fields.
    pub fn public(&self, entity: &Entity) -> Entity {
        let shown = self.fields.iter().filter(|field| !field.internal);
        shown.map(|field| (field.name.to_owned(), entity.get(field.name).cloned().unwrap_or(Value::Null))).collect()
    }
}
