//! What an application asks for: the parameters in the browser's address (RFC 6749 section 4.1.1, RFC 7636 section
//! 4.3).

use crate::gateway::{Gateway, Known};
use crate::view::Trouble;
use reqwest::Url;

/// What the gateway is told as the application sent it. Anything else in the address is none of its business: a
/// `provision_key` or `authenticated_userid` put there must not get through.
const PASSED: [&str; 7] =
    ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"];

pub struct Ask {
    params: Vec<(&'static str, String)>,
    pub application: String,
    /// One that is registered for the application; so a browser may be sent there.
    pub redirect_uri: Url,
}

impl Ask {
    /// Reads a request and makes sure who it comes from. Before that is known nobody is redirected anywhere: an error
    /// page is the answer (RFC 6749 section 4.1.2.1).
    pub async fn read(query: &str, gateway: &Gateway) -> Result<Self, Trouble> {
        let mut params: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(name) = PASSED.into_iter().find(|known| *known == name) else { continue };
            if params.iter().any(|(seen, _)| *seen == name) {
                return Err(Trouble::ask("The request is unclear", "A parameter is given twice."));
            }
            params.push((name, value.into_owned()));
        }
        let given = |name: &str| params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let client_id = given("client_id").unwrap_or_default();
        let Some(Known { name, redirect_uris }) = gateway.find(client_id).await? else {
            return Err(Trouble::ask("Unknown application", "The application that sent you here is not known to us."));
        };
        let registered = match given("redirect_uri") {
            Some(wanted) => redirect_uris.iter().find(|uri| *uri == wanted),
            None => redirect_uris.first(),
        };
        let Some(redirect_uri) = registered.and_then(|uri| Url::parse(uri).ok()) else {
            let text = "The application wants you to be sent to an address that it has not registered. \
                        Nothing was sent there.";
            return Err(Trouble::ask("Unknown address", text));
        };
        Ok(Self { params, application: name, redirect_uri })
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.get("scope").unwrap_or_default().split_whitespace()
    }

    pub fn passed_through(&self) -> Vec<(&str, &str)> {
        self.params.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// The request as a query string, to come back to after the log-in.
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish()
    }

    /// Where the browser goes with a "no" (RFC 6749 sections 4.1.2.1 and 4.2.2.1).
    pub fn denied(&self, issuer: Option<&str>) -> Url {
        let mut told = form_urlencoded::Serializer::new(String::new());
        told.append_pair("error", "access_denied");
        told.append_pair("error_description", "The person said no");
        told.extend_pairs(self.get("state").map(|state| ("state", state)));
        told.extend_pairs(issuer.map(|issuer| ("iss", issuer)));
        let told = told.finish();
        let mut uri = self.redirect_uri.clone();
        if self.get("response_type") == Some("token") {
            uri.set_fragment(Some(&told));
        } else {
            let query = uri.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&{told}"));
            uri.set_query(Some(query.as_deref().unwrap_or(&told)));
        }
        uri
    }
}
