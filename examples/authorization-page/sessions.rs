//! Sessions live in this process; a browser has an unguessable name of one in a cookie that no script can read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{COOKIE, HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const LIFE: Duration = Duration::from_secs(3600);
/// Anybody can begin a session; this many are kept at once, the oldest go first.
const MOST: usize = 10_000;

pub struct Sessions<T> {
    cookie: &'static str,
    kept: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T: Clone> Sessions<T> {
    pub fn named(cookie: &'static str) -> Self {
        Self { cookie, kept: Mutex::default() }
    }

    /// Begins a session. Its cookie goes with links from other sites, since that is how people arrive, but with no
    /// form of another site. Served over https, as yours is, it is also `Secure` and named `__Host-…`.
    pub fn begin(&self, value: T) -> String {
        let name = secret();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (since, _)| since.elapsed() < LIFE);
        if kept.len() >= MOST
            && let Some(oldest) = kept.iter().min_by_key(|(_, (since, _))| *since).map(|(name, _)| name.clone())
        {
            kept.remove(&oldest);
        }
        let cookie = format!("{}={name}; Path=/; HttpOnly; SameSite=Lax", self.cookie);
        kept.insert(name, (Instant::now(), value));
        cookie
    }

    /// What the browser's session holds.
    pub fn find(&self, headers: &HeaderMap) -> Option<T> {
        let name = self.name_in(headers)?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&name).filter(|(since, _)| since.elapsed() < LIFE).map(|(_, value)| value.clone())
    }

    /// Ends the browser's session and gives what it held.
    pub fn end(&self, headers: &HeaderMap) -> Option<T> {
        let name = self.name_in(headers)?;
        let ended = self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        ended.filter(|(since, _)| since.elapsed() < LIFE).map(|(_, value)| value)
    }

    fn name_in(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie).map(|(_, value)| value.to_owned())
    }
}

/// 256 random bits as 43 letters: a session's name, a CSRF token, a `state`, a PKCE verifier.
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
