//! The configuration schema: the union of Kong's two generations (application-registration.md sections 1.2 and 1.3), and
//! what is ours.

use super::{NAME, PRIORITY};
use crate::domain::LONGEST_NAME;
use crate::plugins::oauth2;
use crate::schema::{Check, DEFAULT_PROTOCOLS, Field, PluginSchema};

/// The first generation's OAuth 2.0. Set to anything, one of them makes all of them count.
const OAUTH2: &[&str] = &[
    "auth_header_name",
    "enable_authorization_code",
    "enable_client_credentials",
    "enable_implicit_grant",
    "enable_password_grant",
    "mandatory_scope",
    "provision_key",
    "refresh_token_ttl",
    "scopes",
    "token_expiration",
];

pub fn schema() -> PluginSchema {
    let checks = vec![Check::Record(oauth2::scopes_when_mandatory), Check::Rule(oauth2::a_grant_is_enabled)];
    PluginSchema::new(NAME, PRIORITY, fields())
        .only_on_a_service()
        .protocols(DEFAULT_PROTOCOLS)
        .group(OAUTH2, checks)
        .split_words(&["scopes"])
}

fn flag(name: &'static str) -> Field {
    Field::boolean(name).default(false).required()
}

fn fields() -> Vec<Field> {
    let mut fields = vec![
        Field::string("display_name")
            .required()
            .unique()
            .check(Check::MinLength(1))
            .check(Check::MaxLength(LONGEST_NAME))
            .describe("What the service is called in the portal; no two services have the same."),
        Field::string("description").describe("What the portal says of the service."),
        flag("auto_approve").describe("Whether new contracts are approved at once."),
        flag("show_issuer").describe("Whether the portal shows the issuer of tokens."),
        flag("enable_proxy_with_consumer_credential").describe("Whether consumers that are no applications may call."),
        flag("show_refusal_reason").describe("Whether refusals tell why, in the header X-Refusal-Reason."),
    ];
    fields.extend(OAUTH2.iter().filter_map(|name| oauth2::field(name)));
    fields
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::schema::{Auto, Body, Entity, Registry, Violations};

    const SERVICE: &str = "0191c5a4-0000-7000-8000-000000000000";

    fn judged(config: Value, old: Option<&Entity>) -> Result<Entity, Violations> {
        let registry = Registry::new(vec![schema()]);
        let plugins = registry.entity("plugins").unwrap();
        let mut generate = |auto: Auto| match auto {
            Auto::Uuid => json!(SERVICE),
            Auto::CreatedAt | Auto::UpdatedAt => json!(1),
            Auto::Token => json!("generated"),
        };
        let body = json!({ "name": NAME, "service": { "id": SERVICE }, "config": config });
        let body = Body::json(body.as_object().unwrap().clone());
        let judged = match old {
            Some(old) => registry.patch(plugins, body, old, &mut generate),
            None => registry.insert(plugins, body, &mut generate),
        };
        judged.map(|accepted| accepted.entity)
    }

    fn inserted(config: Value) -> Entity {
        judged(config, None).unwrap()
    }

    fn faults(config: Value) -> Value {
        judged(config, None).unwrap_err().to_json()["config"].clone()
    }

    /// The fields of the first generation, as stored.
    fn oauth2_of(plugin: &Entity) -> Vec<Value> {
        OAUTH2.iter().map(|name| plugin["config"][name].clone()).collect()
    }

    #[test]
    fn the_first_generation_has_every_default() {
        let plugin = inserted(json!({ "display_name": "d", "enable_client_credentials": true }));
        let wanted = json!(["authorization", false, true, false, false, false, "generated", 1_209_600, null, 7200]);
        assert_eq!(json!(oauth2_of(&plugin)), wanted);
        assert_eq!(plugin["config"]["auto_approve"], false);
    }

    #[test]
    fn the_second_generation_has_nothing_of_the_first() {
        for config in [
            json!({ "display_name": "d" }),
            json!({ "display_name": "d", "scopes": null, "provision_key": null, "token_expiration": null }),
        ] {
            let plugin = inserted(config);
            assert!(oauth2_of(&plugin).iter().all(Value::is_null), "{plugin:?}");
            let own = ["show_issuer", "enable_proxy_with_consumer_credential", "show_refusal_reason", "auto_approve"];
            assert!(own.iter().all(|name| plugin["config"][name] == false));
        }
    }

    #[test]
    fn the_first_generation_needs_a_flow() {
        let text = "at least one of these fields must be true: enable_authorization_code, enable_implicit_grant, \
                    enable_client_credentials, enable_password_grant";
        for config in [
            json!({ "display_name": "d", "token_expiration": 60 }),
            json!({ "display_name": "d", "enable_implicit_grant": false }),
            json!({ "display_name": "d", "provision_key": "p" }),
        ] {
            assert_eq!(faults(config), text);
        }
        let scopes = json!({ "display_name": "d", "enable_implicit_grant": true, "mandatory_scope": true });
        assert_eq!(faults(scopes), json!({ "scopes": "required field missing" }));
        assert_eq!(faults(json!({})), json!({ "display_name": "required field missing" }));
    }

    #[test]
    fn a_tool_that_spells_out_every_default_says_nothing() {
        let mut config = json!({ "display_name": "d" });
        for name in OAUTH2 {
            config[name] = oauth2::field(name).unwrap().default.unwrap_or_default();
        }
        let plugin = inserted(config.clone());
        assert_eq!(
            (&plugin["config"]["provision_key"], &plugin["config"]["token_expiration"]),
            (&Value::Null, &json!(7200))
        );
        let first = judged(json!({ "enable_client_credentials": true }), Some(&plugin)).unwrap();
        assert_eq!(first["config"]["provision_key"], "generated");
        config["enable_client_credentials"] = json!(true);
        assert_eq!(inserted(config)["config"]["provision_key"], "generated");
    }

    #[test]
    fn a_change_of_something_else_keeps_the_generation() {
        let auto = json!({ "auto_approve": true });
        for config in [json!({ "display_name": "d" }), json!({ "display_name": "d", "enable_password_grant": true })] {
            let before = inserted(config);
            let after = judged(auto.clone(), Some(&before)).unwrap();
            assert_eq!(oauth2_of(&after), oauth2_of(&before));
            assert_eq!(after["config"]["auto_approve"], true);
        }
    }

    #[test]
    fn a_change_may_turn_one_generation_into_the_other() {
        let second = inserted(json!({ "display_name": "d" }));
        let first = judged(json!({ "enable_password_grant": true }), Some(&second)).unwrap();
        assert_eq!(
            oauth2_of(&first),
            oauth2_of(&inserted(json!({ "display_name": "d", "enable_password_grant": true })))
        );
        let nothing: Map<String, Value> = OAUTH2.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        let back = judged(Value::Object(nothing), Some(&first)).unwrap();
        assert_eq!(oauth2_of(&back), oauth2_of(&second));
        let off = judged(json!({ "enable_password_grant": false }), Some(&first)).unwrap_err().to_json();
        assert!(off["config"].as_str().unwrap().starts_with("at least one of these fields"), "{off}");
    }

    #[test]
    fn it_stands_on_a_service_and_nowhere_else() {
        let registry = Registry::new(vec![schema()]);
        let plugins = registry.entity("plugins").unwrap();
        let id = json!({ "id": SERVICE });
        let body = json!({ "name": NAME, "route": id, "consumer": id, "protocols": ["http", "ws"],
            "config": { "display_name": "d" } });
        let body = Body::json(body.as_object().unwrap().clone());
        let refused = registry.insert(plugins, body, &mut |_| json!(1)).unwrap_err().to_json();
        assert_eq!(refused["service"], "required field missing");
        assert_eq!(
            (&refused["route"], &refused["consumer"]),
            (&json!("value must be null"), &json!("value must be null"))
        );
        assert_eq!(refused["protocols"], json!([null, "expected one of: grpc, grpcs, http, https"]));
    }

    #[test]
    fn its_description_shows_the_defaults() {
        let registry = Registry::new(vec![schema()]);
        let described = registry.describe_plugin(registry.plugin(NAME).unwrap());
        let fields = described["fields"].as_array().unwrap();
        let config = fields.iter().find_map(|field| field.get("config")).unwrap()["fields"].as_array().unwrap();
        let field = |name: &str| config.iter().find_map(|field| field.get(name)).unwrap();
        assert_eq!(
            (&field("token_expiration")["default"], &field("provision_key")["auto"]),
            (&json!(7200), &json!(true))
        );
        assert_eq!(field("display_name")["unique"], true);
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(json!(true)),
            Just(json!(false)),
            Just(json!(7200)),
            Just(json!("text")),
            Just(json!(["a", "b"])),
        ]
    }

    fn configs() -> impl Strategy<Value = Map<String, Value>> {
        let name = proptest::sample::select([OAUTH2, &["auto_approve", "show_issuer", "description"]].concat());
        proptest::collection::hash_map(name.prop_map(str::to_owned), value(), 0..6)
            .prop_map(|given| given.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_stored_plugin_is_of_one_generation(given in configs(), change in configs()) {
            let mut config = given;
            config.insert("display_name".into(), json!("d"));
            let whole = |plugin: &Entity| {
                let has_flow = OAUTH2.iter().any(|name| name.starts_with("enable_") && plugin["config"][name] == true);
                let has_key = plugin["config"]["provision_key"].is_string();
                has_flow == has_key && (has_flow || plugin["config"]["scopes"].is_null())
            };
            if let Ok(plugin) = judged(Value::Object(config), None) {
                prop_assert!(whole(&plugin), "{plugin:?}");
                // What was stored is what a tool reads and sends again.
                let again = inserted(plugin["config"].clone());
                prop_assert_eq!(&again["config"], &plugin["config"]);
                if let Ok(changed) = judged(Value::Object(change), Some(&plugin)) {
                    prop_assert!(whole(&changed), "{changed:?}");
                }
            }
        }
    }
}
