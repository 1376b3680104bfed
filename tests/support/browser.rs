//! A browser without a script, its cookies kept by hand: they are Secure, and these tests speak plain HTTP.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, Response};

use super::Gateway;
use super::html::{Form, form_to, text};

/// What a page came as.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub location: String,
    pub headers: HeaderMap,
    pub html: String,
}

impl Seen {
    /// A header's value; the empty text when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Clone)]
pub struct Browser<'g> {
    pub gateway: &'g Gateway,
    pub client: &'g Client,
    /// The listener it visits.
    pub listener: &'static str,
    /// What every cookie must say of itself.
    pub attributes: &'static str,
    pub cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, self.gateway.url(self.listener, path));
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    pub async fn see(&mut self, request: RequestBuilder) -> Seen {
        let answer = request.send().await.unwrap();
        self.keep_cookies(&answer);
        let location = answer.headers().get("location").map(|path| path.to_str().unwrap().to_owned());
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Seen { status, location: location.unwrap_or_default(), headers, html: answer.text().await.unwrap() }
    }

    fn keep_cookies(&mut self, answer: &Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains(self.attributes), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn get(&mut self, path: &str) -> Seen {
        self.see(self.request("GET", path)).await
    }

    /// A page that must be there.
    pub async fn page(&mut self, path: &str) -> String {
        let seen = self.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {} {}", seen.location, text(&seen.html));
        seen.html
    }

    /// Fills in the form of a page that is sent to where the page is, and sends it.
    pub async fn fill(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let form = form_to(&self.page(path).await, path);
        self.send(&fields.iter().fold(form, |form, (name, value)| form.set(name, value))).await
    }

    /// Sends a form.
    pub async fn send(&mut self, form: &Form) -> Seen {
        // Line ends as browsers send them.
        let fields: Vec<(String, String)> =
            form.fields.iter().map(|(name, value)| (name.clone(), value.replace('\n', "\r\n"))).collect();
        self.see(self.request("POST", &form.action).form(&fields)).await
    }

    /// Sends a form and gives the page that it leads to.
    pub async fn done(&mut self, form: &Form) -> String {
        let seen = self.send(form).await;
        assert_eq!(seen.status, 303, "{}: {}", form.action, text(&seen.html));
        self.page(&seen.location).await
    }
}
