use serde_json::json;

use super::{compile, find, routes, winner};
use crate::message::Headers;
use crate::router::{Ask, Match, Router};

#[test]
fn more_categories_win_over_finer_paths() {
    let entities = [json!({"paths": ["/a/b/c"]}), json!({"paths": ["/a"], "methods": ["GET"]})];
    assert_eq!(winner(&entities, "GET x/a/b/c"), Some(1));
    assert_eq!(winner(&entities, "POST x/a/b/c"), Some(0));
}

#[test]
fn hosts_win_over_headers_over_paths_over_methods() {
    let entities = [
        json!({"methods": ["GET"]}),
        json!({"paths": ["/"]}),
        json!({"headers": {"v": ["1"]}}),
        json!({"hosts": ["x"]}),
    ];
    let router = compile(&entities);
    assert_eq!(find(&router, "GET x/", &[("V", "1")]).unwrap().route, 3);
    assert_eq!(find(&router, "GET y/", &[("V", "1")]).unwrap().route, 2);
    assert_eq!(find(&router, "GET y/", &[]).unwrap().route, 1);
}

#[test]
fn plain_hosts_win_over_wildcards() {
    let entities = [json!({"hosts": ["*.x.org"]}), json!({"hosts": ["a.x.org"]}), json!({"hosts": ["a.*"]})];
    assert_eq!(winner(&entities, "GET a.x.org/"), Some(1));
    assert_eq!(winner(&entities, "GET b.x.org/"), Some(0));
    assert_eq!(winner(&entities, "GET c.b.x.org/"), Some(0));
    assert_eq!(winner(&entities, "GET a.net/"), Some(2));
    assert_eq!(winner(&entities, "GET x.org/"), None);
    assert_eq!(winner(&entities, "GET A.X.ORG:8000/"), Some(1));
}

#[test]
fn a_port_in_a_host_must_be_met() {
    let entities = [
        json!({"hosts": ["x.org:81"]}),
        json!({"hosts": ["*.x.org:81"]}),
        json!({"hosts": ["*.x.org"]}),
        json!({"hosts": ["y:80"]}),
    ];
    assert_eq!(winner(&entities, "GET x.org:81/"), Some(0));
    assert_eq!(winner(&entities, "GET x.org/"), None);
    assert_eq!(winner(&entities, "GET a.x.org:81/"), Some(1));
    assert_eq!(winner(&entities, "GET a.x.org:82/"), Some(2));
    assert_eq!(winner(&entities, "GET y/"), Some(3), "80 is what http means");
}

#[test]
fn regexes_win_by_priority_then_prefixes_by_length() {
    let entities = [
        json!({"paths": ["/users/me/long"]}),
        json!({"paths": ["~/users/\\w+"], "regex_priority": 1}),
        json!({"paths": ["~/users/m."], "regex_priority": 5}),
        json!({"paths": ["/users/me"]}),
        json!({"paths": ["/"]}),
    ];
    assert_eq!(winner(&entities, "GET x/users/me/long"), Some(2));
    assert_eq!(winner(&entities, "GET x/users/you"), Some(1));
    assert_eq!(winner(&entities[3..], "GET x/users/me"), Some(0));
    assert_eq!(winner(&entities, "GET x/other"), Some(4));
}

#[test]
fn a_longer_prefix_of_another_method_does_not_hide_a_shorter_one() {
    let entities = [json!({"paths": ["/a/b"], "methods": ["POST"]}), json!({"paths": ["/a"], "methods": ["GET"]})];
    assert_eq!(winner(&entities, "GET x/a/b/c"), Some(1));
}

#[test]
fn prefixes_need_not_end_at_a_slash_and_of_several_the_longest_counts() {
    let router = compile(&[json!({"paths": ["/foo", "/foo/bar", "~/fo.*/x"]})]);
    assert_eq!(find(&router, "GET x/foobar", &[]), Some(Match { route: 0, matched: Some(4) }));
    assert_eq!(find(&router, "GET x/foo/bar/z", &[]), Some(Match { route: 0, matched: Some(8) }));
    assert_eq!(find(&router, "GET x/foo/bar/x", &[]), Some(Match { route: 0, matched: Some(10) }));
    assert_eq!(find(&router, "GET x/fo", &[]), None);
}

#[test]
fn more_headers_win_then_the_older_route() {
    let entities = [
        json!({"headers": {"a": ["1"]}}),
        json!({"headers": {"a": ["1", "2"], "b": ["~*^v\\d$"]}}),
        json!({"headers": {"a": ["1"]}}),
    ];
    let router = compile(&entities);
    assert_eq!(find(&router, "GET x/", &[("A", "1"), ("b", "V7")]).unwrap().route, 1);
    assert_eq!(find(&router, "GET x/", &[("A", "1"), ("b", "w")]).unwrap().route, 0);
    assert_eq!(find(&router, "GET x/", &[("a", "2"), ("b", "w")]), None);
}

#[test]
fn server_names_bind_only_calls_over_tls() {
    let (router, _) = Router::compile(&routes(&[json!({"snis": ["x.org"], "protocols": ["https"]})]));
    let headers = Headers::default();
    let ask = |secure, sni| Ask { method: b"GET", host: b"x.org", path: b"/", headers: &headers, secure, sni };
    assert!(router.find(&ask(true, Some("x.org"))).is_some());
    assert!(router.find(&ask(true, Some("y.org"))).is_none());
    assert!(router.find(&ask(true, None)).is_none());
    assert!(router.find(&ask(false, None)).is_some());
}

#[test]
fn a_path_is_matched_as_it_is_meant_not_as_it_is_spelled() {
    let entities = [json!({"paths": ["/a b/c"]})];
    assert_eq!(winner(&entities, "GET x/a%20b/./d/..//%63"), Some(0));
    assert_eq!(winner(&entities, "GET x/a%20b%2Fc"), None);
}

#[test]
fn a_pattern_that_does_not_compile_is_told_and_the_rest_works() {
    let (router, bad) = Router::compile(&routes(&[json!({"paths": ["~/(?=x)", "/ok"]})]));
    assert_eq!(bad.len(), 1);
    assert!(find(&router, "GET x/ok", &[]).is_some());
}

#[test]
fn the_index_agrees_with_a_scan_of_ten_thousand_routes() {
    let entities: Vec<_> = (0..10_000).map(|n| json!({"paths": [format!("/api/{}/v{}", n / 7, n % 7)]})).collect();
    let router = compile(&entities);
    for n in [0, 1, 77, 5_000, 9_999] {
        let found = find(&router, &format!("GET x/api/{}/v{}/rest", n / 7, n % 7), &[]).unwrap();
        assert_eq!(found.route, n);
    }
    assert_eq!(find(&router, "GET x/api/5000/v9", &[]), None);
}
