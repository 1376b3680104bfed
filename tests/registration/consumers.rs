//! The hidden consumers of developers and applications.

use serde_json::json;

use crate::desk::{Desk, id};

#[tokio::test]
async fn consumers_that_stand_for_somebody_are_not_listed() {
    let desk = Desk::open();
    let developer = desk.developer("a@b.c").await;
    let application = desk.application(&developer, "app").await;
    for nth in 0..3 {
        desk.made("/consumers", json!({ "username": format!("party-{nth}"), "tags": ["t"] })).await;
    }
    let mut next = json!("/consumers?size=2");
    let mut seen = Vec::new();
    while let Some(path) = next.as_str() {
        let (_, page) = desk.get(path).await;
        assert_eq!(page["total"], 3);
        let names = page["data"].as_array().unwrap().iter().map(|row| row["username"].as_str().unwrap().to_owned());
        seen.extend(names);
        next = page["next"].clone();
    }
    assert_eq!(seen, ["party-0", "party-1", "party-2"]);
    let hidden = format!("application_{}", id(&application));
    assert_eq!(desk.get(&format!("/consumers?username={hidden}")).await.1["total"], 0);
    assert_eq!(desk.get("/consumers?tags=t").await.1["total"], 3);
    assert_eq!(desk.get(&format!("/consumers/{hidden}")).await.0, 200, "found by its name");
    let by_id = format!("/consumers/{}", application["consumer"]["id"].as_str().unwrap());
    let (status, consumer) = desk.get(&by_id).await;
    assert_eq!((status, consumer.get("type")), (200, None), "and by its id");
}

#[tokio::test]
async fn a_consumer_that_stands_for_somebody_changes_with_them_only() {
    let desk = Desk::open();
    let developer = desk.developer("a@b.c").await;
    let application = desk.application(&developer, "app").await;
    for (owner, kind) in [(&developer, "developer"), (&application, "application")] {
        let by_id = format!("/consumers/{}", owner["consumer"]["id"].as_str().unwrap());
        let by_name = format!("/consumers/{kind}_{}", id(owner));
        let text = format!("this consumer stands for {kind} {0} and changes with it: use /{kind}s/{0}", id(owner));
        for path in [&by_id, &by_name] {
            for method in ["PUT", "PATCH", "DELETE"] {
                let (status, refusal) = desk.send(method, path, json!({ "username": "mine" })).await;
                assert_eq!((status, &refusal["fields"]["@entity"]), (400, &json!([text])), "{method} {path}");
            }
        }
        assert_eq!(desk.get(&by_id).await.1["username"], format!("{kind}_{}", id(owner)));
    }
    let credential = desk.credential(&application).await;
    let through = format!("/oauth2/{}/consumer", id(&credential));
    assert_eq!(desk.patch(&through, json!({ "custom_id": "x" })).await.0, 400, "nor through what hangs on it");
}
