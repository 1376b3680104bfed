//! Lines of curl that call a service, to be copied and run as they stand. The provision key is never in them: it is the API
//! owner's, and developers have no use for it.

/// What stands for the client secret where it is not known any more.
pub const CLIENT_SECRET: &str = "CLIENT_SECRET";

/// Where a service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The proxy, without a slash at the end: `https://127.0.0.1:8443`.
    pub proxy: String,
    /// The path of a route; `/` or empty: every path.
    pub path: String,
    /// The host a route asks for, where the proxy is reached by another.
    pub host: Option<String>,
    /// Whether its certificate is self-signed.
    pub insecure: bool,
}

/// Whose lines they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub client_id: String,
    /// `None`: [`CLIENT_SECRET`] stands in for it.
    pub client_secret: Option<String>,
    pub redirect_uri: Option<String>,
}

/// How a service is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    pub client_credentials: bool,
    pub authorization_code: bool,
    pub implicit: bool,
    pub password: bool,
    /// Asked for in every token request.
    pub scopes: Vec<String>,
    /// The header that carries a token.
    pub token_header: String,
    /// The header that carries an API key, where `client_id` is one.
    pub key_header: Option<String>,
}

impl Ways {
    /// Whether any line of it holds a client secret.
    pub fn needs_secret(&self) -> bool {
        self.client_credentials || self.authorization_code || self.password
    }
}

/// A titled line (or a few) to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub title: &'static str,
    pub hint: &'static str,
    pub text: String,
}

/// The lines for every way a service may be called.
pub fn lines(target: &Target, client: &Client, ways: &Ways) -> Vec<Line> {
    let mut lines = Vec::new();
    let token = |grant: &str, more: &[(&str, &str)]| token_request(target, client, ways, grant, more);
    if ways.client_credentials {
        let request = token("client_credentials", &[]);
        let sed = r#"sed -E 's/.*"access_token":"([^"]+)".*/\1/'"#;
        let text = format!("TOKEN=$({request} | {sed})\n{}", call(target, &ways.token_header, "Bearer $TOKEN"));
        lines.push(Line { title: "Client credentials", hint: "Gets a token and calls the service.", text });
    }
    if ways.authorization_code {
        let redirect = client.redirect_uri.as_deref().map(|uri| ("redirect_uri", uri));
        let more: Vec<_> = std::iter::once(("code", "CODE")).chain(redirect).collect();
        let hint =
            "The login page of the API's owner sends CODE to your redirect URI. Add code_verifier if you used PKCE.";
        lines.push(Line { title: "Authorization code", hint, text: token("authorization_code", &more) });
    }
    if ways.implicit {
        let hint = "The login page of the API's owner sends ACCESS_TOKEN to your redirect URI, after the # sign.";
        let text = call(target, &ways.token_header, "Bearer ACCESS_TOKEN");
        lines.push(Line { title: "Implicit", hint, text });
    }
    if ways.authorization_code || ways.password {
        let hint = match ways.password {
            true => {
                "Users type their passwords at the API's owner only, which hands you both tokens. This gets the next ones."
            }
            false => "Gets the next pair of tokens.",
        };
        let text = token("refresh_token", &[("refresh_token", "REFRESH_TOKEN")]);
        lines.push(Line { title: "Refresh token", hint, text });
    }
    if let Some(header) = &ways.key_header {
        let text = call(target, header, &client.client_id);
        lines.push(Line { title: "API key", hint: "The client ID of your application is its key.", text });
    }
    lines
}

fn token_request(target: &Target, client: &Client, ways: &Ways, grant: &str, more: &[(&str, &str)]) -> String {
    let secret = client.client_secret.as_deref().unwrap_or(CLIENT_SECRET);
    let mut fields = vec![("grant_type", grant), ("client_id", &client.client_id), ("client_secret", secret)];
    fields.extend(more);
    let scopes = ways.scopes.join(" ");
    if !scopes.is_empty() && grant == "client_credentials" {
        fields.push(("scope", &scopes));
    }
    let data: Vec<String> = fields.into_iter().map(|(name, value)| data(name, value)).collect();
    format!("{} \\\n  {}", curl(target, "/oauth2/token"), data.join(" \\\n  "))
}

/// Plain values as they are; others so that curl encodes them.
fn data(name: &str, value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    let option = if value.chars().all(plain) { "-d" } else { "--data-urlencode" };
    format!("{option} {}", quoted(&format!("{name}={value}")))
}

fn call(target: &Target, header: &str, value: &str) -> String {
    // Only what is ours to fill in stands where the shell looks for variables.
    let header = match value.strip_suffix("$TOKEN") {
        Some(before) => format!("{}\"$TOKEN\"", quoted(&format!("{header}: {before}"))),
        None => quoted(&format!("{header}: {value}")),
    };
    format!("{} -H {header}", curl(target, ""))
}

fn curl(target: &Target, endpoint: &str) -> String {
    let path = target.path.trim_end_matches('/');
    let path = if path.is_empty() && endpoint.is_empty() { "/" } else { path };
    let url = quoted(&format!("{}{path}{endpoint}", target.proxy));
    let insecure = if target.insecure { "k" } else { "" };
    let host =
        target.host.as_deref().map(|host| format!(" -H {}", quoted(&format!("Host: {host}")))).unwrap_or_default();
    format!("curl -s{insecure} {url}{host}")
}

/// A word of the shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target { proxy: "https://127.0.0.1:8443".into(), path: "/orders".into(), host: None, insecure: true }
    }

    fn client() -> Client {
        Client { client_id: "id".into(), client_secret: None, redirect_uri: Some("https://app.test/cb".into()) }
    }

    #[test]
    fn every_way_has_its_lines() {
        let ways = Ways {
            client_credentials: true,
            authorization_code: true,
            implicit: true,
            password: true,
            scopes: vec!["read".into(), "write".into()],
            token_header: "authorization".into(),
            key_header: Some("apikey".into()),
        };
        let lines = lines(&target(), &client(), &ways);
        let titles: Vec<_> = lines.iter().map(|line| line.title).collect();
        assert_eq!(titles, ["Client credentials", "Authorization code", "Implicit", "Refresh token", "API key"]);
        let first = &lines[0].text;
        assert!(first.starts_with("TOKEN=$(curl -sk 'https://127.0.0.1:8443/orders/oauth2/token' \\\n"), "{first}");
        assert!(first.contains("-d 'client_secret=CLIENT_SECRET'") && first.contains("'scope=read write'"), "{first}");
        assert!(
            first.ends_with("\ncurl -sk 'https://127.0.0.1:8443/orders' -H 'authorization: Bearer '\"$TOKEN\""),
            "{first}"
        );
        assert!(lines[1].text.contains("--data-urlencode 'redirect_uri=https://app.test/cb'"));
        assert!(lines.iter().all(|line| !line.text.contains("provision")));
        assert_eq!(lines[4].text, "curl -sk 'https://127.0.0.1:8443/orders' -H 'apikey: id'");
    }

    #[test]
    fn nothing_breaks_out_of_its_word() {
        let hostile = Client {
            client_id: "a'; rm -rf $HOME; '".into(),
            client_secret: Some("$(x)`y`".into()),
            redirect_uri: None,
        };
        let ways = Ways { client_credentials: true, token_header: "authorization".into(), ..Ways::default() };
        let text = &lines(&target(), &hostile, &ways)[0].text;
        assert!(text.contains("'client_id=a'\\''; rm -rf $HOME; '\\'''"), "{text}");
        assert!(text.contains("'client_secret=$(x)`y`'"), "{text}");
    }
}
