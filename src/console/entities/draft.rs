//! What a form changes, as a body for the catalog.

use super::controls::shown_text;
use super::faults::Faults;
use super::place::Place;
use super::spelling::{self, Spelling};
use crate::pages::Form;
use crate::schema::{Entity, Registry};

/// The name of the box that takes a secret away.
pub(super) fn removal(name: &str) -> String {
    format!("remove:{name}")
}

/// The fields that were changed. What still says what was shown is left out, so that a form that is saved as it came
/// changes nothing, and a new entity takes its defaults.
///
/// # Errors
/// Texts that cannot be read.
pub(super) fn body(registry: &Registry, places: &[Place<'_>], shown: &Entity, form: &Form) -> Result<Entity, Faults> {
    let (mut body, mut faults) = (Entity::new(), Faults::default());
    for place in places {
        if place.is_secret && form.is_set(&removal(&place.name)) {
            place.put(&mut body, serde_json::Value::Null);
            continue;
        }
        let before = place.value(shown);
        let spelling = Spelling::of(place.field, before, place.is_long);
        let text = spelling::sent(&form.text(&place.name));
        if !form.is_set(&place.name) || text == spelling::sent(&shown_text(place, spelling, before)) {
            continue;
        }
        let key = place.target().and_then(|target| registry.entity(target)?.key);
        match spelling::value(place.field, spelling, &text, key) {
            Ok(value) => place.put(&mut body, value),
            Err(text) => faults.add(places, &place.name, text),
        }
    }
    if faults.is_empty() { Ok(body) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::super::place::{Use, defaults, places};
    use super::*;
    use serde_json::{Value, json};

    fn draft(entity: &str, shown: Value, form: &str) -> Value {
        let registry = Registry::new(Vec::new());
        let places = places(registry.entity(entity).unwrap(), Use::Change);
        let shown = shown.as_object().unwrap().clone();
        Value::Object(body(&registry, &places, &shown, &Form::parse(form.as_bytes())).unwrap())
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        let shown = json!({"name": "a", "port": 80, "tags": ["x"], "path": "/p", "protocol": "http"});
        let form = "name=a&port=81&tags=x%0D%0Ay&path=&protocol=http";
        assert_eq!(draft("services", shown, form), json!({"port": 81, "path": null, "tags": ["x", "y"]}));
    }

    #[test]
    fn an_empty_secret_stays_and_a_box_takes_it_away() {
        let shown = json!({"cert": "c", "key": "k", "key_alt": "l", "cert_alt": "d"});
        assert_eq!(draft("certificates", shown.clone(), "cert=c&key=&key_alt=&cert_alt=d"), json!({}));
        let form = "cert=c&key=&key_alt=&remove:key_alt=on&cert_alt=";
        assert_eq!(draft("certificates", shown, form), json!({"key_alt": null, "cert_alt": null}));
    }

    #[test]
    fn a_name_in_place_of_an_id_is_looked_for() {
        let id = "0191c5a4-0000-7000-8000-000000000000";
        let shown = json!({"service": {"id": id}});
        assert_eq!(draft("routes", shown.clone(), &format!("service={id}")), json!({}));
        assert_eq!(draft("routes", shown, "service=orders"), json!({"service": {"name": "orders"}}));
    }

    #[test]
    fn a_new_one_says_what_differs_from_the_defaults() {
        let registry = Registry::new(Vec::new());
        let places = places(registry.entity("services").unwrap(), Use::Create);
        let form = Form::parse(b"host=h&retries=5&port=&protocol=https");
        let body = body(&registry, &places, &defaults(&places), &form).unwrap();
        assert_eq!(Value::Object(body), json!({"protocol": "https", "host": "h", "port": null}));
    }
}
