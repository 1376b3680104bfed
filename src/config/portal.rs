//! Settings of the developer portal and of mail.

use std::net::SocketAddr;

use super::settings::{Reader, parse_bool};
use crate::domain::Secret;

/// The developer portal.
#[derive(Clone, Debug)]
pub struct PortalSettings {
    pub enabled: bool,
    pub listen: Vec<SocketAddr>,
    pub listen_tls: Vec<SocketAddr>,
    /// Without a slash at the end.
    pub url: Option<String>,
    /// Without a slash at the end.
    pub proxy_url: Option<String>,
    pub auto_approve: bool,
    pub email_verification: bool,
    pub hide_accounts: bool,
    pub app_auth: AppAuth,
    pub cors_origins: Vec<String>,
    pub secure_cookies: bool,
}

/// Who keeps the credentials of applications (application-registration.md section 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppAuth {
    /// We do.
    KongOauth2,
    /// An identity provider; applications carry the id they have there (`custom_id`).
    ExternalOauth2,
}

impl AppAuth {
    pub fn name(self) -> &'static str {
        match self {
            Self::KongOauth2 => "kong-oauth2",
            Self::ExternalOauth2 => "external-oauth2",
        }
    }
}

/// How mails are sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// `None`: mails are kept and not sent; in `dev` a page shows them.
    pub url: Option<Secret>,
    pub from: String,
    pub admin_emails: Vec<String>,
}

impl PortalSettings {
    /// What browsers send as `Origin` of the portal's pages, where the settings say where the portal is.
    pub fn own_origin(&self) -> Option<String> {
        origin(self.url.as_deref()?)
    }
}

impl Reader<'_> {
    pub(super) fn portal(&mut self) -> Option<PortalSettings> {
        let flag = |reader: &mut Self, name| reader.parsed(name, "true or false", parse_bool);
        let enabled = flag(self, "portal.enabled");
        let listen = self.addresses("portal.listen");
        let listen_tls = self.addresses("portal.listen_tls");
        let url = self.optional("portal.url", "http://… or https://…", parse_url);
        let proxy_url = self.optional("portal.proxy_url", "http://… or https://…", parse_url);
        let auto_approve = flag(self, "portal.auto_approve");
        let email_verification = flag(self, "portal.email_verification");
        let hide_accounts = flag(self, "portal.hide_accounts");
        let app_auth = self.parsed("portal.app_auth", "kong-oauth2 or external-oauth2", |text| {
            [AppAuth::KongOauth2, AppAuth::ExternalOauth2].into_iter().find(|known| known.name() == text)
        });
        let cors_origins = self.list("portal.cors_origins", |text| {
            parse_origin(text).ok_or_else(|| format!("`{text}` is not an origin, such as https://portal.example.com"))
        });
        let secure_cookies = flag(self, "portal.secure_cookies");
        Some(PortalSettings {
            enabled: enabled?,
            listen,
            listen_tls,
            url,
            proxy_url,
            auto_approve: auto_approve?,
            email_verification: email_verification?,
            hide_accounts: hide_accounts?,
            app_auth: app_auth?,
            cors_origins,
            secure_cookies: secure_cookies?,
        })
    }

    pub(super) fn mail(&mut self) -> MailSettings {
        let url = self.optional("smtp.url", "smtp://… or smtps://…", |text| {
            (text.starts_with("smtp://") || text.starts_with("smtps://")).then(|| Secret::new(text))
        });
        let from = self.layers.text("smtp.from").trim().to_owned();
        let admin_emails = self.list("smtp.admin_emails", |text| {
            text.contains('@').then(|| text.to_owned()).ok_or_else(|| format!("`{text}` is not an e-mail address"))
        });
        MailSettings { url, from, admin_emails }
    }
}

/// A URL that paths can be put behind.
fn parse_url(text: &str) -> Option<String> {
    let sound = text.starts_with("http://") || text.starts_with("https://");
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let plain = !rest.is_empty() && !rest.contains(['?', '#', ' ', '"', '<']);
    (sound && plain).then(|| text.trim_end_matches('/').to_owned())
}

/// What browsers send as `Origin`: scheme, host in small letters, port unless it is the scheme's own.
fn parse_origin(text: &str) -> Option<String> {
    let url = parse_url(text)?;
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    if authority.contains(['/', '@', '*']) { None } else { origin(&url) }
}

fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?.to_ascii_lowercase();
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    Some(format!("{scheme}://{}", authority.strip_suffix(own_port).unwrap_or(&authority)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_send_them() {
        assert_eq!(parse_origin("https://P.example:443/").as_deref(), Some("https://p.example"));
        assert_eq!(parse_origin("http://localhost:3000").as_deref(), Some("http://localhost:3000"));
        for bad in ["null", "*", "https://*.example", "https://a/b", "https://u@a", "a.example"] {
            assert_eq!(parse_origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn urls_lose_their_last_slash() {
        assert_eq!(parse_url("https://a.example/x/").as_deref(), Some("https://a.example/x"));
        for bad in ["", "a.example", "ftp://a", "https://", "https://a?x", "javascript:alert(1)"] {
            assert_eq!(parse_url(bad), None, "{bad}");
        }
    }
}
