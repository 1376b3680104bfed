//! What the migrations made: the same tables in both databases, and what the schemas say.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use tollgate::schema::{Kind, OnDelete, Seal, entities};
use tollgate::storage::Role;

use crate::bench::{Bench, Folder, Place, disk, open, postgres_place, run, sql};

/// Table and column, and what is known of it.
type Columns = BTreeMap<(String, String), Column>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    /// In the words of SQLite.
    kind: String,
    required: bool,
    unique: bool,
    /// Table and what becomes of the row.
    reference: Option<(String, String)>,
    indexed: bool,
}

async fn in_sqlite() -> Columns {
    let folder = Folder::new();
    let store = open(disk(&folder.file(), Role::Tool)).await;
    store.migrate_up().await.unwrap();
    store.close().await;
    let connection = Connection::open(folder.file()).unwrap();
    let strings = |question: &str| -> Vec<Vec<String>> {
        let mut statement = connection.prepare(question).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|place| row.get(place)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let indexes = "SELECT m.name, i.\"unique\" || '', c.name FROM sqlite_master m, pragma_index_list(m.name) i,
        pragma_index_info(i.name) c WHERE m.type = 'table' AND c.seqno = 0 AND c.name IS NOT NULL";
    let indexes = strings(indexes);
    let references = "SELECT m.name, f.\"from\", f.\"table\", f.on_delete
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
    let references = strings(references);
    let columns = "SELECT m.name, c.name, c.type, c.\"notnull\" || '' FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name <> 'schema_migrations'";
    let describe = |row: Vec<String>| {
        let (table, name) = (row[0].clone(), row[1].clone());
        let here = |other: &Vec<String>, place: usize| other[0] == table && other[place] == name;
        let reference = references.iter().find(|other| here(other, 1));
        let column = Column {
            kind: row[2].clone(),
            required: row[3] == "1",
            unique: indexes.iter().any(|other| here(other, 2) && other[1] == "1"),
            reference: reference.map(|row| (row[2].clone(), row[3].clone())),
            indexed: indexes.iter().any(|other| here(other, 2)),
        };
        ((table, name), column)
    };
    strings(columns).into_iter().map(describe).collect()
}

const PG_COLUMNS: &str = "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisunique),
        EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum),
        (SELECT f.confrelid::regclass::text || ' ' || f.confdeltype::text FROM pg_constraint f
          WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.conkey[1] = a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND c.relname <> 'schema_migrations'";

async fn in_postgres() -> Columns {
    let bench = Bench::at(postgres_place().await).await;
    let Place::Postgres { url, .. } = bench.place() else { unreachable!() };
    let rows = sql(url, PG_COLUMNS).await;
    bench.finish().await;
    let kinds = [
        ("uuid", "BLOB"),
        ("bytea", "BLOB"),
        ("text", "TEXT"),
        ("jsonb", "TEXT"),
        ("bigint", "INTEGER"),
        ("boolean", "INTEGER"),
        ("timestamp with time zone", "INTEGER"),
    ];
    let describe = |row: Vec<String>| {
        let kind = kinds.iter().find(|(kind, _)| *kind == row[2]).unwrap_or_else(|| panic!("kind {}", row[2]));
        let reference = row[6].split_once(' ').map(|(table, action)| {
            let action = if action == "c" { "CASCADE" } else { "RESTRICT" };
            (table.to_owned(), action.to_owned())
        });
        let column = Column {
            kind: kind.1.to_owned(),
            required: row[3] == "t",
            unique: row[4] == "t",
            indexed: row[5] == "t",
            reference,
        };
        ((row[0].clone(), row[1].clone()), column)
    };
    rows.into_iter().map(describe).collect()
}

#[test]
fn both_databases_have_the_same_tables() {
    run(async {
        let (sqlite, postgres) = (in_sqlite().await, in_postgres().await);
        assert!(sqlite.len() > 100);
        assert_eq!(sqlite.keys().collect::<BTreeSet<_>>(), postgres.keys().collect::<BTreeSet<_>>());
        for (place, column) in &sqlite {
            assert_eq!(Some(column), postgres.get(place), "{place:?}");
        }
    });
}

#[test]
fn every_reference_has_an_index() {
    run(async {
        for (place, column) in in_sqlite().await {
            assert!(column.reference.is_none() || column.indexed, "{place:?}");
        }
    });
}

#[test]
fn tables_are_what_the_schemas_say() {
    run(async {
        let found = in_sqlite().await;
        let mut differing = Vec::new();
        for schema in entities::all() {
            let mut expected = BTreeSet::new();
            for field in &schema.fields {
                let suffix = match (&field.kind, field.seal) {
                    (_, Seal::Sealed) => "_sealed",
                    (_, Seal::Lookup) => "_digest",
                    (Kind::Foreign { .. }, _) => "_id",
                    _ => "",
                };
                let name = format!("{}{suffix}", field.name);
                let place = (schema.name.to_owned(), name.clone());
                let column = found.get(&place).unwrap_or_else(|| panic!("{place:?} is missing"));
                // What storage fills in by itself may be stricter than what bodies must bring.
                if field.required != column.required && !field.internal {
                    differing.push(place.clone());
                }
                assert_eq!(field.unique, column.unique, "{place:?} unique");
                if let Kind::Foreign { entity, on_delete } = field.kind {
                    let action = if on_delete == OnDelete::Cascade { "CASCADE" } else { "RESTRICT" };
                    assert_eq!(column.reference, Some((entity.to_owned(), action.to_owned())), "{place:?}");
                }
                expected.insert(name);
                if field.seal == Seal::Lookup {
                    expected.insert(format!("{}_sealed", field.name));
                }
            }
            let columns = found.keys().filter(|(table, _)| table == schema.name).map(|(_, name)| name.clone());
            assert_eq!(columns.collect::<BTreeSet<_>>(), expected, "columns of {}", schema.name);
        }
        assert!(differing.is_empty(), "required in one, not in the other: {differing:?}");
    });
}
