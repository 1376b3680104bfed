//! From a schema to columns and statements.

use std::sync::Arc;

use crate::schema::{Field, Kind, Schema, Seal};

use super::revocations::{last_revocation, unrevoked};

/// Rows of a table with this column are gone once it has passed.
const ROW_END: &str = "expires_at";
/// Tokens that we did not mint; computed here, whatever the schema says of it.
const CUSTOM: (&str, &str) = ("oauth2_tokens", "custom");
/// The number of the last revocation when the token was stored; taken here, and never changed.
const ISSUED_AFTER: (&str, &str) = ("oauth2_tokens", "issued_after");
/// That no revocation has ended a token.
const UNREVOKED: &str = unrevoked!("oauth2_tokens");

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Text,
    Integer,
    Boolean,
    Uuid,
    Time,
    Json,
    Foreign,
    Sealed,
    /// HMAC of the field's value; written, never read back.
    Digest,
    /// Whether the access token was not minted by us; written, never read back.
    Custom,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    pub field: &'static str,
    pub role: Role,
}

/// A schema's table: its columns, and its statements, written once.
#[derive(Debug)]
pub(super) struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
    /// Names of the fields in schema order.
    pub fields: Vec<&'static str>,
    /// Foreign columns and the tables they name.
    pub references: Vec<(String, &'static str)>,
    /// Whether rows end by themselves.
    pub ends: bool,
    pub tagged: bool,
    pub insert: Arc<str>,
    pub find: Arc<str>,
    pub update: Arc<str>,
    pub delete: Arc<str>,
    pub all: Arc<str>,
}

impl Table {
    pub fn new(schema: &Schema) -> Self {
        let mut columns: Vec<Column> = schema.fields.iter().flat_map(|field| columns_of(schema.name, field)).collect();
        if schema.name == CUSTOM.0 {
            columns.push(Column { name: CUSTOM.1.to_owned(), field: CUSTOM.1, role: Role::Custom });
        }
        let ends = schema.name == CUSTOM.0 || schema.field(ROW_END).is_some();
        let name = schema.name;
        let selected = selected(&columns);
        let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let mut places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
        // `$1` is the id, which is the first column of the entity and of the statement.
        let changed = columns.iter().zip(&places).filter(|(column, _)| column.name != "id");
        let changed: Vec<String> = changed.map(|(column, place)| format!("{} = {place}", column.name)).collect();
        let id = names.iter().position(|name| *name == "id").map_or(1, |place| place + 1);
        let alive = |place: usize| live(name, ends, place);
        if name == ISSUED_AFTER.0 {
            names.push(ISSUED_AFTER.1);
            places.push(last_revocation!().to_owned());
        }
        let statement = |text: String| -> Arc<str> { text.into() };
        Self {
            name,
            fields: schema.fields.iter().map(|field| field.name).collect(),
            references: schema.fields.iter().filter_map(reference).collect(),
            ends,
            tagged: schema.field("tags").is_some(),
            insert: statement(format!("INSERT INTO {name} ({}) VALUES ({})", names.join(", "), places.join(", "))),
            find: statement(format!("SELECT {selected} FROM {name} WHERE id = $1{}", alive(2))),
            update: statement(format!(
                "UPDATE {name} SET {} WHERE id = ${id}{} RETURNING id",
                changed.join(", "),
                alive(columns.len() + 1),
            )),
            delete: statement(format!("DELETE FROM {name} WHERE id = $1{} RETURNING id", alive(2))),
            all: statement(format!("SELECT {selected} FROM {name} ORDER BY id")),
            columns,
        }
    }

    /// The columns to select, in the order they are read.
    pub fn selected(&self) -> String {
        selected(&self.columns)
    }

    /// The column a field is searched by; sealed and structured fields are not.
    pub fn searched(&self, field: &str) -> Option<&Column> {
        let of_field = |column: &&Column| column.field == field && column.role != Role::Custom;
        let digest = self.columns.iter().find(|column| column.field == field && column.role == Role::Digest);
        digest.or_else(|| self.columns.iter().find(of_field).filter(|column| column.role != Role::Sealed))
    }

    /// The field that a column belongs to.
    pub fn field_of(&self, column: &str) -> String {
        let found = self.columns.iter().find(|known| known.name == column);
        found.map_or_else(|| column.to_owned(), |known| known.field.to_owned())
    }

    /// A condition that rows whose end has passed, or that a revocation has ended, do not meet; its parameter is the
    /// present.
    pub fn live(&self, place: usize) -> String {
        live(self.name, self.ends, place)
    }

    /// The condition that ended rows meet, where rows end.
    pub fn ended(&self, place: usize) -> String {
        let expired = format!("{ROW_END} <= ${place}");
        if self.name == ISSUED_AFTER.0 { format!("({expired} OR NOT ({UNREVOKED}))") } else { expired }
    }
}

fn live(table: &str, ends: bool, place: usize) -> String {
    let unrevoked = if table == ISSUED_AFTER.0 { format!(" AND {UNREVOKED}") } else { String::new() };
    if ends { format!(" AND ({ROW_END} IS NULL OR {ROW_END} > ${place}){unrevoked}") } else { unrevoked }
}

fn selected(columns: &[Column]) -> String {
    let read = columns.iter().filter(|column| column.role.is_read());
    read.map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl Role {
    pub fn is_read(self) -> bool {
        !matches!(self, Self::Digest | Self::Custom)
    }
}

fn reference(field: &Field) -> Option<(String, &'static str)> {
    match field.kind {
        Kind::Foreign { entity, .. } => Some((format!("{}_id", field.name), entity)),
        _ => None,
    }
}

fn columns_of(table: &str, field: &Field) -> Vec<Column> {
    let column = |name: String, role: Role| Column { name, field: field.name, role };
    let name = field.name;
    if [CUSTOM, ISSUED_AFTER].contains(&(table, name)) {
        return Vec::new();
    }
    match field.seal {
        Seal::Sealed => return vec![column(format!("{name}_sealed"), Role::Sealed)],
        Seal::Lookup => {
            let digest = column(format!("{name}_digest"), Role::Digest);
            return vec![digest, column(format!("{name}_sealed"), Role::Sealed)];
        }
        Seal::Clear => {}
    }
    let role = match field.kind {
        Kind::String => Role::Text,
        Kind::Integer => Role::Integer,
        Kind::Boolean => Role::Boolean,
        Kind::Uuid => Role::Uuid,
        Kind::Timestamp => Role::Time,
        Kind::Number | Kind::Array(_) | Kind::Set(_) | Kind::Map(_) | Kind::Record(_) | Kind::Json => Role::Json,
        Kind::Foreign { .. } => return vec![column(format!("{name}_id"), Role::Foreign)],
    };
    vec![column(name.to_owned(), role)]
}
