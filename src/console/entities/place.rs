//! The places of a form: the fields of a schema that people fill in, records opened into their own fields.

use serde_json::Value;

use crate::schema::{Auto, Check, Entity, Field, Kind, Schema, Seal};

/// Whether a form makes an entity or changes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Create,
    Change,
}

/// One field of a form.
#[derive(Clone, Debug)]
pub(super) struct Place<'s> {
    /// `config.scopes`
    pub name: String,
    pub path: Vec<&'static str>,
    pub field: &'s Field,
    /// Never shown, and changed only when something is typed.
    pub is_secret: bool,
    /// Holds texts of several lines.
    pub is_long: bool,
}

/// Fields that the gateway computes.
const COMPUTED: [(&str, &str); 1] = [("ca_certificates", "cert_digest")];
/// Fields that hold PEM or prose.
const LONG: [&str; 5] = ["cert", "cert_alt", "key_alt", "rsa_public_key", "description"];

/// The places of a schema in its order. `schema` is the narrowed one where it is `plugins`.
pub(super) fn places(schema: &Schema, usage: Use) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    let own = schema.fields.iter().filter(|field| is_editable(schema, field, usage));
    // Virtual fields that only repeat others are answers, not questions.
    let more = schema.virtuals.iter().filter(|_| schema.name != "oauth2_tokens");
    for field in own.chain(more) {
        open(schema, &mut Vec::new(), field, &mut places);
    }
    places
}

fn is_editable(schema: &Schema, field: &Field, usage: Use) -> bool {
    let made = matches!(field.auto, Some(Auto::Uuid | Auto::CreatedAt | Auto::UpdatedAt));
    let chosen_before = schema.name == "plugins" && field.name == "name";
    let fixed = usage == Use::Change && field.immutable;
    let forbidden = field.checks.iter().any(|check| matches!(check, Check::Null));
    let computed = COMPUTED.contains(&(schema.name, field.name));
    !(field.internal || made || chosen_before || fixed || forbidden || computed)
}

fn open<'s>(schema: &Schema, above: &mut Vec<&'static str>, field: &'s Field, places: &mut Vec<Place<'s>>) {
    above.push(field.name);
    if let Kind::Record(inner) = &field.kind {
        for field in inner {
            open(schema, above, field, places);
        }
    } else {
        let in_config = above.len() > 1;
        places.push(Place {
            name: above.join("."),
            path: above.clone(),
            field,
            is_secret: field.seal != Seal::Clear || (in_config && field.auto == Some(Auto::Token)),
            is_long: LONG.contains(&field.name) || (schema.name == "certificates" && field.name == "key"),
        });
    }
    above.pop();
}

impl Place<'_> {
    /// Its value in an entity; null where there is none.
    pub(super) fn value<'e>(&self, entity: &'e Entity) -> &'e Value {
        let (first, rest) = (self.path.first().copied().unwrap_or_default(), self.path.get(1..).unwrap_or_default());
        let found = rest.iter().try_fold(entity.get(first).unwrap_or(&Value::Null), |value, name| value.get(name));
        found.unwrap_or(&Value::Null)
    }

    /// Sets its value in a body.
    pub(super) fn put(&self, body: &mut Entity, value: Value) {
        let mut object = body;
        for name in self.path.iter().take(self.path.len().saturating_sub(1)) {
            let inner = object.entry(*name).or_insert_with(|| Value::Object(Entity::new()));
            let Value::Object(inner) = inner else { return };
            object = inner;
        }
        if let Some(name) = self.path.last() {
            object.insert((*name).to_owned(), value);
        }
    }

    /// The entity that it refers to.
    pub(super) fn target(&self) -> Option<&'static str> {
        match self.field.kind {
            Kind::Foreign { entity, .. } => Some(entity),
            _ => None,
        }
    }

    /// `config.connect_timeout` as `Connect timeout`, with the abbreviations of the trade in capitals.
    pub(super) fn label(&self) -> String {
        label(self.field.name)
    }
}

const ABBREVIATIONS: [&str; 13] =
    ["api", "ca", "http", "https", "id", "jwt", "pkce", "rsa", "tls", "ttl", "uri", "url", "grpc"];

pub(in crate::console) fn label(name: &str) -> String {
    let word = |(nth, word): (usize, &str)| match word {
        "ids" => "IDs".to_owned(),
        "uris" => "URIs".to_owned(),
        "snis" => "SNIs".to_owned(),
        "oauth2" => "OAuth2".to_owned(),
        known if ABBREVIATIONS.contains(&known) => known.to_uppercase(),
        first if nth == 0 => {
            let mut letters = first.chars();
            letters.next().map(|letter| letter.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
        other => other.to_owned(),
    };
    name.split('_').enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// The defaults of a schema as an entity: what the form of a new one shows.
pub(super) fn defaults(places: &[Place<'_>]) -> Entity {
    let mut entity = Entity::new();
    for place in places {
        place.put(&mut entity, place.field.default.clone().unwrap_or_default());
    }
    entity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{PluginSchema, Registry};
    use serde_json::json;

    fn names(entity: &str, usage: Use) -> Vec<String> {
        let registry = Registry::new(Vec::new());
        places(registry.entity(entity).unwrap(), usage).into_iter().map(|place| place.name).collect()
    }

    /// The schema of a plugin with a key that it makes and a list.
    fn narrowed() -> Schema {
        let key = Field::string("provision_key").auto(Auto::Token).required();
        let config = vec![key, Field::array("scopes", Field::string("scope"))];
        let registry = Registry::new(vec![PluginSchema::new("oauth2", 1, config).without_consumer()]);
        registry.plugins_narrowed_by(registry.plugin("oauth2").unwrap()).unwrap()
    }

    #[test]
    fn what_the_gateway_makes_is_not_asked_for() {
        assert_eq!(names("consumers", Use::Create), ["username", "custom_id", "tags"]);
        assert_eq!(names("ca_certificates", Use::Change), ["cert", "tags"]);
        assert_eq!(names("certificates", Use::Create), ["cert", "key", "cert_alt", "key_alt", "tags", "snis"]);
    }

    #[test]
    fn a_plugins_own_fields_stand_under_config_and_its_key_is_a_secret() {
        let schema = narrowed();
        let places = places(&schema, Use::Change);
        let secret: Vec<_> = places.iter().filter(|place| place.is_secret).map(|place| place.name.as_str()).collect();
        assert_eq!(secret, ["config.provision_key"]);
        assert!(!places.iter().any(|place| ["name", "consumer"].contains(&place.name.as_str())));
    }

    #[test]
    fn values_are_read_and_put_by_path() {
        let schema = narrowed();
        let places = places(&schema, Use::Change);
        let scopes = places.iter().find(|place| place.name == "config.scopes").unwrap();
        let mut body = Entity::new();
        scopes.put(&mut body, json!(["a"]));
        assert_eq!(Value::Object(body.clone()), json!({"config": {"scopes": ["a"]}}));
        assert_eq!(scopes.value(&body), &json!(["a"]));
        assert_eq!(scopes.value(&Entity::new()), &Value::Null);
    }

    #[test]
    fn labels_are_words() {
        assert_eq!(label("connect_timeout"), "Connect timeout");
        assert_eq!(label("redirect_uris"), "Redirect URIs");
        assert_eq!(label("tls_verify_depth"), "TLS verify depth");
    }
}
