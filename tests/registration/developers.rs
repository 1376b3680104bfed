//! Developers and their roles.

use serde_json::{Value, json};

use crate::desk::{Desk, NOBODY, id};

#[tokio::test]
async fn a_developer_is_made_with_a_consumer_and_answered_bare() {
    let desk = Desk::open();
    let given = "0191c5a4-1111-7000-8000-000000000001";
    let body = json!({ "email": "Bob@Example.com", "meta": "{\"full_name\":\"Bob\"}", "password": "a long password",
        "id": given, "custom_id": "crm-7" });
    let (status, developer) = desk.post("/developers", body).await;
    assert_eq!(status, 200, "{developer}");
    assert_eq!(id(&developer), given, "the id is the developer's");
    assert_eq!((&developer["email"], &developer["status"]), (&json!("bob@example.com"), &json!(1)));
    assert_eq!(developer["meta"], "{\"full_name\":\"Bob\"}");
    let text = developer.to_string();
    assert!(!text.contains("password") && !text.contains("argon2"), "{text}");
    let (status, consumer) = desk.get(&format!("/developers/{given}/consumer")).await;
    assert_eq!((status, &consumer["username"]), (200, &json!(format!("developer_{given}"))));
    assert_eq!(consumer["id"], developer["consumer"]["id"]);
    for key in [given, "bob@example.com", "BOB@example.COM"] {
        assert_eq!(desk.get(&format!("/developers/{key}")).await, (200, developer.clone()), "{key}");
    }
}

#[tokio::test]
async fn all_that_is_wrong_with_a_developer_is_told_at_once() {
    let desk = Desk::open();
    let body = json!({ "email": "nobody", "password": "short", "status": 4, "meta": "x", "roles": ["wizard"],
        "consumer": { "id": NOBODY }, "wat": 1 });
    let faults = desk.faults("/developers", body).await;
    assert_eq!(faults["email"], "invalid email 'nobody'");
    assert_eq!(faults["password"], "length must be at least 8");
    assert_eq!(faults["status"], "expected one of: 0, 1, 2, 3, 5");
    assert_eq!(faults["meta"], "expected a JSON object in a string");
    assert_eq!((&faults["consumer"], &faults["wat"]), (&json!("cannot be set"), &json!("unknown field")));
    assert_eq!(desk.faults("/developers", json!({})).await, json!({ "email": "required field missing" }));
    let roles = desk.faults("/developers", json!({ "email": "a@b.c", "roles": ["wizard"] })).await;
    assert_eq!(roles, json!({ "roles": ["no role is called 'wizard'"] }));
    assert_eq!(desk.get("/consumers").await.1["total"], 0, "nothing is left behind");
}

#[tokio::test]
async fn addresses_and_custom_ids_are_taken_once() {
    let desk = Desk::open();
    desk.developer("a@b.c").await;
    let (status, refusal) = desk.post("/developers", json!({ "email": "A@B.c" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "email": "a@b.c" })));
    assert_eq!((&refusal["code"], &refusal["name"]), (&json!(5), &json!("unique constraint violation")));
    let made = desk.post("/developers", json!({ "email": "b@b.c", "custom_id": "x" })).await.1;
    let (status, refusal) = desk.post("/developers", json!({ "email": "c@b.c", "custom_id": "x" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "custom_id": "x" })));
    let (status, refusal) = desk.post("/developers", json!({ "email": "d@b.c", "id": id(&made) })).await;
    assert_eq!((status, &refusal["name"]), (400, &json!("primary key violation")), "{refusal}");
    let (status, _) = desk.patch(&format!("/developers/{}", id(&made)), json!({ "email": "a@b.c" })).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn a_change_is_answered_wrapped_and_takes_words_for_statuses() {
    let desk = Desk::open();
    let path = format!("/developers/{}", id(&desk.developer("a@b.c").await));
    for (said, code) in [
        (json!("revoked"), 3),
        (json!(0), 0),
        (json!("Pending"), 1),
        (json!("rejected"), 2),
        (json!("UNVERIFIED"), 5),
        (json!("approved"), 0),
    ] {
        let (status, answer) = desk.patch(&path, json!({ "status": said })).await;
        assert_eq!((status, &answer["developer"]["status"]), (200, &json!(code)), "{answer}");
        assert_eq!(answer.as_object().unwrap().len(), 1);
    }
    for unknown in [json!(4), json!(6), json!(-1), json!("wat"), json!(true)] {
        let (status, refusal) = desk.patch(&path, json!({ "status": unknown })).await;
        assert_eq!((status, &refusal["code"]), (400, &json!(2)), "{unknown}: {refusal}");
    }
    let (status, answer) = desk.patch(&path, json!({ "meta": "{}", "email": "new@b.c", "custom_id": "7" })).await;
    assert_eq!((status, &answer["developer"]["email"]), (200, &json!("new@b.c")));
    for (field, text) in [
        ("wat", "unknown field"),
        ("consumer", "immutable field cannot be updated"),
        ("id", "immutable field cannot be updated"),
        ("created_at", "immutable field cannot be updated"),
        ("password", "unknown field"),
        ("password_hash", "unknown field"),
    ] {
        let (status, refusal) = desk.patch(&path, json!({ field: "a password" })).await;
        assert_eq!((status, &refusal["fields"][field]), (400, &json!(text)), "{refusal}");
    }
    assert_eq!(desk.patch(&format!("/developers/{NOBODY}"), json!({})).await.0, 404);
    assert_eq!(desk.get("/developers/nobody@b.c").await, (404, json!({ "message": "Not found" })));
    assert_eq!(desk.put(&path, json!({ "email": "x@b.c" })).await.0, 405, "PUT is not offered");
}

#[tokio::test]
async fn a_body_can_be_judged_without_being_stored() {
    let desk = Desk::open();
    let judged = async |entity: &str, body: Value| desk.post(&format!("/schemas/{entity}/validate"), body).await;
    assert_eq!(judged("developers", json!({ "email": "a@b.c" })).await.0, 200, "the consumer is ours to make");
    let application = json!({ "name": "app", "redirect_uri": "https://app.test/", "developer": { "id": NOBODY } });
    assert_eq!(judged("applications", application).await.0, 200);
    let (status, refusal) = judged("developers", json!({ "email": "x", "consumer": { "id": NOBODY } })).await;
    let faults = json!({ "email": "invalid email 'x'", "consumer": "cannot be set" });
    assert_eq!((status, &refusal["fields"]), (400, &faults));
    assert_eq!(desk.get("/developers").await.1["total"], 0);
}

#[tokio::test]
async fn forms_say_the_same_as_json() {
    let desk = Desk::open();
    let form = "email=a@b.c&meta.full_name=Bob&status=approved&password=a+long+password";
    let (status, developer) = desk.form("POST", "/developers", form).await;
    assert_eq!((status, &developer["status"]), (200, &json!(0)), "{developer}");
    assert_eq!(developer["meta"], "{\"full_name\":\"Bob\"}");
    let (status, changed) = desk.form("PATCH", "/developers/a@b.c", "status=3").await;
    assert_eq!((status, &changed["developer"]["status"]), (200, &json!(3)));
    let path = "/developers/a@b.c/applications";
    let (status, application) = desk.form("POST", path, "name=app&redirect_uri=https://app.test/cb").await;
    assert_eq!(status, 201, "{application}");
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nother\r\n--x\r\n\
        Content-Disposition: form-data; name=\"redirect_uri\"\r\n\r\nhttps://app.test/cb\r\n--x--\r\n";
    let (status, other) = desk.send_as("POST", path, "multipart/form-data; boundary=x", multipart).await;
    assert_eq!((status, &other["name"]), (201, &json!("other")));
}

/// The addresses of a list.
async fn listed(desk: &Desk, query: &str) -> Vec<String> {
    let (status, page) = desk.get(&format!("/developers?{query}")).await;
    assert_eq!(status, 200, "{query}: {page}");
    let emails = page["data"].as_array().unwrap().iter().map(|row| row["email"].as_str().unwrap().to_owned());
    emails.collect()
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let desk = Desk::open();
    desk.made("/developers/roles", json!({ "name": "beta" })).await;
    for (email, more) in [
        ("c@b.c", json!({ "status": "approved", "roles": ["beta"] })),
        ("a@b.c", json!({ "custom_id": "7" })),
        ("ж@b.c", json!({ "status": 3, "roles": ["beta"] })),
        ("b@b.c", json!({ "status": 5 })),
    ] {
        let mut body = more;
        body["email"] = json!(email);
        assert_eq!(desk.post("/developers", body).await.0, 200);
    }
    assert_eq!(listed(&desk, "").await, ["c@b.c", "a@b.c", "ж@b.c", "b@b.c"]);
    assert_eq!(listed(&desk, "sort_desc=true").await, ["b@b.c", "ж@b.c", "a@b.c", "c@b.c"]);
    assert_eq!(listed(&desk, "sort_by=email").await, ["a@b.c", "b@b.c", "c@b.c", "ж@b.c"]);
    assert_eq!(listed(&desk, "sort_by=email&sort_desc=true").await, ["ж@b.c", "c@b.c", "b@b.c", "a@b.c"]);
    for (query, wanted) in [
        ("status=0", "c@b.c"),
        ("status=Revoked", "ж@b.c"),
        ("status=unverified", "b@b.c"),
        ("status=pending", "a@b.c"),
        ("email=A@b.c", "a@b.c"),
        ("custom_id=7", "a@b.c"),
        ("role=beta&status=3", "ж@b.c"),
    ] {
        assert_eq!(listed(&desk, query).await, [wanted], "{query}");
    }
    assert_eq!(listed(&desk, "role=beta").await.len(), 2);
    assert!(listed(&desk, "role=bet").await.is_empty());
    for bad in ["status=4", "status=wat", "sort_by=meta", "sort_desc=maybe", "size=0", "offset=x"] {
        assert_eq!(desk.get(&format!("/developers?{bad}")).await.0, 400, "{bad}");
    }
    for order in ["sort_by=email", "sort_by=email&sort_desc=1", "sort_desc=1", ""] {
        let whole = listed(&desk, order).await;
        let mut next = json!(format!("/developers?size=1&{order}"));
        let mut seen = Vec::new();
        while let Some(path) = next.as_str() {
            let (status, page) = desk.get(path).await;
            assert_eq!((status, &page["total"]), (200, &json!(4)), "{path}: {page}");
            seen.push(page["data"][0]["email"].as_str().unwrap().to_owned());
            next = page["next"].clone();
        }
        assert_eq!(seen, whole, "{order}");
    }
}

#[tokio::test]
async fn roles_are_named_and_their_names_follow() {
    let desk = Desk::open();
    let role = desk.made("/developers/roles", json!({ "name": "beta", "comment": "early" })).await;
    desk.made("/developers/roles", json!({ "name": "gold" })).await;
    let (status, refusal) = desk.post("/developers/roles", json!({ "name": "beta" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "name": "beta" })));
    assert_eq!(desk.get("/developers/roles").await.1["total"], 2);
    assert_eq!(desk.get("/developers/roles/beta").await, (200, role.clone()));
    let body = json!({ "email": "a@b.c", "roles": ["beta", "gold"] });
    assert_eq!(desk.post("/developers", body).await.0, 200);
    let other = json!({ "email": "b@b.c", "roles": ["gold"] });
    assert_eq!(desk.post("/developers", other).await.0, 200);
    let roles = async |email: &str| desk.get(&format!("/developers/{email}")).await.1["roles"].clone();
    let (status, renamed) = desk.patch("/developers/roles/beta", json!({ "name": "alpha" })).await;
    assert_eq!((status, &renamed["name"], &renamed["comment"]), (200, &json!("alpha"), &json!("early")));
    assert_eq!(roles("a@b.c").await, json!(["alpha", "gold"]));
    assert_eq!(desk.patch("/developers/roles/alpha", json!({ "name": "gold" })).await.0, 409);
    let commented = desk.patch(&format!("/developers/roles/{}", id(&role)), json!({ "comment": null })).await;
    assert_eq!((commented.0, &commented.1["comment"]), (200, &Value::Null));
    assert_eq!(desk.delete("/developers/roles/gold").await.0, 204);
    assert_eq!((roles("a@b.c").await, roles("b@b.c").await), (json!(["alpha"]), Value::Null));
    assert_eq!(desk.get("/developers/roles/gold").await.0, 404);
    assert_eq!(desk.patch("/developers/roles/gold", json!({})).await.0, 404);
    assert_eq!(desk.put("/developers/roles/alpha", json!({ "name": "x" })).await.0, 405);
}

#[tokio::test]
async fn what_hangs_on_a_developer_hangs_on_the_consumer() {
    let desk = Desk::open();
    let body = json!({ "email": "a@b.c", "key": "an-api-key" });
    let (_, developer) = desk.post("/developers", body).await;
    let consumer = developer["consumer"]["id"].as_str().unwrap();
    let (status, keys) = desk.get("/developers/a@b.c/credentials/key-auth").await;
    assert_eq!((status, &keys["data"][0]["key"]), (200, &json!("an-api-key")));
    let (status, refusal) = desk.post("/developers", json!({ "email": "b@b.c", "key": "an-api-key" })).await;
    assert_eq!((status, &refusal["fields"]), (409, &json!({ "key": "an-api-key" })));
    assert_eq!(desk.get("/developers/b@b.c").await.0, 404, "nothing of it was stored");
    for (kind, body) in [("oauth2", json!({ "name": "x" })), ("key-auth", json!({})), ("jwt", json!({}))] {
        let path = format!("/developers/a@b.c/credentials/{kind}");
        let credential = desk.made(&path, body).await;
        assert_eq!(credential["consumer"]["id"], consumer);
        let one = format!("{path}/{}", id(&credential));
        assert_eq!(desk.get(&one).await, (200, credential.clone()));
        assert_eq!(desk.patch(&one, json!({ "tags": ["x"] })).await.1["tags"], json!(["x"]), "{one}");
        assert_eq!(desk.delete(&one).await.0, 204);
        assert_eq!(desk.delete(&one).await.0, 404, "below a parent");
        assert_eq!(desk.put(&one, json!({})).await.0, 405);
    }
    assert_eq!(desk.get("/developers/a@b.c/credentials/basic-auth").await.0, 404);
    assert_eq!(desk.get("/developers/nobody@b.c/credentials/jwt").await.0, 404);
}
