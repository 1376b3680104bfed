//! Tokens that were brought from elsewhere.

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::json;

use crate::caller::{Caller, Seen};
use crate::stage::{On, Stage};

const TOKENS: usize = 5_000;

/// More than the filter was made for would take 20 000 of them; `cache::custom_tokens` tests the rebuild itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_5_000_imported_tokens_works_on_the_call_after_its_import() {
    let stage = Stage::set(On::Sqlite).await;
    let (stage, body) = (&stage, &stage.import("").await);
    let crowd = (0..16).map(|caller| async move {
        let mut caller_of = Caller::connect(stage.proxy()).await;
        for number in (caller..TOKENS).step_by(16) {
            let token = format!("imported-{number}");
            assert_eq!(caller_of.get("/api", &token).await, Seen::refused());
            let mut body = body.clone();
            body["access_token"] = json!(token);
            stage.made("/oauth2_tokens", body).await;
            assert_eq!(caller_of.get("/api", &token).await, Seen::passed("one", "shop"), "{token}");
        }
    });
    iter(crowd).buffer_unordered(16).collect::<Vec<()>>().await;
    let mut caller = Caller::connect(stage.proxy()).await;
    for number in 0..TOKENS {
        let token = format!("imported-{number}");
        assert_eq!(caller.get("/api", &token).await, Seen::passed("one", "shop"), "{token}");
    }
}
