//! An Admin API that answers as Kong's does, quirks included.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::house::read_head;

/// How the API is today.
#[derive(Clone)]
pub struct Kong {
    lists: Arc<HashMap<String, Vec<Value>>>,
    /// Rows of a page, whatever is asked for.
    page: usize,
    token: Option<&'static str>,
    flaw: Flaw,
    /// Pages of tokens answered so far.
    pub served: Arc<Mutex<usize>>,
    /// From which page of tokens on it answers nothing while this is true.
    stuck: (usize, watch::Receiver<bool>),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Flaw {
    None,
    /// Every page points to the first.
    Circle,
    /// Answers that end nowhere.
    Endless,
    Garbage,
}

impl Kong {
    pub fn new(lists: Value, page: usize) -> Self {
        let lists = lists.as_object().unwrap().iter();
        let lists = lists.map(|(name, rows)| (name.clone(), rows.as_array().unwrap().clone())).collect();
        let stuck = (usize::MAX, watch::channel(false).1);
        Self { lists: Arc::new(lists), page, token: None, flaw: Flaw::None, served: Arc::default(), stuck }
    }

    pub fn asking_for(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }

    pub fn with(mut self, flaw: Flaw) -> Self {
        self.flaw = flaw;
        self
    }

    /// Stops answering at this page of tokens, until the sender says false.
    pub fn stuck_at(mut self, page: usize) -> (Self, watch::Sender<bool>) {
        let (sender, receiver) = watch::channel(true);
        self.stuck = (page, receiver);
        (self, sender)
    }

    pub async fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().answer_all(stream));
            }
        });
        address
    }

    async fn answer_all(self, mut stream: TcpStream) {
        while let Some(head) = read_head(&mut stream).await {
            let target = head.split(' ').nth(1).unwrap().to_owned();
            let allowed =
                self.token.is_none_or(|token| head.to_lowercase().contains(&format!("kong-admin-token: {token}\r\n")));
            if target.starts_with("/oauth2_tokens") {
                let page = {
                    let mut served = self.served.lock().unwrap();
                    *served += 1;
                    *served
                };
                if page >= self.stuck.0 {
                    let mut stuck = self.stuck.1.clone();
                    let _ = stuck.wait_for(|stuck| !stuck).await;
                }
            }
            if self.flaw == Flaw::Endless {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
                let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
                while stream.write_all(&chunk).await.is_ok() {}
                return;
            }
            let (status, body) =
                if allowed { self.answer(&target) } else { (401, json!({"message": "Unauthorized"}).to_string()) };
            let text = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            if stream.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, target: &str) -> (u16, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if self.flaw == Flaw::Garbage {
            return (200, "<html>it works</html>".to_owned());
        }
        if path == "/" {
            return (200, json!({"version": "3.9.1", "tagline": "Welcome to kong"}).to_string());
        }
        let Some(rows) = self.lists.get(path.trim_start_matches('/')) else {
            return (404, json!({"message": "Not found"}).to_string());
        };
        let begin = query.split('&').find_map(|pair| pair.strip_prefix("offset="));
        let begin: usize =
            begin.map_or(0, |offset| offset.trim_start_matches("WyJ").trim_end_matches("%3D%3D").parse().unwrap());
        let page: Vec<Value> = rows.iter().skip(begin).take(self.page).cloned().collect();
        // An empty list is written as a record, the end as null, and no total is told.
        let data = if page.is_empty() { json!({}) } else { json!(page) };
        let end = begin + self.page;
        let next = if self.flaw == Flaw::Circle { Some(0) } else { (end < rows.len()).then_some(end) };
        let mut answer = json!({ "data": data, "next": null });
        if let Some(next) = next {
            let offset = format!("WyJ{next}==");
            answer["next"] = format!("{path}?offset={offset}").into();
            answer["offset"] = offset.into();
        }
        (200, answer.to_string())
    }
}
