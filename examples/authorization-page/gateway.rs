//! The gateway as its login backend sees it: the Admin API on one side, `/oauth2/authorize` on the other.

use std::fs;

use anyhow::{Context, bail, ensure};
use reqwest::{Certificate, Client, RequestBuilder};
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::settings::Settings;
use crate::view::Trouble;

pub struct Gateway {
    http: Client,
    admin: String,
    admin_token: Option<String>,
    /// Scheme, host, port and path of the guarded API.
    pub api: String,
    /// Never leaves for a browser or a log: whoever has it can speak for any person.
    provision_key: String,
    /// With the strict profile every answer names its issuer (RFC 9207), refusals too.
    pub issuer: Option<String>,
}

/// An application as the Admin API knows it.
pub struct Known {
    pub name: String,
    pub redirect_uris: Vec<String>,
}

impl Gateway {
    /// Looks up what this page needs to know about the service, and complains in words when it cannot serve it.
    pub async fn connect(settings: &Settings) -> anyhow::Result<Self> {
        let mut gateway = Self {
            http: client(settings)?,
            admin: settings.admin.clone(),
            admin_token: settings.admin_token.clone(),
            api: String::new(),
            provision_key: String::new(),
            issuer: None,
        };
        let service = &settings.service;
        let routes = gateway.read(&format!("/services/{service}/routes")).await?;
        let path = routes["data"][0]["paths"][0].as_str().with_context(|| format!("{service} has no route"))?;
        gateway.api = format!("{}{path}", settings.proxy);
        let plugins = gateway.read(&format!("/services/{service}/plugins")).await?;
        let plugins = plugins["data"].as_array().context("the Admin API lists no plugins")?;
        let plugin = plugins.iter().find(|plugin| plugin["name"] == "oauth2");
        let plugin = plugin.with_context(|| format!("{service} has no oauth2 plugin"))?;
        if plugin["config"]["enable_authorization_code"] != true {
            let id = plugin["id"].as_str().unwrap_or_default();
            bail!(
                "the plugin of {service} gives no codes; turn them on with:\n\
                 curl -X PATCH {}/plugins/{id} -d config.enable_authorization_code=true",
                settings.admin
            );
        }
        let stored = plugin["config"]["provision_key"].as_str().map(str::to_owned);
        gateway.provision_key = settings.provision_key.clone().or(stored).context("the plugin has no provision key")?;
        gateway.issuer = (plugin["config"]["profile"] == "rfc9700").then(|| gateway.api.clone());
        Ok(gateway)
    }

    /// A client that trusts the gateway's certificate and no other, and goes where it is told, not where it is sent.
    pub fn http(&self) -> &Client {
        &self.http
    }

    fn admin(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.admin_token {
            Some(token) => request.header("kong-admin-token", token),
            None => request,
        }
    }

    async fn read(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.admin(self.http.get(format!("{}{path}", self.admin)));
        let answer = request.send().await.with_context(|| {
            format!("nobody answers at {}: start the gateway first, with `cargo run -- dev`", self.admin)
        })?;
        let status = answer.status();
        ensure!(status.is_success(), "the Admin API answers {path} with {status}");
        Ok(answer.json().await?)
    }

    /// Makes or renews an application; gives its secret.
    pub async fn register(&self, consumer: &str, id: &str, name: &str, callback: &str) -> anyhow::Result<String> {
        let url = format!("{}/consumers/{consumer}/oauth2/{id}", self.admin);
        let body = json!({ "name": name, "redirect_uris": [callback] });
        let answer = self.admin(self.http.put(url)).json(&body).send().await?;
        let status = answer.status();
        let made: Value = answer.json().await?;
        ensure!(status.is_success(), "cannot register the application: {status} {}", made["message"]);
        Ok(made["client_secret"].as_str().context("the application has no secret")?.to_owned())
    }

    /// The application with this `client_id`.
    pub async fn find(&self, client_id: &str) -> Result<Option<Known>, Trouble> {
        let request = self.admin(self.http.get(format!("{}/oauth2", self.admin)));
        let answer = request.query(&[("client_id", client_id)]).send().await;
        let page: Value = async { answer?.error_for_status()?.json().await }.await.map_err(Trouble::gateway)?;
        // Kong's newer versions list every application here, whatever was asked for.
        let found = page["data"].as_array().and_then(|all| all.iter().find(|one| one["client_id"] == client_id));
        Ok(found.map(|application| Known {
            name: application["name"].as_str().unwrap_or(client_id).to_owned(),
            redirect_uris: application["redirect_uris"]
                .as_array()
                .map(|uris| uris.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
        }))
    }

    /// Tells the gateway that `person` allowed `ask`; gives where the browser must go.
    pub async fn authorize(&self, ask: &Ask, person: &str) -> Result<String, Trouble> {
        let mut form = ask.passed_through();
        form.push(("provision_key", &self.provision_key));
        form.push(("authenticated_userid", person));
        let answer = self.http.post(format!("{}/oauth2/authorize", self.api)).form(&form).send().await;
        // A 400 with a redirect URI is an answer for the application, which learns it by redirect.
        let told: Value = async { answer?.json().await }.await.map_err(Trouble::gateway)?;
        match told["redirect_uri"].as_str() {
            Some(uri) => Ok(uri.to_owned()),
            None => Err(Trouble::gateway(told["error"].as_str().unwrap_or("no reason given"))),
        }
    }
}

fn client(settings: &Settings) -> anyhow::Result<Client> {
    let path = settings.data_dir.join("tls/cert.pem");
    let pem = fs::read(&path).with_context(|| {
        format!("cannot read the gateway's certificate {}: is --data-dir the folder of `tollgate dev`?", path.display())
    })?;
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem)?])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(10))
        .no_proxy()
        .build()?;
    Ok(client)
}
