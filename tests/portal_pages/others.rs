//! Ids of other developers are ids of nothing.

use crate::desk::{Desk, NOBODY};
use crate::html::{form_to, text};
use crate::stage::{act, csrf_token, looked_at, new_application};

#[tokio::test]
async fn ids_of_another_developer_are_not_found() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut eve = desk.developer_with_browser("eve@example.com").await;
    let eves = new_application(&mut eve, "Eve's").await;
    let token = csrf_token(&mut eve, "/apps").await;
    let before = desk.everything().await;
    let of_applications =
        ana.acts().into_iter().filter(|(path, _)| path.starts_with(&format!("/apps/{}", ana.application)));
    let mut asked = 0;
    for (path, fields) in of_applications {
        // As it stands; and with one's own application in front of what is another's.
        let below = path.replace(&ana.application, &eves);
        let foreign_below = below.matches('/').count() > 3;
        for path in [Some(path), foreign_below.then_some(below)].into_iter().flatten() {
            asked += 1;
            let seen = looked_at(act(&mut eve, &path, &fields, Some(&token)).await);
            assert_eq!(seen.status, 404, "POST {path}: {}", text(&seen.html));
            let seen = looked_at(eve.get(&path).await);
            assert!(matches!(seen.status, 404 | 405), "GET {path}: {}", seen.status);
        }
    }
    assert_eq!(asked, 8 + 4);
    for path in ["", "/edit", "?range=day"] {
        let seen = looked_at(eve.get(&format!("/apps/{}{path}", ana.application)).await);
        assert_eq!(seen.status, 404, "{path}");
        let nobody = looked_at(eve.get(&format!("/apps/{NOBODY}{path}")).await);
        assert_eq!(seen.html, nobody.html, "what is another's is answered as what is not");
    }
    // Another's application in the query chooses nothing.
    let page = eve.page(&format!("/catalog?app={}&status=1", ana.application)).await;
    assert!(!page.contains(&ana.application) && !page.contains("Shop") && page.contains("Service orders"));
    let page = eve.page(&format!("/catalog/{}?app={}", ana.service, ana.application)).await;
    assert!(!page.contains(&ana.contract) && !page.contains("Shop"));
    assert_eq!(desk.everything().await, before);
}

#[tokio::test]
async fn an_application_does_not_act_on_what_hangs_on_another_one() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut browser = ana.browser.clone();
    let other = new_application(&mut browser, "Other").await;
    let token = csrf_token(&mut browser, "/apps").await;
    let before = desk.everything().await;
    for (path, fields) in ana.acts().into_iter().filter(|(path, _)| path.matches('/').count() > 3) {
        let path = path.replace(&ana.application, &other);
        let seen = looked_at(act(&mut browser, &path, &fields, Some(&token)).await);
        assert_eq!(seen.status, 404, "{path}: {}", text(&seen.html));
    }
    assert_eq!(desk.everything().await, before);
}

#[tokio::test]
async fn who_is_not_logged_in_is_sent_to_the_log_in_and_does_nothing() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let mut visitor = desk.visitor();
    let token = csrf_token(&mut visitor, "/account/login").await;
    let before = desk.everything().await;
    for path in ana.pages().into_iter().filter(|path| path.starts_with("/apps") || path == "/account") {
        let seen = looked_at(visitor.get(&path).await);
        let next: String = path.replace('/', "%2F");
        assert_eq!((seen.status, seen.location), (303, format!("/account/login?next={next}")));
    }
    for (path, fields) in ana.acts().into_iter().filter(|(path, _)| path != "/account/logout") {
        let seen = looked_at(act(&mut visitor, &path, &fields, Some(&token)).await);
        assert_eq!((seen.status, seen.location.as_str()), (303, "/account/login?next=%2Fapps"), "{path}");
    }
    assert_eq!(desk.everything().await, before);
}

#[tokio::test]
async fn what_the_catalogue_does_not_offer_is_not_found() {
    let desk = Desk::open();
    let ana = desk.ana().await;
    let hidden = desk.service("hidden").await;
    let mut browser = ana.browser.clone();
    let token = csrf_token(&mut browser, "/apps").await;
    let hidden = hidden["id"].as_str().unwrap().to_owned();
    assert!(!browser.page("/catalog").await.contains(&hidden));
    for path in ["", "/spec", "/spec/raw"] {
        assert_eq!(browser.get(&format!("/catalog/{hidden}{path}")).await.status, 404, "{path}");
    }
    let before = desk.everything().await;
    let path = format!("/apps/{}/contracts", ana.application);
    for service in [hidden.as_str(), NOBODY, "orders", "", "\"'<"] {
        let seen = looked_at(act(&mut browser, &path, &[("service", service.to_owned())], Some(&token)).await);
        assert_eq!(seen.status, 404, "{service}");
    }
    assert_eq!(desk.everything().await, before);
    // Asking twice does nothing either, and says so.
    let seen = act(&mut browser, &path, &[("service", ana.service.clone())], Some(&token)).await;
    assert!(text(&browser.page(&seen.location).await).contains("asked for this service before"));
    assert_eq!(desk.everything().await, before);
    form_to(
        &browser.page(&seen.location).await,
        &format!("/apps/{}/contracts/{}/withdraw", ana.application, ana.contract),
    );
}
