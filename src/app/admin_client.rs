//! Asking an Admin API, our own or Kong's, from the command line.

use std::path::Path;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::Value;

use super::error::Failure;
use crate::domain::Secret;

/// How long one page may take: a thousand entities of a busy database.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of one page; a thousand plugins with long configurations fit.
const LARGEST_PAGE: usize = 64 << 20;
/// Entities per page, the most that Kong gives.
const PAGE: usize = 1000;

/// One Admin API, and who asks it.
pub(super) struct AdminClient {
    http: Client,
    base: Url,
    token: Option<Secret>,
}

impl AdminClient {
    /// `url` may lack its scheme: `127.0.0.1:8001`.
    ///
    /// # Errors
    /// Exit 64: no address of an Admin API, or a file that cannot be read.
    pub(super) fn new(url: &str, token_file: Option<&Path>) -> Result<Self, Failure> {
        let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let whole = format!("{}/", whole.trim_end_matches('/'));
        let base = Url::parse(&whole).map_err(|error| Failure::setting(format!("--url {url}: {error}")))?;
        if !["http", "https"].contains(&base.scheme()) || !base.has_host() {
            return Err(Failure::setting(format!("--url {url}: it should begin with http:// or https://")));
        }
        let token = token_file.map(read_token).transpose()?;
        let http = Client::builder().redirect(Policy::none()).timeout(PATIENCE).no_proxy();
        Ok(Self { http: http.build().map_err(Failure::failed)?, base, token })
    }

    /// One answer; `path` begins with a slash.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let place = self.base.join(path.trim_start_matches('/')).map_err(Failure::failed)?;
        let mut request = self.http.get(place.clone());
        if let Some(token) = &self.token {
            request = request.header("Kong-Admin-Token", token.reveal());
        }
        let silent = |error: reqwest::Error| Failure::Failed(format!("no answer from {place}: {}", innermost(&error)));
        let mut answer = request.send().await.map_err(silent)?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(silent)? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST_PAGE {
                return Err(Failure::Failed(format!("{place} answers with more than {LARGEST_PAGE} bytes")));
            }
        }
        match answer.status().as_u16() {
            200 => serde_json::from_slice(&body)
                .map_err(|error| Failure::Failed(format!("{place} is no Admin API: its answer is no JSON ({error})"))),
            401 | 403 => Err(Failure::Failed(format!("{place} wants an admin token: give one with --token-file"))),
            status => Err(Failure::Failed(format!("{place} answers {status}"))),
        }
    }

    /// Every entity of a collection, page by page.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let mut offset: Option<String> = None;
        loop {
            let from = offset.as_deref().map(|offset| {
                let text: String = form_urlencoded::byte_serialize(offset.as_bytes()).collect();
                format!("&offset={text}")
            });
            let mut page = self.get(&format!("{path}?size={PAGE}{}", from.unwrap_or_default())).await?;
            if let Some(entities) = page["data"].as_array_mut() {
                all.append(entities);
            }
            let next = page["offset"].as_str().map(str::to_owned);
            if next.is_some() && next == offset {
                return Err(Failure::Failed(format!("{path} gives the same page again and again")));
            }
            match next {
                Some(next) => offset = Some(next),
                None => return Ok(all),
            }
        }
    }
}

fn read_token(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::setting(format!("--token-file {}: {error}", path.display())))?;
    Ok(Secret::new(text.trim().to_owned()))
}

/// The cause that says most: "connection refused" stands below several wrappers.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
