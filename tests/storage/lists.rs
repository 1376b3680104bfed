//! Pages, filters, counts, tags.

use serde_json::{Value, json};
use tollgate::storage::{ListQuery, StorageError, TagFilter, Tagged};

use crate::bench::Bench;
use crate::fixtures::{id, reference};

crate::conformance!(
    pages_are_complete_and_in_order,
    filters_narrow_a_list,
    filters_that_cannot_be_are_refused,
    tags_narrow_a_list,
    tags_are_listed_in_pages,
    a_count_stops_at_its_limit,
);

fn sized(size: usize) -> ListQuery {
    ListQuery { size, ..ListQuery::default() }
}

fn filtered(field: &str, value: Value) -> ListQuery {
    ListQuery { filters: vec![(field.to_owned(), value)], ..sized(100) }
}

async fn pages_are_complete_and_in_order(bench: &Bench) {
    let schema = bench.schema("consumers");
    let mut wanted = Vec::new();
    for number in 0..21 {
        wanted.push(id(&bench.consumer(&format!("c{number}")).await));
    }
    wanted.sort();
    for size in [1, 7, 20, 21, 100] {
        let mut seen = Vec::new();
        let mut query = sized(size);
        loop {
            let page = bench.store.list(schema, &query).await.unwrap();
            assert!(page.data.len() <= size);
            seen.extend(page.data.iter().map(id));
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(seen, wanted, "size {size}");
    }
}

async fn filters_narrow_a_list(bench: &Bench) {
    let (service, other) = (bench.service("a").await, bench.service("b").await);
    let with = bench.stored("routes", json!({ "service": reference(&service), "name": "with" })).await;
    let without = bench.stored("routes", json!({ "strip_path": false })).await;
    let schema = bench.schema("routes");
    let cases = [
        ("service", reference(&service), vec![&with]),
        ("service.id", service["id"].clone(), vec![&with]),
        ("service", reference(&other), vec![]),
        ("service", Value::Null, vec![&without]),
        ("service.id", json!("not a uuid"), vec![]),
        ("strip_path", json!("false"), vec![&without]),
        ("regex_priority", json!("0"), vec![&with, &without]),
        ("name", json!("with"), vec![&with]),
        ("name", json!("wi%"), vec![]),
        ("name", json!("\u{0}"), vec![]),
    ];
    for (field, value, wanted) in cases {
        let found = bench.store.list(schema, &filtered(field, value.clone())).await.unwrap().data;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{field} = {value}");
    }
    let credential = bench.credential("c").await;
    let given =
        json!({ "credential": reference(&credential), "expires_in": 0, "access_token": "t", "refresh_token": "r" });
    let token = bench.stored("oauth2_tokens", given).await;
    let tokens = bench.schema("oauth2_tokens");
    assert_eq!(bench.store.list(tokens, &filtered("refresh_token", json!("r"))).await.unwrap().data, [token]);
    assert_eq!(bench.store.list(tokens, &filtered("refresh_token", json!("x"))).await.unwrap().data, []);
}

async fn filters_that_cannot_be_are_refused(bench: &Bench) {
    for (name, field) in [
        ("services", "nonsense"),
        ("services", "name.id"),
        ("routes", "paths"),
        ("oauth2_credentials", "client_secret"),
        ("services", "1=1 OR name"),
    ] {
        let outcome = bench.store.list(bench.schema(name), &filtered(field, json!("x"))).await;
        assert_eq!(outcome, Err(StorageError::UnknownField { table: name.into(), field: field.into() }));
    }
}

async fn tags_narrow_a_list(bench: &Bench) {
    let schema = bench.schema("consumers");
    let odd = "o'dd \"$1\"";
    let tagged = |name: &str, tags: Value| json!({ "username": name, "tags": tags });
    let both = bench.stored("consumers", tagged("both", json!(["a", "b", odd]))).await;
    let one = bench.stored("consumers", tagged("one", json!(["a"]))).await;
    bench.stored("consumers", tagged("none", Value::Null)).await;
    bench.stored("consumers", tagged("empty", json!([]))).await;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let cases = [
        (TagFilter::All(words(&["a"])), vec![&both, &one]),
        (TagFilter::All(words(&["a", "b"])), vec![&both]),
        (TagFilter::All(words(&["a", "c"])), vec![]),
        (TagFilter::Any(words(&["b", "c"])), vec![&both]),
        (TagFilter::Any(words(&["a", "b"])), vec![&both, &one]),
        (TagFilter::Any(words(&[odd])), vec![&both]),
    ];
    for (tags, wanted) in cases {
        let query = ListQuery { tags: tags.clone(), ..sized(100) };
        let found = bench.store.list(schema, &query).await.unwrap().data;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{tags:?}");
        assert_eq!(bench.store.count(schema, &query, 10).await, Ok(wanted.len() as u64));
    }
    let untagged = ListQuery { tags: TagFilter::All(words(&["a"])), ..sized(100) };
    assert!(bench.store.list(bench.schema("oauth2_tokens"), &untagged).await.is_err());
}

async fn tags_are_listed_in_pages(bench: &Bench) {
    let consumer = bench.stored("consumers", json!({ "username": "c", "tags": ["a", "b"] })).await;
    let service = bench.stored("services", json!({ "host": "h", "tags": ["a"] })).await;
    let row = |entity: &str, id, tag: &str| Tagged { entity: entity.into(), id, tag: tag.into() };
    let (c, s) = (id(&consumer), id(&service));
    let wanted = [row("consumers", c, "a"), row("consumers", c, "b"), row("services", s, "a")];
    let schemas = bench.schemas();
    assert_eq!(bench.store.list_tags(&schemas, None, None, 100).await.unwrap(), wanted);
    let mut seen: Vec<Tagged> = Vec::new();
    loop {
        let page = bench.store.list_tags(&schemas, None, seen.last(), 1).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, wanted);
    let only = bench.store.list_tags(&schemas, Some("a"), None, 100).await.unwrap();
    assert_eq!(only, [wanted[0].clone(), wanted[2].clone()]);
    assert_eq!(bench.store.list_tags(&schemas, Some("\u{0}"), None, 100).await, Ok(vec![]));
}

async fn a_count_stops_at_its_limit(bench: &Bench) {
    let schema = bench.schema("consumers");
    for number in 0..5 {
        bench.consumer(&format!("c{number}")).await;
    }
    for (limit, wanted) in [(10, 5), (5, 5), (4, 5), (2, 3)] {
        assert_eq!(bench.store.count(schema, &ListQuery::default(), limit).await, Ok(wanted), "limit {limit}");
    }
}
