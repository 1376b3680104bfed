//! Every page is made once, of texts that try to break out of it.

use askama::Template;

use super::*;
use crate::domain::ContractStatus;
use crate::pages::{Bar, Link, Notice, Page, Site, chart, document};
use crate::portal::lines::Line;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

static SITE: Site = Site {
    name: "Developer portal",
    home: "/",
    account: "/account",
    log_out: "/account/logout",
    assets: "/assets",
    foot: "tollgate",
    public: &[Link { path: "/catalog", text: "Services" }],
    private: &[Link { path: "/catalog", text: "Services" }, Link { path: "/apps", text: "My applications" }],
};

fn page(title: &str) -> Page {
    let page = Page::new(&SITE, title, HOSTILE).of(HOSTILE).section("/apps");
    page.notice(Some(Notice::bad(HOSTILE)))
}

fn text() -> String {
    HOSTILE.to_owned()
}

fn status() -> Status {
    Status::of(Some((ContractStatus::Requested, false)))
}

fn service() -> ServiceCard {
    ServiceCard {
        id: text(),
        name: text(),
        description: text(),
        ways: vec!["OAuth 2.0"],
        auto_approve: true,
        status: Some(status()),
    }
}

fn own() -> OwnApplication {
    OwnApplication { id: text(), name: text(), chosen: true, status: status(), contract: Some(text()), note: text() }
}

fn line() -> Line {
    Line { title: "Client credentials", hint: "Gets a token.", text: text() }
}

fn field() -> MetaField {
    MetaField {
        name: "full_name".into(),
        label: text(),
        value: text(),
        autocomplete: "name",
        required: true,
        fault: text(),
    }
}

/// Checks what holds for every page.
fn check(name: &str, template: &impl Template) {
    let html = template.render().unwrap();
    assert!(!html.contains("<script>alert"), "{name} lets a text break out");
    assert_eq!(html.matches("<h1").count(), 1, "{name} has one heading of the first level");
    assert!(!html.contains("style=") && !html.contains(" onclick"), "{name} has something inline");
    let forms = html.matches("method=\"post\"").count();
    assert_eq!(html.matches("name=\"csrf_token\"").count(), forms, "{name} has a form without a CSRF token");
}

#[test]
fn pages_of_services() {
    check("home", &HomePage { page: page("Home"), services: vec![service()] });
    let catalog = CatalogPage {
        page: page("Services"),
        total: text(),
        name: text(),
        applications: vec![own()],
        chosen: true,
        statuses: vec![Choice { value: "0", text: "Active", chosen: true }],
        services: vec![service()],
        next: Some(text()),
    };
    check("catalog", &catalog);
    let page_of = |applications| ServicePage {
        page: page("Service"),
        service: service(),
        has_document: true,
        applications,
        facts: vec![Fact { name: "Scopes", value: text() }],
        lines_for: text(),
        fills_secret: true,
        lines: vec![line()],
    };
    check("service", &page_of(vec![own(), OwnApplication { contract: None, ..own() }]));
    check("service without applications", &page_of(Vec::new()));
    let told = format!(
        "{{\"openapi\": \"3.0.0\", \"info\": {{\"title\": {0}, \"description\": {0}}}, \"paths\": {{{0}: {{\"get\": {{\"summary\": {0}}}}}}}}}",
        serde_json::json!(HOSTILE)
    );
    let document = document::read(&told).unwrap();
    check("spec", &SpecPage { page: page("Spec"), service: service(), document: Some(document), fault: text() });
    check("no spec", &SpecPage { page: page("Spec"), service: service(), document: None, fault: text() });
}

#[test]
fn pages_of_accounts() {
    let register = RegisterPage {
        page: page("Create an account"),
        meta: vec![field()],
        email: text(),
        email_fault: text(),
        password_fault: text(),
    };
    check("register", &register);
    check("login", &LoginPage { page: page("Log in"), email: text(), next: text() });
    let form = EmailForm { page: page("Reset"), text: "Tell us.", action: "/account/forgot", button: "Send" };
    check("email form", &form);
    check("reset", &ResetPage { page: page("Reset"), token: text(), fault: text() });
    check("verify", &VerifyPage { page: page("Verify"), token: text() });
    let account = AccountPage {
        page: page("Account"),
        meta: vec![field()],
        email: text(),
        email_hint: text(),
        email_fault: text(),
        old_password_fault: text(),
        password_fault: text(),
    };
    check("account", &account);
    let confirm = ConfirmPage { page: page("Delete?"), text: text(), action: text(), button: "Delete", back: text() };
    check("confirm", &confirm);
    let parts = vec![Part { text: text(), link: false }, Part { text: "https://a.test/?t=1".into(), link: true }];
    let mail =
        Mail { recipient: text(), subject: text(), at: text(), at_iso: text(), state: text(), error: text(), parts };
    check("mails", &MailsPage { page: page("Mails"), mails: vec![mail] });
}

#[test]
fn pages_of_applications() {
    let row = ApplicationRow {
        id: text(),
        name: text(),
        description: text(),
        created: text(),
        created_iso: text(),
        contracts: vec![ContractBadge { service: text(), status: status() }],
    };
    check("apps", &ApplicationsPage { page: page("Apps"), applications: vec![row], next: None });
    check("no apps", &ApplicationsPage { page: page("Apps"), applications: Vec::new(), next: None });
    let form = |external| ApplicationForm {
        page: page("Edit"),
        id: text(),
        known_as: text(),
        service: text(),
        external,
        called: text(),
        name_fault: text(),
        redirect_uri: text(),
        redirect_uri_fault: text(),
        custom_id: text(),
        custom_id_fault: text(),
        description: text(),
        description_fault: text(),
    };
    check("application form", &form(false));
    check("application form, external", &form(true));
    check("application", &application());
}

fn application() -> ApplicationPage {
    let secret = SecretRow { id: text(), created: text(), created_iso: text(), ends: text(), ends_iso: text() };
    ApplicationPage {
        page: page("App"),
        application: ApplicationView {
            id: text(),
            name: text(),
            description: text(),
            redirect_uri: text(),
            custom_id: text(),
            created: text(),
            created_iso: text(),
        },
        external: false,
        shown_once: Some(ShownOnce { client_id: text(), client_secret: text(), lines: vec![line()] }),
        contracts: vec![ContractRow {
            id: text(),
            service_id: text(),
            service: text(),
            status: status(),
            note: text(),
            since: text(),
            since_iso: text(),
        }],
        credentials: vec![CredentialView {
            id: text(),
            client_id: text(),
            client_type: text(),
            redirect_uris: vec![text()],
            secrets: vec![secret.clone(), secret],
        }],
        ranges: vec![Range { value: "day", text: "24 hours", chosen: true }],
        chart: chart(&[Bar { time: text(), admitted: 3, refused: 1 }], HOSTILE),
        admitted: 3,
        refused: 1,
    }
}
