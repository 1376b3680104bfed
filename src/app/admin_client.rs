//! Asking an Admin API, our own or Kong's, from the command line.

use std::path::Path;

use serde_json::Value;

use super::error::Failure;
use crate::domain::Secret;
use crate::exchange::Client;

/// Entities per page, the most that Kong gives.
const PAGE: usize = 1000;
/// Pages of one list: more than anybody has, so one that has no end ends.
const MOST_PAGES: usize = 10_000;

/// One Admin API, and who asks it.
pub(super) struct AdminClient {
    client: Client,
    base: String,
}

impl AdminClient {
    /// `url` may lack its scheme: `127.0.0.1:8001`.
    ///
    /// # Errors
    /// Exit 64: no address of an Admin API, or a file that cannot be read.
    pub(super) fn new(url: &str, token_file: Option<&Path>) -> Result<Self, Failure> {
        let base = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let base = base.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(Failure::setting(format!("--url {url}: it should begin with http:// or https://")));
        }
        let token = token_file.map(read_token).transpose()?;
        let client = Client::new(&base, "Kong-Admin-Token", token);
        let client = client.map_err(|problem| Failure::setting(format!("--url {url}: {problem}")))?;
        Ok(Self { client, base })
    }

    /// One answer; `path` begins with a slash.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let place = format!("{}{path}", self.base);
        let answer = self.client.get(path).await;
        let (status, body) =
            answer.map_err(|problem| Failure::Failed(format!("no answer from {}: {problem}", self.base)))?;
        match status {
            200 => serde_json::from_slice(&body)
                .map_err(|error| Failure::Failed(format!("{place} is no Admin API: its answer is no JSON ({error})"))),
            401 | 403 => Err(Failure::Failed(format!("{place} wants an admin token: give one with --token-file"))),
            status => Err(Failure::Failed(format!("{place} answers {status}"))),
        }
    }

    /// Every entity of a collection, page by page.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let (mut all, mut from) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let mut page = self.get(&format!("{path}?size={PAGE}{from}")).await?;
            if let Some(entities) = page["data"].as_array_mut() {
                all.append(entities);
            }
            let Some(offset) = page["offset"].as_str() else { return Ok(all) };
            let offset: String = form_urlencoded::byte_serialize(offset.as_bytes()).collect();
            from = format!("&offset={offset}");
        }
        Err(Failure::Failed(format!("{}{path} has no last page", self.base)))
    }
}

fn read_token(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::setting(format!("--token-file {}: {error}", path.display())))?;
    Ok(Secret::new(text.trim().to_owned()))
}
