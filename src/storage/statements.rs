//! Every statement of the room, for the test that prepares them all.

use crate::schema::Schema;

use super::store::{Outcome, PING};
use super::{
    Store, admin_tokens, application_requests, audit, bulk, clients, codes, configuration, exchange, keys,
    mailed_tokens, mails, postgres, registration, registration_documents, registration_services, registration_tokens,
    reseal, revocations, roster, secrets, sessions, standings, sweep, tokens, turns,
};

const WRITTEN: &[&[&str]] = &[
    &[PING],
    admin_tokens::STATEMENTS,
    application_requests::STATEMENTS,
    audit::STATEMENTS,
    bulk::STATEMENTS,
    clients::STATEMENTS,
    codes::STATEMENTS,
    configuration::STATEMENTS,
    exchange::STATEMENTS,
    keys::STATEMENTS,
    mailed_tokens::STATEMENTS,
    mails::STATEMENTS,
    registration::STATEMENTS,
    registration_documents::STATEMENTS,
    registration_services::STATEMENTS,
    revocations::STATEMENTS,
    roster::STATEMENTS,
    secrets::STATEMENTS,
    sessions::STATEMENTS,
    standings::STATEMENTS,
    sweep::STATEMENTS,
    tokens::STATEMENTS,
    turns::STATEMENTS,
];

pub(super) fn every(store: &Store, schemas: &[&Schema]) -> Outcome<Vec<String>> {
    let mut every: Vec<String> = WRITTEN.concat().into_iter().map(str::to_owned).collect();
    if store.kind() == "postgres" {
        every.push(postgres::INSERT_TOKENS.to_owned());
    }
    every.extend([store.renaming_role(), store.taking_role()]);
    every.push(exchange::holding(store.dialect().hold));
    every.push(bulk::known());
    every.extend(registration_tokens::statements());
    every.extend(revocations::statements(store.dialect().skip_locked));
    every.extend(sweep::statements(store.dialect().skip_locked));
    for schema in schemas {
        let table = store.table(schema);
        every.extend([&table.insert, &table.find, &table.update, &table.delete, &table.all].map(|sql| sql.to_string()));
        every.push(registration::asking_together(&table));
    }
    every.extend(reseal::statements(schemas));
    Ok(every)
}
