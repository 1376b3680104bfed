//! Many at once: one wins, and nothing is left in between.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::desk::{Desk, id};
use crate::people::CALLBACK;

/// The statuses of answers, sorted.
fn statuses(answers: &[(u16, Value)]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    statuses
}

/// One 201, and 409 for the others.
fn one_of(crowd: usize) -> Vec<u16> {
    [vec![201], vec![409; crowd - 1]].concat()
}

const CROWD: usize = 8;

#[tokio::test]
async fn of_many_who_make_the_same_one_does() {
    let desk = Desk::open();
    let service = desk.gated("orders", false).await;
    let developer = desk.developer("a@b.c").await;
    let application = desk.application(&developer, "app").await;
    let body = json!({ "service": { "id": id(&service) } });
    let path = format!("/applications/{}/application_instances", id(&application));
    let answers = join_all((0..CROWD).map(|_| desk.post(&path, body.clone()))).await;
    assert_eq!(statuses(&answers), one_of(CROWD));
    assert_eq!(desk.total(&path).await, 1);
    let body = json!({ "name": "twice", "redirect_uri": CALLBACK, "developer": { "id": id(&developer) } });
    let answers = join_all((0..CROWD).map(|_| desk.post("/applications", body.clone()))).await;
    assert_eq!(statuses(&answers), one_of(CROWD));
    assert_eq!((desk.total("/applications").await, desk.total("/oauth2").await), (2, 2), "nothing is left behind");
    let answers = join_all((0..CROWD).map(|_| desk.post("/developers", json!({ "email": "b@b.c" })))).await;
    assert_eq!(statuses(&answers), [vec![200], vec![409; CROWD - 1]].concat());
}

#[tokio::test]
async fn secrets_stay_within_their_number() {
    let desk = Desk::open();
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let credential = desk.credential(&application).await;
    let path = format!("/applications/{}/credentials/oauth2/{}/secrets", id(&application), id(&credential));
    let answers = join_all((0..CROWD).map(|_| desk.post(&path, json!({})))).await;
    assert_eq!(statuses(&answers), [vec![201; 4], vec![409; CROWD - 4]].concat());
    let mut secrets: Vec<String> =
        desk.get(&path).await.1["data"].as_array().unwrap().iter().map(|row| id(row).to_owned()).collect();
    assert_eq!(secrets.len(), 5);
    let gone = join_all(secrets.drain(..).map(|secret| desk.delete_owned(format!("{path}/{secret}")))).await;
    assert_eq!(statuses(&gone), [204, 204, 204, 204, 409], "the last one stays");
}

#[tokio::test]
async fn revoking_and_approving_at_once_end_in_one_of_both_and_no_token_survives() {
    let desk = Desk::open();
    let service = desk.gated("orders", true).await;
    let application = desk.application(&desk.developer("a@b.c").await, "app").await;
    let contract = desk.contract(&application, &service).await;
    let path = format!("/services/orders/application_instances/{}", id(&contract));
    for _ in 0..5 {
        let before = desk.token(&application, "orders").await;
        assert_eq!(desk.call("orders", &before).await, 200);
        let moves = join_all([3, 0, 3, 0].map(|status| desk.patch(&path, json!({ "status": status }))));
        let tokens = join_all((0..4).map(|_| desk.ask_token(&application, "orders")));
        let (moves, tokens) = tokio::join!(moves, tokens);
        assert_eq!(statuses(&moves), [200; 4]);
        for (status, answer) in &tokens {
            let refused = (400, &json!("unauthorized_client"));
            assert!(*status == 200 || (*status, &answer["error"]) == refused, "{status} {answer}");
        }
        let is_open = desk.get(&path).await.1["status"] == 0;
        assert_eq!(desk.call("orders", &before).await, 401, "the first move ended it");
        assert_eq!(desk.ask_token(&application, "orders").await.0, if is_open { 200 } else { 400 });
        assert_eq!(desk.patch(&path, json!({ "status": 3 })).await.0, 200);
        let issued = tokens.iter().filter_map(|(_, answer)| answer["access_token"].as_str());
        let issued: Vec<&str> = issued.chain([before.as_str()]).collect();
        for token in &issued {
            assert!([401, 403].contains(&desk.call("orders", token).await), "revoked");
        }
        assert_eq!(desk.patch(&path, json!({ "status": 0 })).await.0, 200);
        for token in &issued {
            assert_eq!(desk.call("orders", token).await, 401, "approved anew, and still not good");
        }
        assert_eq!(desk.total("/oauth2_tokens").await, 0);
    }
}

#[tokio::test]
async fn two_changes_at_once_keep_both() {
    let desk = Desk::open();
    let service = desk.gated("orders", false).await;
    let developer = desk.developer("a@b.c").await;
    let application = desk.application(&developer, "app").await;
    let contract = desk.contract(&application, &service).await;
    let contract = format!("/services/orders/application_instances/{}", id(&contract));
    let (developer, application) = ("/developers/a@b.c", format!("/applications/{}", id(&application)));
    for trial in 0..10 {
        let text = format!("text {trial}");
        let (status, note, meta, role) = tokio::join!(
            desk.patch(&contract, json!({ "status": trial % 4 })),
            desk.patch(&contract, json!({ "note": text })),
            desk.patch(developer, json!({ "custom_id": text })),
            desk.patch(developer, json!({ "meta": format!("{{\"trial\":{trial}}}") })),
        );
        assert_eq!(statuses(&[status, note, meta, role]), [200; 4]);
        let (name, description) = tokio::join!(
            desk.patch(&application, json!({ "name": text })),
            desk.patch(&application, json!({ "description": text })),
        );
        assert_eq!(statuses(&[name, description]), [200; 2]);
        let kept = desk.get(&contract).await.1;
        assert_eq!((&kept["status"], &kept["note"]), (&json!(trial % 4), &json!(text)));
        let kept = desk.get(developer).await.1;
        assert_eq!((&kept["custom_id"], &kept["meta"]), (&json!(text), &json!(format!("{{\"trial\":{trial}}}"))));
        let kept = desk.get(&application).await.1;
        assert_eq!((&kept["name"], &kept["description"]), (&json!(text), &json!(text)));
    }
}

#[tokio::test]
async fn no_consumer_is_left_of_a_developer_who_is_deleted_meanwhile() {
    let desk = Desk::open();
    for trial in 0..5 {
        let email = format!("{trial}@b.c");
        let developer = desk.developer(&email).await;
        let path = format!("/developers/{}/applications", id(&developer));
        let body = |nth: usize| json!({ "name": format!("app {nth}"), "redirect_uri": CALLBACK });
        let makes = join_all((0..CROWD).map(|nth| desk.post(&path, body(nth))));
        let (made, gone) = tokio::join!(makes, desk.delete_owned(format!("/developers/{email}")));
        assert_eq!(gone.0, 204);
        for (status, answer) in &made {
            assert!([201, 400, 404].contains(status), "{status} {answer}");
            if let Some(consumer) = answer["consumer"]["id"].as_str() {
                assert_eq!(desk.get(&format!("/consumers/{consumer}")).await.0, 404, "{answer}");
            }
        }
        assert_eq!((desk.total("/applications").await, desk.total("/oauth2").await), (0, 0));
    }
}
