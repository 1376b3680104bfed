//! Applications: what developers make, and what calls services.

use serde_json::Value;

use crate::domain::LONGEST_NAME;
use crate::schema::{Check, Entity, Field, OnDelete, Schema, checks};

pub(super) fn schema() -> Schema {
    let fields = vec![
        Field::id(),
        Field::created_at(),
        Field::updated_at(),
        Field::string("name")
            .required()
            .check(Check::MinLength(1))
            .check(Check::MaxLength(LONGEST_NAME))
            .rule(one_line)
            .describe("Its name; no two of one developer have the same."),
        Field::string("description").check(Check::MaxLength(LONGEST_DESCRIPTION)).describe("What it does."),
        Field::string("redirect_uri")
            .rule(checks::redirect_uri)
            .check(Check::MaxLength(LONGEST_URI))
            .describe("Where answers to its users are sent; its first credential takes it over."),
        Field::string("custom_id").unique().describe("Its id at the identity provider (external-oauth2)."),
        Field::foreign("developer", "developers", OnDelete::Cascade).required().immutable().describe("Whose it is."),
        Field::foreign("consumer", "consumers", OnDelete::Cascade)
            .required()
            .unique()
            .immutable()
            .describe("The hidden consumer its credentials hang on."),
        Field::string("name_key").unique().internal(),
    ];
    Schema::new("applications", "What a developer calls services with.", fields)
        .without_collection()
        .filters(&["name", "custom_id", "developer.id"])
        .sorts(&["created_at", "name"])
        .confined(
            &["id", "name", "redirect_uri", "custom_id", "description", "developer"],
            &["name", "redirect_uri", "custom_id", "description"],
        )
        .derive(key)
}

/// A name stands in lists, mails and headers.
fn one_line(name: &Value) -> Option<String> {
    let text = name.as_str()?;
    let blank = text.chars().all(|letter| letter.is_whitespace() || is_unseen(letter));
    (blank || text.chars().any(char::is_control)).then(|| "must be one line that is not blank".to_owned())
}

/// Letters that leave no mark of their own: a name of nothing else is a link that nobody can find.
fn is_unseen(letter: char) -> bool {
    let joins = matches!(letter, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    let turns = matches!(letter, '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let fills = matches!(
        letter,
        '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
    );
    joins || turns || fills
}

/// A developer has one application of a name.
fn key(application: &mut Entity) {
    let developer = application.get("developer").and_then(|developer| developer.get("id")?.as_str());
    if let (Some(developer), Some(name)) = (developer, application.get("name").and_then(Value::as_str)) {
        let key = format!("{developer}_{name}");
        application.insert("name_key".to_owned(), key.into());
    }
}

const LONGEST_DESCRIPTION: usize = 4096;
const LONGEST_URI: usize = 2048;
