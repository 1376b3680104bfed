//! What stands in the head of every answer, and paths and methods that lead nowhere.

use crate::browser::Seen;
use crate::clean::tags;
use crate::desk::Desk;
use crate::html::text;
use crate::stage::looked_at;

#[track_caller]
fn assert_private(path: &str, seen: &Seen) {
    let policy = seen.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    assert_eq!(seen.header("cache-control"), "no-store", "{path}");
    assert_eq!(seen.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(seen.header("referrer-policy"), "same-origin", "{path}");
    assert!(!seen.header("x-request-id").is_empty(), "{path}");
}

#[tokio::test]
async fn every_page_is_one_persons_and_stands_in_no_frame() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let (mut browser, mut visitor) = (ana.browser.clone(), desk.visitor());
    let mut paths = ana.pages();
    let more = ["/account/login", "/account/register", "/account/forgot", "/account/resend", "/account/verify?token=x"];
    paths.extend(more.map(str::to_owned));
    paths.extend(["/account/reset?token=x", "/nowhere", "/catalog/nothing", "/apps/nothing"].map(str::to_owned));
    for path in &paths {
        for who in [&mut browser, &mut visitor] {
            let seen = looked_at(who.get(path).await);
            assert_private(path, &seen);
            assert_eq!(seen.header("x-frame-options"), "DENY", "{path}");
            assert_eq!(seen.header("cross-origin-opener-policy"), "same-origin", "{path}");
        }
    }
    for path in ana.pages() {
        let seen = browser.get(&path).await;
        assert_eq!(seen.status, 200, "{path}");
        assert!(text(&seen.html).contains("ana@example.com"), "{path} is Ana's");
    }
}

#[tokio::test]
async fn a_document_of_an_administrator_is_kept_apart() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let contents = "<script>alert(1)</script>";
    let document = serde_json::json!({ "path": "specs/a.html", "contents": contents });
    desk.made("/services/orders/document_objects", document).await;
    let seen = ana.browser.clone().get(&format!("/catalog/{}/spec/raw", ana.service)).await;
    assert_eq!((seen.status, seen.html.as_str()), (200, contents));
    assert_private("raw", &seen);
    assert_eq!(seen.header("content-type"), "text/plain; charset=utf-8");
    assert!(seen.header("content-disposition").starts_with("attachment"));
    assert!(seen.header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn assets_are_kept_by_browsers_and_found_by_pages() {
    let desk = Desk::open();
    let mut browser = desk.visitor();
    let page = browser.page("/").await;
    let paths: Vec<String> = tags(&page)
        .iter()
        .filter(|tag| matches!(tag.name.as_str(), "script" | "link"))
        .map(|tag| tag.get("src").or(tag.get("href")).unwrap().to_owned())
        .collect();
    assert_eq!(paths.len(), 3);
    for path in paths {
        let seen = browser.get(&path).await;
        assert_eq!((seen.status, seen.header("x-content-type-options")), (200, "nosniff"), "{path}");
        assert_eq!(seen.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        let old = path.replace("/assets/", "/assets/0");
        assert_eq!(browser.get(&old).await.header("cache-control"), "no-cache", "{old}");
    }
    assert_eq!(browser.get("/assets/x/pages.rs").await.status, 404);
    assert!(browser.cookies.keys().all(|name| name == "portal_visitor"));
}

#[tokio::test]
async fn what_is_not_there_has_the_portals_own_page() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    for path in ["/nowhere", "/apps/x/y", "/apps/../../etc/passwd", "/%00", "/%zz", "/catalog/", "//evil.example"] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "QUERY"] {
            let request = browser.request(method, path);
            let seen = looked_at(browser.see(request).await);
            assert_eq!(seen.status, 404, "{method} {path}");
            assert!(text(&seen.html).contains("There is nothing here that you may see"), "{method} {path}");
            assert_private(path, &seen);
        }
    }
}

#[tokio::test]
async fn head_is_a_get_without_a_body_and_other_methods_are_refused() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    let before = desk.everything().await;
    for path in ana.pages() {
        let request = browser.request("HEAD", &path);
        let seen = browser.see(request).await;
        assert_eq!((seen.status, seen.html.as_str()), (200, ""), "HEAD {path}");
        assert_private(&path, &seen);
    }
    for path in ["/apps/nothing", "/nowhere", "/account/reset?token=x"] {
        let request = browser.request("HEAD", path);
        let seen = browser.see(request).await;
        assert!(matches!(seen.status, 400 | 404) && seen.html.is_empty(), "HEAD {path}: {}", seen.status);
    }
    let acts = ana.acts().into_iter().map(|(path, _)| path).chain(ana.pages());
    for path in acts {
        for method in ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
            let request = browser.request(method, &path);
            let seen = looked_at(browser.see(request).await);
            assert!(matches!(seen.status, 404 | 405), "{method} {path}: {}", seen.status);
        }
    }
    // A visitor's HEAD goes where a GET would.
    let mut visitor = desk.visitor();
    let request = visitor.request("HEAD", "/apps?offset=x");
    assert_eq!(visitor.see(request).await.location, "/account/login?next=%2Fapps%3Foffset%3Dx");
    assert_eq!(desk.everything().await, before);
}
