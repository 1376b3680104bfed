use serde_json::{Value, json};

use super::*;

async fn with_client(admin: &Admin) -> Value {
    admin.made("/consumers", json!({"username": "bob"})).await;
    admin.made("/consumers/bob/oauth2", json!({"name": "app", "redirect_uris": ["http://a.com"]})).await
}

#[tokio::test]
async fn a_plugin_gets_a_provision_key_and_shows_it_in_its_config() {
    let admin = admin().await;
    let made = admin.form("POST", "/plugins", "name=oauth2&config.enable_client_credentials=true").await;
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.body["config"]["provision_key"].as_str().unwrap();
    assert_eq!(key.len(), 32);
    assert!(made.body.get("provision_key").is_none() && made.body.get("cache_key").is_none());
    let path = format!("/plugins/{}", made.body["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.body, made.body);
    let patched = admin.call("PATCH", &path, json!({"config": {"token_expiration": 5}})).await;
    assert_eq!(
        (&patched.body["config"]["token_expiration"], &patched.body["config"]["provision_key"]),
        (&json!(5), &json!(key))
    );
    assert_eq!(patched.body["config"]["enable_client_credentials"], true);
}

#[tokio::test]
async fn two_plugins_of_a_name_do_not_share_a_place() {
    let admin = admin().await;
    let body = json!({"name": "oauth2", "config": {"enable_password_grant": true}});
    admin.made("/plugins", body.clone()).await;
    let taken = admin.call("POST", "/plugins", body.clone()).await;
    assert_eq!(taken.status, 409);
    let place = "UNIQUE violation detected on '{consumer=null,name=\"oauth2\",route=null,service=null}'";
    assert_eq!(taken.body["message"], place);
    admin.made("/services", json!({"name": "s", "host": "h"})).await;
    admin.made("/services/s/plugins", body).await;
    assert_eq!(admin.get("/services/s/plugins").await.body["total"], 1);
}

#[tokio::test]
async fn a_plugins_faults_nest_under_config() {
    let admin = admin().await;
    let refused = admin.call("POST", "/plugins", json!({"name": "oauth2"})).await;
    assert!(
        refused.body["fields"]["config"].as_str().unwrap().starts_with("at least one of these fields must be true")
    );
    let refused = admin.call("POST", "/plugins", json!({"name": "wat"})).await;
    let text = "plugin 'wat' not enabled; add it to the 'plugins' configuration property";
    assert_eq!(refused.body["fields"]["name"], text);
    admin.made("/consumers", json!({"username": "bob"})).await;
    let body = json!({"name": "oauth2", "config": {"enable_password_grant": true}});
    let refused = admin.call("POST", "/consumers/bob/plugins", body).await;
    assert_eq!(refused.body["fields"]["consumer"], "value must be null");
}

#[tokio::test]
async fn a_credential_is_generated_and_found_by_its_client_id() {
    let admin = admin().await;
    let made = with_client(&admin).await;
    let client_id = made["client_id"].as_str().unwrap();
    assert_eq!((client_id.len(), made["client_secret"].as_str().unwrap().len()), (32, 32));
    for path in [
        format!("/oauth2/{client_id}"),
        format!("/consumers/bob/oauth2/{client_id}"),
        format!("/oauth2/{}", made["id"].as_str().unwrap()),
    ] {
        assert_eq!(admin.get(&path).await.body, made, "{path}");
    }
    assert_eq!(admin.get(&format!("/oauth2/{client_id}/consumer")).await.body["username"], "bob");
    assert_eq!(admin.get(&format!("/oauth2?client_id={client_id}")).await.body["total"], 1);
    assert_eq!(admin.get("/oauth2?client_id=other").await.body["total"], 0);
    admin.made("/consumers", json!({"username": "eve"})).await;
    assert_eq!(admin.get(&format!("/consumers/eve/oauth2/{client_id}")).await.status, 404);
    let missing = admin.call("DELETE", "/consumers/eve/oauth2/other", Value::Null).await;
    assert_eq!(missing.status, 404);
    let refused = admin.call("POST", "/oauth2", json!({"name": "x"})).await;
    assert_eq!(refused.body["fields"]["consumer"], "required field missing");
}

#[tokio::test]
async fn a_secret_is_hashed_once_and_a_hash_is_kept() {
    let admin = admin().await;
    with_client(&admin).await;
    let body = json!({"name": "h", "client_id": "h", "client_secret": "secret", "hash_secret": true});
    let made = admin.made("/consumers/bob/oauth2", body).await;
    let phc = made["client_secret"].as_str().unwrap();
    assert!(phc.starts_with("$argon2id$"));
    let kept = json!({"name": "k", "client_secret": "$pbkdf2-sha512$i=10000,l=32$salt$hash", "hash_secret": true});
    let kept = admin.made("/consumers/bob/oauth2", kept).await;
    assert_eq!(kept["client_secret"], "$pbkdf2-sha512$i=10000,l=32$salt$hash");
    let renamed = admin.call("PATCH", "/oauth2/h", json!({"name": "n"})).await;
    assert_eq!(renamed.body["client_secret"], phc);
    for one in [json!({"hash_secret": false}), json!({"client_secret": "x"})] {
        let refused = admin.call("PATCH", "/oauth2/h", one).await;
        let text = "all or none of these fields must be set: 'hash_secret', 'client_secret'";
        assert_eq!((refused.status, &refused.body["fields"]), (400, &json!({"@entity": [text]})));
    }
    let both = admin.call("PATCH", "/oauth2/h", json!({"hash_secret": false, "client_secret": "x"})).await;
    assert_eq!(both.body["client_secret"], "x");
}

#[tokio::test]
async fn a_token_shows_older_names_and_its_ends() {
    let admin = admin().await;
    let client = with_client(&admin).await;
    let body = json!({"credential": {"id": client["id"]}, "expires_in": 60, "ttl": 100, "access_token": "mine", "refresh_token": "r"});
    let made = admin.made("/oauth2_tokens", body).await;
    assert_eq!((&made["credential_id"], &made["service_id"]), (&client["id"], &Value::Null));
    assert_eq!(
        (&made["expires_at"], &made["ttl"], &made["token_type"]),
        (&json!(START + 60), &json!(100), &json!("bearer"))
    );
    assert!(made.get("family_id").is_none() && made.get("updated_at").is_none());
    admin.clock.advance_seconds(40);
    assert_eq!(admin.get("/oauth2_tokens/mine").await.body["ttl"], 60);
    let patched = admin.call("PATCH", "/oauth2_tokens/mine", json!({"scope": "a"})).await;
    assert_eq!((&patched.body["ttl"], &patched.body["scope"]), (&json!(60), &json!("a")));
    let again = admin.call("PUT", "/oauth2_tokens/mine", patched.body.clone()).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(again.body, patched.body);
    admin.clock.advance_seconds(61);
    assert_eq!(admin.get("/oauth2_tokens/mine").await.status, 404);
    assert_eq!(admin.call("DELETE", "/oauth2_tokens/mine", Value::Null).await.status, 204);
}

#[tokio::test]
async fn tokens_are_filtered_and_unknown_filters_refused() {
    let admin = admin().await;
    let client = with_client(&admin).await;
    let id = client["id"].as_str().unwrap();
    for user in ["a", "b"] {
        let body =
            json!({"credential": {"id": id}, "expires_in": 0, "authenticated_userid": user, "refresh_token": user});
        admin.made("/oauth2_tokens", body).await;
    }
    assert_eq!(admin.get(&format!("/oauth2_tokens?credential.id={id}")).await.body["total"], 2);
    assert_eq!(admin.get("/oauth2_tokens?authenticated_userid=a").await.body["total"], 1);
    assert_eq!(admin.get("/oauth2_tokens?refresh_token=b").await.body["data"][0]["authenticated_userid"], "b");
    assert_eq!(admin.get(&format!("/oauth2/{id}/oauth2_tokens")).await.body["total"], 2);
    let refused = admin.get("/oauth2_tokens?user=a").await;
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!(11)));
}

#[tokio::test]
async fn what_hangs_on_a_consumer_goes_with_it() {
    let admin = admin().await;
    let client = with_client(&admin).await;
    let body = json!({"credential": {"id": client["id"]}, "expires_in": 0, "access_token": "mine"});
    admin.made("/oauth2_tokens", body).await;
    assert_eq!(admin.call("DELETE", "/consumers/bob", Value::Null).await.status, 204);
    assert_eq!(admin.get("/oauth2_tokens/mine").await.status, 404);
    assert_eq!(admin.get("/oauth2").await.body, json!({"data": [], "next": null, "total": 0}));
}
