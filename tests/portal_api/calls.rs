//! `/applications/{a}/analytics`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stage::{NOBODY, Stage, below};

const PATIENCE: Duration = Duration::from_secs(30);

fn sum(told: &Value, field: &str) -> u64 {
    told["data"].as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn calls_are_told_in_steps_without_gaps() {
    let stage = Stage::open();
    let (ana, service) = (stage.developer("ana@b.test").await, stage.gated("orders", json!({})).await);
    stage.plugin("orders", "key-auth", json!({})).await;
    let shop = ana.application("Shop").await;
    let key = shop["credential"]["client_id"].as_str().unwrap();
    assert_eq!(stage.key_call("orders", key).await, 403);
    let contract = ana.contract(&shop, &service).await;
    stage.decide(&shop, &contract, json!({ "status": 0 })).await;
    for _ in 0..2 {
        assert_eq!(stage.key_call("orders", key).await, 200);
    }
    let path = below(&shop, "analytics");
    let begun = Instant::now();
    let told = loop {
        let told = ana.get(&path).await.is(200);
        if sum(&told, "admitted") + sum(&told, "refused") >= 3 {
            break told;
        }
        assert!(begun.elapsed() < PATIENCE, "{told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((sum(&told, "admitted"), sum(&told, "refused")), (2, 1));
    assert_eq!((&told["interval"], &told["start_ts"]), (&json!("hour"), &told["data"][0]["at"]));
    let now = told["data"][23]["at"].as_i64().unwrap();
    for (interval, width, steps) in [("minute", 60, 60), ("hour", 3600, 24), ("day", 86_400, 30)] {
        let told = ana.get(&format!("{path}?interval={interval}")).await.is(200);
        assert_eq!((sum(&told, "admitted"), &told["interval"]), (2, &json!(interval)));
        let rows = told["data"].as_array().unwrap();
        let at: Vec<i64> = rows.iter().map(|row| row["at"].as_i64().unwrap()).collect();
        assert_eq!(at.len(), steps);
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] == width) && at[0] % width == 0, "{at:?}");
    }
    let at_service = async |service: &str| ana.get(&format!("{path}?service.id={service}")).await.is(200);
    assert_eq!((sum(&at_service(&service).await, "admitted"), sum(&at_service(NOBODY).await, "admitted")), (2, 0));
    let since = ana.get(&format!("{path}?interval=hour&start_ts={}", now - 7200)).await.is(200);
    assert_eq!(since["start_ts"], now - 7200);
    for (interval, most) in [("minute", 2880), ("hour", 2160), ("day", 90)] {
        let all = ana.get(&format!("{path}?interval={interval}&start_ts=0")).await.is(200);
        assert_eq!(all["data"].as_array().unwrap().len(), most, "{interval}");
    }
    let other = ana.application("Other").await;
    assert_eq!(sum(&ana.get(&below(&other, "analytics")).await.is(200), "admitted"), 0);
}

#[tokio::test]
async fn a_question_that_does_not_read_is_refused() {
    let stage = Stage::open();
    let ana = stage.developer("ana@b.test").await;
    let path = below(&ana.application("Shop").await, "analytics");
    for interval in ["second", "MINUTE", "%00"] {
        ana.get(&format!("{path}?interval={interval}")).await.must_be_wrong_option("interval");
    }
    for start in ["x", "-1", "9223372036854775807", "9223372036854775808", "1.5"] {
        ana.get(&format!("{path}?start_ts={start}")).await.must_be_wrong_option("start_ts");
    }
    ana.get(&format!("{path}?service.id=orders")).await.must_be_wrong_option("service.id");
}
