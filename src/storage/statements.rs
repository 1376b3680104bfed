//! Every statement of the room, for the test that prepares them all.

use crate::schema::Schema;

use super::store::{Outcome, PING};
use super::{
    Store, admin_tokens, audit, clients, codes, exchange, keys, mailed_tokens, mails, postgres, reseal, sessions,
    sweep, tokens,
};

const WRITTEN: &[&[&str]] = &[
    &[PING],
    admin_tokens::STATEMENTS,
    audit::STATEMENTS,
    clients::STATEMENTS,
    codes::STATEMENTS,
    exchange::STATEMENTS,
    keys::STATEMENTS,
    mailed_tokens::STATEMENTS,
    mails::STATEMENTS,
    sessions::STATEMENTS,
    sweep::STATEMENTS,
    tokens::STATEMENTS,
];

pub(super) fn every(store: &Store, schemas: &[&Schema]) -> Outcome<Vec<String>> {
    let mut every: Vec<String> = WRITTEN.concat().into_iter().map(str::to_owned).collect();
    if store.kind() == "postgres" {
        every.push(postgres::INSERT_TOKENS.to_owned());
    }
    every.extend(reseal::statements_beside());
    for schema in schemas {
        let table = store.table(schema);
        every.extend([&table.insert, &table.find, &table.update, &table.delete, &table.all].map(|sql| sql.to_string()));
        every.extend(reseal::statements(schema));
    }
    Ok(every)
}
