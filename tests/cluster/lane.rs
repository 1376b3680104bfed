//! A lane: one client's connections to one node, with every operation written down.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::cluster::{CLIENT, LIFE, PROVISION_KEY, SECRET};
use crate::history::{History, Id, Micros, Op, Outcome, Pair, Target, id};
use crate::http::{Answer, Client, Silence};
use crate::node::Addresses;

/// Longer than the lease and its margin, so that what the promise allows is waited for.
pub const PATIENCE: Duration = Duration::from_secs(6);
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nX-Forwarded-Proto: https\r\n";

/// The setting whose versions are written and seen.
pub const SETTING: Id = 1;

/// An application, and what its tokens end with.
#[derive(Clone, Debug)]
pub struct Application {
    pub client_id: String,
    pub secret: String,
    pub subjects: Vec<Id>,
}

impl Application {
    /// The one that is never revoked.
    pub fn standing() -> Self {
        Self { client_id: CLIENT.to_owned(), secret: SECRET.to_owned(), subjects: vec![id(CLIENT)] }
    }
}

pub struct Lane {
    pub node: usize,
    history: Arc<History>,
    proxy: Client,
    admin: Client,
    status: Client,
}

/// Connections of one client to every node.
pub fn lanes(addresses: &[Addresses], history: &Arc<History>) -> Vec<Lane> {
    let lane = |(node, at): (usize, &Addresses)| {
        let [proxy, admin, status] = [at.proxy, at.admin, at.status].map(|address| Client::of(address, PATIENCE));
        Lane { node, history: Arc::clone(history), proxy, admin, status }
    };
    addresses.iter().enumerate().map(lane).collect()
}

fn outcome(answer: &Result<Answer, Silence>) -> Outcome {
    match answer {
        Ok(answer) => match answer.status {
            200..300 => Outcome::Done,
            500.. => Outcome::Failed,
            _ => Outcome::Refused,
        },
        Err(Silence::Unsent) => Outcome::Unsent,
        Err(Silence::Unknown) => Outcome::Unknown,
    }
}

/// The pair in an answer to a token request.
fn pair(answer: &Value) -> Option<(String, String)> {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Some((text("access_token")?, text("refresh_token")?))
}

fn known(pair: Option<&(String, String)>) -> Option<Pair> {
    pair.map(|(access, refresh)| Pair { access: id(access), refresh: id(refresh) })
}

impl Lane {
    async fn ask_token(&mut self, form: &str) -> (Outcome, Value) {
        let answer = self.proxy.send("POST", "/api/oauth2/token", FORM, form).await;
        (outcome(&answer), answer.map(|answer| answer.json()).unwrap_or_default())
    }

    /// Asks for a token by client credentials.
    pub async fn issue(&mut self, application: &Application) -> Option<String> {
        let Application { client_id, secret, subjects } = application;
        let begin = self.history.now();
        let form = format!("grant_type=client_credentials&client_id={client_id}&client_secret={secret}");
        let (outcome, answer) = self.ask_token(&form).await;
        let token = answer["access_token"].as_str().map(str::to_owned);
        let op = Op::Issue { token: token.as_deref().map(id), of: subjects.clone(), lives: LIFE.as_micros() as Micros };
        self.history.record(self.node, op, begin, outcome);
        token
    }

    pub async fn call(&mut self, token: &str) -> Outcome {
        let begin = self.history.now();
        let answer = self.proxy.get("/api/x", &format!("Authorization: Bearer {token}\r\n")).await;
        let outcome = outcome(&answer);
        self.history.record(self.node, Op::Call { token: id(token) }, begin, outcome);
        outcome
    }

    /// Goes through the gate of this name, a route that is open until it is closed.
    pub async fn pass(&mut self, gate: &str) -> Outcome {
        let begin = self.history.now();
        let outcome = outcome(&self.proxy.get(&format!("/{gate}"), "").await);
        self.history.record(self.node, Op::Call { token: id(gate) }, begin, outcome);
        outcome
    }

    /// Sends to the Admin API what takes away this right.
    pub async fn revoke(&mut self, method: &str, path: &str, body: &Value, right: (Target, Id)) -> Outcome {
        let begin = self.history.now();
        let answer = match body {
            Value::Null => self.admin.send(method, path, "", "").await,
            body => self.admin.send_json(method, path, body).await,
        };
        let outcome = outcome(&answer);
        let (of, subject) = right;
        self.history.record(self.node, Op::Revoke { of, subject }, begin, outcome);
        outcome
    }

    /// Makes an entity; not an operation that is judged.
    pub async fn make(&mut self, path: &str, body: &Value) -> Option<Value> {
        let answer = self.admin.send_json("POST", path, body).await.ok()?;
        (answer.status == 201).then(|| answer.json())
    }

    /// Reads an entity; not an operation that is judged.
    pub async fn get(&mut self, path: &str) -> Option<Value> {
        let answer = self.admin.get(path, "").await.ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    /// Has the user give the application a code.
    pub async fn code(&mut self) -> Option<String> {
        let form =
            format!("provision_key={PROVISION_KEY}&authenticated_userid=user&client_id={CLIENT}&response_type=code");
        let answer = self.proxy.send("POST", "/api/oauth2/authorize", FORM, &form).await.ok()?.json();
        let place = answer["redirect_uri"].as_str()?;
        place.split_once("code=").map(|(_, code)| code.to_owned())
    }

    pub async fn redeem(&mut self, code: &str) -> Option<(String, String)> {
        let begin = self.history.now();
        let form = format!("grant_type=authorization_code&client_id={CLIENT}&client_secret={SECRET}&code={code}");
        let (outcome, answer) = self.ask_token(&form).await;
        let pair = pair(&answer);
        let op = Op::Redeem { code: id(code), pair: known(pair.as_ref()) };
        self.history.record(self.node, op, begin, outcome);
        pair
    }

    pub async fn rotate(&mut self, refresh: &str) -> Option<(String, String)> {
        let begin = self.history.now();
        let form =
            format!("grant_type=refresh_token&client_id={CLIENT}&client_secret={SECRET}&refresh_token={refresh}");
        let (outcome, answer) = self.ask_token(&form).await;
        let pair = pair(&answer);
        let op = Op::Rotate { refresh: id(refresh), pair: known(pair.as_ref()) };
        self.history.record(self.node, op, begin, outcome);
        pair
    }

    /// Writes a version of the setting.
    pub async fn change(&mut self, version: u64) -> Outcome {
        let begin = self.history.now();
        let body = json!({ "path": format!("/v{version}") });
        let outcome = outcome(&self.admin.send_json("PATCH", "/services/setting", &body).await);
        self.history.record(self.node, Op::Change { item: SETTING, version }, begin, outcome);
        outcome
    }

    /// Sees which version of the setting the node goes by.
    pub async fn see(&mut self) {
        let begin = self.history.now();
        let answer = self.proxy.get("/setting", "").await;
        let told = answer.as_ref().ok().and_then(|answer| answer.header("x-path"));
        let version = told.and_then(|path| path.strip_prefix("/v")?.trim_end_matches('/').parse().ok());
        self.history.record(self.node, Op::See { item: SETTING, version }, begin, outcome(&answer));
    }

    pub async fn ask_readiness(&mut self) {
        let begin = self.history.now();
        let outcome = outcome(&self.status.get("/status/ready", "").await);
        self.history.record(self.node, Op::Ready, begin, outcome);
    }
}

/// Calls with a token at every node at once.
pub async fn call_everywhere(lanes: &mut [Lane], token: &str) {
    join_all(lanes.iter_mut().map(|lane| lane.call(token))).await;
}

pub async fn pass_everywhere(lanes: &mut [Lane], gate: &str) -> Vec<Outcome> {
    join_all(lanes.iter_mut().map(|lane| lane.pass(gate))).await
}
