//! Sessions, mailed tokens, and the outbox.

use serde_json::json;
use tollgate::domain::{Secret, Timestamp};
use tollgate::storage::{MailState, MailedToken, NewMail, Purpose, Session, SessionHolder, StorageError};
use uuid::Uuid;

use crate::bench::{Bench, Place, START};
use crate::fixtures::{CROWD, digest, id, races, reference};

crate::conformance!(
    a_session_is_found_until_it_ends,
    what_has_ended_is_not_begun_again,
    a_developer_has_so_many_sessions,
    another_password_ends_the_other_sessions_and_the_links,
    sessions_and_links_go_with_their_developer,
    a_link_is_used_once,
    a_link_is_good_for_one_purpose_and_until_it_ends,
    only_the_newest_links_work,
    mails_are_claimed_by_one,
    what_was_claimed_and_not_settled_is_due_again,
    a_sent_mail_has_no_text_any_more,
    mails_are_listed_newest_first,
    what_is_over_is_swept,
    the_text_of_a_mail_rests_sealed,
);

async fn developer(bench: &Bench, email: &str) -> Uuid {
    let consumer = bench.consumer(&format!("consumer of {email}")).await;
    let fields = json!({ "email": email, "consumer": reference(&consumer), "status": 0 });
    id(&bench.stored("developers", fields).await)
}

fn session(holder: SessionHolder) -> Session {
    let expires_at = START.plus_seconds(3600);
    Session { id: Uuid::now_v7(), holder, created_at: START, seen_at: START, expires_at }
}

async fn logged_in(bench: &Bench, developer: Uuid, cookie: &str) -> Session {
    let session = session(SessionHolder::Developer(developer));
    bench.store.insert_session(&session, digest(cookie)).await.unwrap();
    session
}

fn mail_at(created_at: Timestamp, state: MailState) -> NewMail {
    let id = uuid::Builder::from_unix_timestamp_millis(created_at.millis().unsigned_abs(), &rand::random()).into_uuid();
    let text = "the link is a secret";
    NewMail { id, recipient: "bob@b.test".into(), subject: "ü".into(), body: Secret::new(text), state, created_at }
}

fn mail() -> NewMail {
    mail_at(START, MailState::Waiting)
}

fn link(developer: Uuid, purpose: Purpose) -> MailedToken {
    let expires_at = START.plus_seconds(6 * 3600);
    MailedToken { developer, purpose, email: "bob@b.test".into(), created_at: START, expires_at }
}

async fn a_session_is_found_until_it_ends(bench: &Bench) {
    let bob = developer(bench, "bob@b.test").await;
    let mine = logged_in(bench, bob, "c1").await;
    let of_console = session(SessionHolder::Admin(digest("admin token")));
    bench.store.insert_session(&of_console, digest("c2")).await.unwrap();
    assert_eq!(bench.store.find_session(digest("c1")).await, Ok(Some(mine)));
    assert_eq!(bench.store.find_session(digest("c2")).await, Ok(Some(of_console)));
    assert_eq!(bench.store.find_session(digest("c3")).await, Ok(None));
    assert_eq!(bench.store.end_session(digest("c1")).await, Ok(true));
    assert_eq!(bench.store.end_session(digest("c1")).await, Ok(false));
    assert_eq!(bench.store.find_session(digest("c1")).await, Ok(None));
    bench.clock.advance_seconds(3600);
    assert_eq!(bench.store.find_session(digest("c2")).await, Ok(None));
    let nobodys = session(SessionHolder::Developer(Uuid::new_v4()));
    let refused = bench.store.insert_session(&nobodys, digest("c4")).await;
    assert!(matches!(refused, Err(StorageError::ForeignKey { .. })), "{refused:?}");
}

async fn what_has_ended_is_not_begun_again(bench: &Bench) {
    let bob = developer(bench, "bob@b.test").await;
    let mine = logged_in(bench, bob, "c1").await;
    let later = START.plus_seconds(1800);
    assert_eq!(bench.store.touch_session(mine.id, later, later.plus_seconds(3600)).await, Ok(true));
    bench.clock.advance_seconds(3600);
    let found = bench.store.find_session(digest("c1")).await.unwrap().unwrap();
    assert_eq!((found.seen_at, found.expires_at), (later, later.plus_seconds(3600)));
    let too_late = later.plus_seconds(3600);
    assert_eq!(bench.store.touch_session(mine.id, too_late, too_late.plus_seconds(3600)).await, Ok(false));
    bench.store.end_session(digest("c1")).await.unwrap();
    assert_eq!(bench.store.touch_session(mine.id, later, too_late).await, Ok(false));
}

async fn a_developer_has_so_many_sessions(bench: &Bench) {
    let (bob, eve) = (developer(bench, "bob@b.test").await, developer(bench, "eve@b.test").await);
    logged_in(bench, eve, "eve's").await;
    for number in 0..40 {
        logged_in(bench, bob, &format!("c{number}")).await;
    }
    for (cookie, lives) in [("c0", false), ("c7", false), ("c8", true), ("c39", true), ("eve's", true)] {
        assert_eq!(bench.store.find_session(digest(cookie)).await.unwrap().is_some(), lives, "{cookie}");
    }
}

async fn another_password_ends_the_other_sessions_and_the_links(bench: &Bench) {
    let (bob, eve) = (developer(bench, "bob@b.test").await, developer(bench, "eve@b.test").await);
    let mine = logged_in(bench, bob, "c1").await;
    logged_in(bench, bob, "c2").await;
    logged_in(bench, eve, "eve's").await;
    for (token, of, purpose) in
        [("t1", bob, Purpose::PasswordReset), ("t2", eve, Purpose::PasswordReset), ("t3", bob, Purpose::NewAddress)]
    {
        bench.store.insert_mailed_token(&link(of, purpose), digest(token), &mail()).await.unwrap();
    }
    assert_eq!(bench.store.end_sessions(bob, Some(mine.id), &[mail()]).await, Ok(1));
    for (cookie, lives) in [("c1", true), ("c2", false), ("eve's", true)] {
        assert_eq!(bench.store.find_session(digest(cookie)).await.unwrap().is_some(), lives, "{cookie}");
    }
    for (token, lives) in [("t1", false), ("t2", true), ("t3", true)] {
        assert_eq!(bench.store.find_mailed_token(digest(token)).await.unwrap().is_some(), lives, "{token}");
    }
    assert_eq!(bench.store.list_mails(None, None, 10).await.unwrap().data.len(), 4);
    assert_eq!(bench.store.end_sessions(bob, None, &[]).await, Ok(1));
    assert_eq!(bench.store.find_session(digest("c1")).await, Ok(None));
}

async fn sessions_and_links_go_with_their_developer(bench: &Bench) {
    let bob = developer(bench, "bob@b.test").await;
    logged_in(bench, bob, "c1").await;
    bench.store.insert_mailed_token(&link(bob, Purpose::Verification), digest("t1"), &mail()).await.unwrap();
    assert_eq!(bench.store.delete(bench.schema("developers"), bob).await, Ok(true));
    assert_eq!(bench.store.find_session(digest("c1")).await, Ok(None));
    assert_eq!(bench.store.find_mailed_token(digest("t1")).await, Ok(None));
}

async fn a_link_is_used_once(bench: &Bench) {
    let bob = developer(bench, "bob@b.test").await;
    for trial in 0..races() {
        let digest = digest(&format!("t{trial}"));
        let token = link(bob, Purpose::PasswordReset);
        bench.store.insert_mailed_token(&token, digest, &mail()).await.unwrap();
        assert_eq!(bench.store.find_mailed_token(digest).await, Ok(Some(token.clone())));
        let tries = (0..CROWD).map(|_| bench.store.take_mailed_token(digest, Purpose::PasswordReset));
        let taken = futures_util::future::join_all(tries).await;
        let got: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(got, [token]);
    }
}

async fn a_link_is_good_for_one_purpose_and_until_it_ends(bench: &Bench) {
    let bob = developer(bench, "bob@b.test").await;
    let token = link(bob, Purpose::Verification);
    bench.store.insert_mailed_token(&token, digest("t"), &mail()).await.unwrap();
    assert_eq!(bench.store.take_mailed_token(digest("t"), Purpose::PasswordReset).await, Ok(None));
    assert_eq!(bench.store.take_mailed_token(digest("x"), Purpose::Verification).await, Ok(None));
    bench.clock.advance_seconds(6 * 3600);
    assert_eq!(bench.store.find_mailed_token(digest("t")).await, Ok(None));
    assert_eq!(bench.store.take_mailed_token(digest("t"), Purpose::Verification).await, Ok(None));
    let nul = MailedToken { email: "a\u{0}@b".into(), ..token };
    let refused = bench.store.insert_mailed_token(&nul, digest("n"), &mail()).await;
    assert_eq!(refused, Err(StorageError::Unstorable { field: "email".into() }));
}

async fn only_the_newest_links_work(bench: &Bench) {
    let bob = developer(bench, "bob@b.test").await;
    for number in 0..7 {
        let token = MailedToken { created_at: START.plus_seconds(number), ..link(bob, Purpose::PasswordReset) };
        bench.store.insert_mailed_token(&token, digest(&format!("t{number}")), &mail()).await.unwrap();
    }
    for (token, works) in [("t0", false), ("t1", false), ("t2", true), ("t6", true)] {
        assert_eq!(bench.store.find_mailed_token(digest(token)).await.unwrap().is_some(), works, "{token}");
    }
}

async fn mails_are_claimed_by_one(bench: &Bench) {
    let until = START.plus_seconds(120);
    for _ in 0..races() {
        let mails: Vec<_> = (0..10).map(|_| mail()).collect();
        bench.store.insert_mails(&mails).await.unwrap();
        let tries = (0..8).map(|_| bench.store.claim_mails(START, until, 3));
        let claimed = futures_util::future::join_all(tries).await;
        let mut ids: Vec<_> = claimed.into_iter().flat_map(|batch| batch.unwrap()).map(|mail| mail.id).collect();
        // Two that meet at the same rows may leave some for the next look.
        ids.extend(bench.store.claim_mails(START, until, 100).await.unwrap().into_iter().map(|mail| mail.id));
        ids.sort();
        let mut expected: Vec<_> = mails.iter().map(|mail| mail.id).collect();
        expected.sort();
        assert_eq!(ids, expected);
    }
}

async fn what_was_claimed_and_not_settled_is_due_again(bench: &Bench) {
    let written = mail();
    bench.store.insert_mails(&[written.clone(), mail_at(START, MailState::Kept)]).await.unwrap();
    let until = START.plus_seconds(120);
    let claimed = bench.store.claim_mails(START, until, 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let due = &claimed[0];
    assert_eq!((due.id, due.recipient.as_str(), due.subject.as_str()), (written.id, "bob@b.test", "ü"));
    assert_eq!((due.attempts, due.created_at), (1, START));
    assert!(due.body.as_ref().is_some_and(|body| body.matches("the link is a secret")));
    assert!(bench.store.claim_mails(START.plus_seconds(119), until, 10).await.unwrap().is_empty());
    assert_eq!(bench.store.claim_mails(until, until.plus_seconds(120), 10).await.unwrap()[0].attempts, 2);
    bench.store.put_off_mail(written.id, START.plus_seconds(500), "no\u{0}thing").await.unwrap();
    let shown = bench.store.find_mail(written.id).await.unwrap().unwrap().0;
    assert_eq!((shown.state, shown.attempts), (MailState::Waiting, 2));
    assert_eq!((shown.error.as_deref(), shown.due_at), (Some("no\u{fffd}thing"), START.plus_seconds(500)));
    bench.store.fail_mail(written.id, "never").await.unwrap();
    assert!(bench.store.claim_mails(START.plus_seconds(5000), until, 10).await.unwrap().is_empty());
    let (shown, body) = bench.store.find_mail(written.id).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.error.as_deref(), body.is_none()), (MailState::Failed, Some("never"), true));
}

async fn a_sent_mail_has_no_text_any_more(bench: &Bench) {
    let (written, kept) = (mail(), mail_at(START, MailState::Kept));
    bench.store.insert_mails(&[written.clone(), kept.clone()]).await.unwrap();
    bench.store.claim_mails(START, START.plus_seconds(120), 10).await.unwrap();
    let at = START.plus_seconds(3);
    bench.store.mail_sent(written.id, at).await.unwrap();
    let (shown, body) = bench.store.find_mail(written.id).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.sent_at, body.is_none()), (MailState::Sent, Some(at), true));
    // Whoever settles too late changes nothing.
    bench.store.fail_mail(written.id, "late").await.unwrap();
    assert_eq!(bench.store.find_mail(written.id).await.unwrap().unwrap().0.state, MailState::Sent);
    let (shown, body) = bench.store.find_mail(kept.id).await.unwrap().unwrap();
    assert_eq!(shown.state, MailState::Kept);
    assert!(body.is_some_and(|body| body.matches("the link is a secret")));
    assert!(bench.store.find_mail(Uuid::new_v4()).await.unwrap().is_none());
}

async fn mails_are_listed_newest_first(bench: &Bench) {
    let mails: Vec<_> = (0..5).map(|second| mail_at(START.plus_seconds(second), MailState::Waiting)).collect();
    bench.store.insert_mails(&mails).await.unwrap();
    bench.store.insert_mails(&[]).await.unwrap();
    bench.store.fail_mail(mails[1].id, "no").await.unwrap();
    let first = bench.store.list_mails(None, None, 3).await.unwrap();
    let ids = |page: &[tollgate::storage::MailRecord]| page.iter().map(|mail| mail.id).collect::<Vec<_>>();
    assert_eq!(ids(&first.data), [mails[4].id, mails[3].id, mails[2].id]);
    let rest = bench.store.list_mails(None, first.next, 3).await.unwrap();
    assert_eq!((ids(&rest.data), rest.next), (vec![mails[1].id, mails[0].id], None));
    let failed = bench.store.list_mails(Some(MailState::Failed), None, 3).await.unwrap();
    assert_eq!((ids(&failed.data), failed.next), (vec![mails[1].id], None));
}

async fn what_is_over_is_swept(bench: &Bench) {
    let bob = developer(bench, "bob@b.test").await;
    logged_in(bench, bob, "c1").await;
    bench.store.insert_mailed_token(&link(bob, Purpose::Verification), digest("t1"), &mail()).await.unwrap();
    let seven_hours_on = START.plus_seconds(7 * 3600);
    assert_eq!(bench.store.sweep_expired(seven_hours_on, 10).await, Ok(2));
    assert_eq!(bench.store.list_mails(None, None, 10).await.unwrap().data.len(), 1);
    let days_on = |days: i64| START.plus_seconds(days * 86_400);
    assert_eq!(bench.store.sweep_expired(days_on(29), 10).await, Ok(0));
    assert_eq!(bench.store.sweep_expired(days_on(31), 10).await, Ok(1));
    assert!(bench.store.list_mails(None, None, 10).await.unwrap().data.is_empty());
}

async fn the_text_of_a_mail_rests_sealed(bench: &Bench) {
    bench.store.insert_mails(&[mail()]).await.unwrap();
    if let Place::Disk(_) = bench.place() {
        let raw = bench.raw().await.unwrap();
        assert!(raw.windows(10).any(|part| part == b"bob@b.test"));
        assert!(!raw.windows(8).any(|part| part == b"the link"));
    }
    let schemas = bench.schemas();
    assert_eq!(bench.store.count_stale_seals(&schemas).await, Ok(0));
    bench.store.replace_keyring(std::sync::Arc::new(bench.store.keyring().rotated([9; 32])));
    assert_eq!(bench.store.count_stale_seals(&schemas).await, Ok(1));
    let mut from = None;
    loop {
        let step = bench.store.reseal(&schemas, from, 10).await.unwrap();
        match step.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    assert_eq!(bench.store.count_stale_seals(&schemas).await, Ok(0));
    let claimed = bench.store.claim_mails(START, START, 1).await.unwrap();
    assert!(claimed[0].body.as_ref().is_some_and(|body| body.matches("the link is a secret")));
}
