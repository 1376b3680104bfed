//! Places, an entity and what was typed become the controls of a form.

use serde_json::Value;

use super::faults::Faults;
use super::place::{Place, Use, label};
use super::spelling::{self, Spelling};
use crate::console::views::{Control, Input, Section, Word};
use crate::pages::Form;
use crate::schema::{Entity, Kind};

/// What a form is filled with.
pub(super) struct Filling<'f> {
    pub usage: Use,
    /// The entity as it is, or the defaults of a new one.
    pub shown: &'f Entity,
    /// What was typed, when the form comes back with faults.
    pub typed: Option<&'f Form>,
    pub faults: &'f Faults,
}

/// The form, a section for each record.
pub(super) fn sections(places: &[Place<'_>], filling: &Filling<'_>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for place in places {
        let above = place.path.len().checked_sub(2).and_then(|last| place.path.get(last));
        let title = above.map(|name| label(name)).unwrap_or_default();
        let control = control(place, filling);
        match sections.iter_mut().find(|section| section.title == title) {
            Some(section) => section.controls.push(control),
            None => sections.push(Section { title, controls: vec![control] }),
        }
    }
    sections
}

fn control(place: &Place<'_>, filling: &Filling<'_>) -> Control {
    let value = place.value(filling.shown);
    let spelling = Spelling::of(place.field, value, place.is_long);
    let typed = filling.typed.filter(|form| form.is_set(&place.name)).map(|form| form.text(&place.name));
    let mut fault = filling.faults.at(&place.name).to_owned();
    if place.is_secret && fault.is_empty() && typed.as_ref().is_some_and(|text| !text.is_empty()) {
        "please type it again".clone_into(&mut fault);
    }
    let text = typed.unwrap_or_else(|| shown_text(place, spelling, value));
    Control {
        name: place.name.clone(),
        label: place.label(),
        hint: hint(place, spelling, filling),
        fault,
        required: place.field.required && !may_be_empty(place, filling.usage, value),
        input: input(place, spelling, text, value),
        link: None,
    }
}

/// The text that a form shows of a value. Secrets and lives that run down are never shown.
pub(super) fn shown_text(place: &Place<'_>, spelling: Spelling, value: &Value) -> String {
    if place.is_secret || is_fleeting(place) { String::new() } else { spelling::text(spelling, value) }
}

/// Whether the value is another one at every look.
fn is_fleeting(place: &Place<'_>) -> bool {
    place.name == "ttl"
}

/// The gateway fills it; or what is there stays, also that nothing is, where a plugin asks for a field in one of its
/// ways only.
fn may_be_empty(place: &Place<'_>, usage: Use, value: &Value) -> bool {
    place.field.auto.is_some() || (usage == Use::Change && (place.is_secret || value.is_null()))
}

fn input(place: &Place<'_>, spelling: Spelling, text: String, value: &Value) -> Input {
    match spelling {
        _ if place.is_secret => {
            Input::Secret { is_area: place.is_long, is_removable: !place.field.required && !value.is_null() }
        }
        Spelling::Line => Input::Line { value: text },
        Spelling::Choice => Input::Choice { words: choices(place, &text) },
        Spelling::Area => area(text, place.field.name != "description"),
        Spelling::Lines => area(text, false),
        Spelling::Json => area(text, true),
    }
}

/// High enough for its text and one line more.
fn area(value: String, is_code: bool) -> Input {
    let rows = (value.lines().count() + 1).clamp(3, 20);
    Input::Area { value, is_code, rows }
}

fn choices(place: &Place<'_>, chosen: &str) -> Vec<Word> {
    let mut words = spelling::words(place.field);
    if !place.field.required {
        words.insert(0, String::new());
    }
    if !words.iter().any(|word| word == chosen) {
        words.push(chosen.to_owned());
    }
    let text = |word: &str| match word {
        "" => "not set".to_owned(),
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        other => other.to_owned(),
    };
    words.into_iter().map(|word| Word { text: text(&word), is_chosen: word == chosen, value: word }).collect()
}

fn hint(place: &Place<'_>, spelling: Spelling, filling: &Filling<'_>) -> String {
    let mut parts = vec![place.field.description.to_owned()];
    match (&place.field.kind, spelling) {
        (Kind::Array(element) | Kind::Set(element), Spelling::Lines) => {
            let words = spelling::words(element);
            let of = if words.is_empty() { String::new() } else { format!(", each one of: {}", words.join(", ")) };
            parts.push(format!("One per line{of}."));
        }
        (_, Spelling::Json) => parts.push("As JSON.".to_owned()),
        (Kind::Foreign { .. }, _) => parts.push("An id or a name.".to_owned()),
        _ => {}
    }
    let is_set = !place.value(filling.shown).is_null();
    match (place.is_secret, filling.usage, is_set) {
        (true, Use::Change, true) => parts.push("It is set and not shown; empty leaves it as it is.".to_owned()),
        (true, Use::Change, false) => parts.push("It is not set.".to_owned()),
        _ if is_fleeting(place) && filling.usage == Use::Change => parts.push("Empty leaves it as it is.".to_owned()),
        _ => {}
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::place::places;
    use super::*;
    use crate::schema::Registry;
    use serde_json::json;

    fn form_of(entity: &str, shown: Value, typed: Option<&str>) -> Vec<Section> {
        let registry = Registry::new(Vec::new());
        let places = places(registry.entity(entity).unwrap(), Use::Change);
        let (typed, faults) = (typed.map(|text| Form::parse(text.as_bytes())), Faults::default());
        let shown = shown.as_object().unwrap().clone();
        sections(&places, &Filling { usage: Use::Change, shown: &shown, typed: typed.as_ref(), faults: &faults })
    }

    fn find<'s>(sections: &'s [Section], name: &str) -> &'s Control {
        sections.iter().flat_map(|section| &section.controls).find(|control| control.name == name).unwrap()
    }

    #[test]
    fn a_secret_is_never_printed() {
        let shown = json!({"client_id": "app", "client_secret": "hunter2"});
        for typed in [None, Some("client_secret=hunter3&client_id=other")] {
            let form = form_of("oauth2_credentials", shown.clone(), typed);
            let printed = format!("{form:?}");
            assert!(!printed.contains("hunter2") && !printed.contains("hunter3"), "{printed}");
            assert_eq!(find(&form, "client_secret").fault.is_empty(), typed.is_none());
        }
    }

    #[test]
    fn what_was_typed_comes_back() {
        let form = form_of("services", json!({"name": "a", "port": 80}), Some("name=b&port=x"));
        assert_eq!(find(&form, "name").input, Input::Line { value: "b".to_owned() });
        assert_eq!(find(&form, "port").input, Input::Line { value: "x".to_owned() });
        assert_eq!(find(&form, "path").input, Input::Line { value: String::new() });
    }

    #[test]
    fn a_value_outside_of_the_words_stays_a_choice() {
        let form = form_of("services", json!({"protocol": "quic", "tls_verify": null}), None);
        let Input::Choice { words } = &find(&form, "protocol").input else { panic!() };
        assert!(words.iter().any(|word| word.value == "quic" && word.is_chosen));
        let Input::Choice { words } = &find(&form, "tls_verify").input else { panic!() };
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["not set", "yes", "no"]);
    }
}
