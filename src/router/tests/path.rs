use crate::router::{Joint, PathHandling, escape_into, join_into, normalize};

/// Kong's table: service path, route path, request path, and the outcome for v0 and v1, stripped.
const STRIPPED: &[(&str, &str, &str, &str, &str)] = &[
    ("/", "/", "/", "/", "/"),
    ("/", "/", "/foo/bar", "/foo/bar", "/foo/bar"),
    ("/", "/", "/foo/bar/", "/foo/bar/", "/foo/bar/"),
    ("/", "/foo/bar", "/foo/bar", "/", "/"),
    ("/", "/foo/bar", "/foo/bar/", "/", "/"),
    ("/", "/foo/bar/", "/foo/bar/", "/", "/"),
    ("/", "/foo/", "/foo/bar", "/bar", "/bar"),
    ("/", "/foo", "/foobar", "/bar", "/bar"),
    ("/get", "/", "/", "/get", "/get"),
    ("/get", "/", "/foo/bar", "/get/foo/bar", "/getfoo/bar"),
    ("/get", "/foo", "/foo/bar", "/get/bar", "/get/bar"),
    ("/get", "/foo/", "/foo/bar", "/get/bar", "/getbar"),
    ("/get", "/foo/bar", "/foo/bar", "/get", "/get"),
    ("/get", "/foo/bar", "/foo/bar/", "/get/", "/get/"),
    ("/get", "/foo/bar/", "/foo/bar/", "/get/", "/get"),
    ("/get/", "/", "/", "/get/", "/get/"),
    ("/get/", "/foo/bar", "/foo/bar", "/get", "/get/"),
    ("/get/", "/foo/bar", "/foo/bar/", "/get/", "/get/"),
    ("/get/", "/foo/bar/", "/foo/bar/", "/get/", "/get/"),
    ("/get/", "/foo", "/foobar", "/get/bar", "/get/bar"),
    ("/get/fixed", "/foo", "/foobar", "/get/fixed/bar", "/get/fixedbar"),
];

/// The same without stripping: service path, request path, v0, v1.
const KEPT: &[(&str, &str, &str, &str)] = &[
    ("/", "/", "/", "/"),
    ("/", "/foo/bar", "/foo/bar", "/foo/bar"),
    ("/", "/foo/bar/", "/foo/bar/", "/foo/bar/"),
    ("/get", "/", "/get", "/get"),
    ("/get", "/foo/bar", "/get/foo/bar", "/getfoo/bar"),
    ("/get", "/foo/bar/", "/get/foo/bar/", "/getfoo/bar/"),
    ("/get/", "/", "/get/", "/get/"),
    ("/get/", "/foo/bar", "/get/foo/bar", "/get/foo/bar"),
    ("/get/fixed", "/foo/bar", "/get/fixed/foo/bar", "/get/fixedfoo/bar"),
];

fn joined(handling: PathHandling, strip: bool, matched: Option<usize>, service: &str, path: &str) -> String {
    let mut out = Vec::new();
    join_into(&Joint { handling, strip, matched, service_path: service.as_bytes() }, path.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn paths_are_joined_by_both_tables() {
    for (service, route, path, v0, v1) in STRIPPED {
        let matched = Some(route.len());
        assert_eq!(joined(PathHandling::V0, true, matched, service, path), *v0, "v0 {service} {route} {path}");
        assert_eq!(joined(PathHandling::V1, true, matched, service, path), *v1, "v1 {service} {route} {path}");
    }
    for (service, path, v0, v1) in KEPT {
        assert_eq!(joined(PathHandling::V0, false, Some(1), service, path), *v0, "v0 {service} {path}");
        assert_eq!(joined(PathHandling::V1, false, Some(1), service, path), *v1, "v1 {service} {path}");
    }
}

#[test]
fn a_route_without_paths_keeps_the_whole_path() {
    assert_eq!(joined(PathHandling::V0, true, None, "/get", "/foo/bar"), "/get/foo/bar");
    assert_eq!(joined(PathHandling::V0, true, None, "", "/foo"), "/foo");
}

#[test]
fn paths_are_normalised() {
    for (path, normal) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("//a///b//", "/a/b/"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/%61", "/a"),
        ("/a%2fb", "/a%2Fb"),
        ("/%2e%2e/a", "/a"),
        ("/a/%2e%2e%2fb", "/a/..%2Fb"),
        ("/%zz", "/%zz"),
        ("/%", "/%"),
        ("/%25", "/%25"),
        ("/.a/..b/c.", "/.a/..b/c."),
    ] {
        assert_eq!(String::from_utf8_lossy(&normalize(path.as_bytes())), normal, "{path}");
    }
}

#[test]
fn what_may_not_stand_in_a_request_line_is_encoded() {
    let mut out = Vec::new();
    escape_into("/a b\r\n\0é?#%2F~!$&'()*+,;=:@[]".as_bytes(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "/a%20b%0D%0A%00%C3%A9%3F%23%2F~!$&'()*+,;=:@[]");
}

proptest::proptest! {
    #[test]
    fn normalising_twice_changes_nothing_more(path in "/[a/.%2eEfF0]{0,20}") {
        let once = normalize(path.as_bytes()).into_owned();
        proptest::prop_assert!(once.starts_with(b"/"));
        // A decoded `%` may not form a new escape: `%25` stays encoded.
        proptest::prop_assert_eq!(normalize(&once).into_owned(), once);
    }
}
