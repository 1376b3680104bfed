//! The other side, so that the whole way can be seen: a small application that asks for access and uses it.
//!
//! It knows the gateway's token endpoint and its own secret, nothing else of what this process knows.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::gateway::Gateway;
use crate::sessions::{Sessions, secret};
use crate::settings::Settings;
use crate::view::{self, Trouble};

const CLIENT_ID: &str = "postcards";
const NAME: &str = "Postcards";
const SCOPE: &str = "email profile";

/// What the API sees of a call, in the words of the page.
const SEEN: [(&str, &str); 4] = [
    ("x-authenticated-userid", "Person"),
    ("x-authenticated-scope", "Allowed"),
    ("x-credential-identifier", "Application"),
    ("x-consumer-username", "Consumer"),
];

pub struct Application {
    callback: String,
    client_secret: String,
}

/// A request on its way: kept here, told to nobody.
#[derive(Clone)]
pub struct Errand {
    state: String,
    verifier: String,
}

impl Application {
    /// Makes the application known to the gateway, with the callback it has today.
    pub async fn register(gateway: &Gateway, settings: &Settings, address: &str) -> anyhow::Result<Self> {
        let callback = format!("{address}/callback");
        let client_secret = gateway.register(&settings.service, CLIENT_ID, NAME, &callback).await?;
        Ok(Self { callback, client_secret })
    }
}

pub async fn home() -> HttpResponse {
    let content = view::fill(include_str!("pages/home.html"), &[("application", NAME)]);
    HttpResponse::Ok().content_type(view::HTML).body(view::page(NAME, &content))
}

/// Sends the browser to the authorization page, with a `state` and a PKCE challenge.
pub async fn start(application: web::Data<Application>, errands: web::Data<Sessions<Errand>>) -> HttpResponse {
    let errand = Errand { state: secret(), verifier: secret() };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&errand.verifier));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("redirect_uri", &application.callback)
        .append_pair("scope", SCOPE)
        .append_pair("state", &errand.state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    view::go(&format!("/authorize?{query}"), Some(errands.begin(errand)))
}

/// Where the browser comes back: with a code to exchange, or with a refusal.
pub async fn callback(
    request: HttpRequest,
    gateway: web::Data<Gateway>,
    application: web::Data<Application>,
    errands: web::Data<Sessions<Errand>>,
) -> Result<HttpResponse, Trouble> {
    let query = request.query_string().as_bytes();
    let given = |name: &str| form_urlencoded::parse(query).find(|(key, _)| key == name).map(|(_, value)| value);
    let state = given("state").unwrap_or_default();
    // Ended whatever comes: an answer is good for one try.
    let errand = errands.end(request.headers());
    let errand = errand.filter(|errand| bool::from(errand.state.as_bytes().ct_eq(state.as_bytes())));
    let Some(errand) = errand else {
        return Err(Trouble::ask("Not what we asked for", "This answer belongs to no request of this browser."));
    };
    let Some(code) = given("code") else {
        let error = given("error").unwrap_or_default();
        return Ok(refused(&error, &given("error_description").unwrap_or_default()));
    };
    let token = exchange(&gateway, &application, &errand, &code).await?;
    let (status, seen) = call(&gateway, &token).await?;
    Ok(HttpResponse::Ok().content_type(view::HTML).body(result(&code, &token, status, &seen)))
}

fn refused(error: &str, description: &str) -> HttpResponse {
    let (title, text) = match error {
        "access_denied" => ("No access", "You said no, and that is fine: nothing was given to the application."),
        _ => ("That did not work", description),
    };
    let values = [("title", title), ("text", text), ("error", error)];
    let content = view::fill(include_str!("pages/refused.html"), &values);
    HttpResponse::Ok().content_type(view::HTML).body(view::page(title, &content))
}

async fn exchange(
    gateway: &Gateway,
    application: &Application,
    errand: &Errand,
    code: &str,
) -> Result<String, Trouble> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &application.callback),
        ("client_id", CLIENT_ID),
        ("client_secret", &application.client_secret),
        ("code_verifier", &errand.verifier),
    ];
    let answer = gateway.http().post(format!("{}/oauth2/token", gateway.api)).form(&form).send().await;
    let told: Value = async { answer?.json().await }.await.map_err(Trouble::gateway)?;
    match told["access_token"].as_str() {
        Some(token) => Ok(token.to_owned()),
        None => Err(Trouble::gateway(&told["error_description"])),
    }
}

async fn call(gateway: &Gateway, token: &str) -> Result<(u16, Value), Trouble> {
    let answer = gateway.http().get(format!("{}/hello", gateway.api)).bearer_auth(token).send().await;
    let answer = answer.map_err(Trouble::gateway)?;
    let status = answer.status().as_u16();
    // An API of another kind may answer without JSON; its status is shown all the same.
    Ok((status, answer.json().await.unwrap_or_default()))
}

fn result(code: &str, token: &str, status: u16, seen: &Value) -> String {
    let rows = SEEN.iter().filter_map(|(field, title)| {
        let value = seen["headers"][field].as_str()?;
        Some(view::fill(include_str!("pages/row.html"), &[("title", title), ("value", value)]))
    });
    let content = view::fill(
        include_str!("pages/result.html"),
        &[("code", &masked(code)), ("token", &masked(token)), ("status", &status.to_string())],
    );
    view::page("It worked", &content.replace("<!-- rows -->", &rows.collect::<String>()))
}

/// Enough to recognise it, too little to use it.
fn masked(secret: &str) -> String {
    secret.chars().take(6).chain("…".chars()).collect()
}
