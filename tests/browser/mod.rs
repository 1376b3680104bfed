//! A headless Chromium, driven over `WebDriver`: the protocol is plain JSON over HTTP, no library needed.

#![expect(dead_code, reason = "each test binary uses a part of this")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);
/// The key of an element's id in answers, fixed by the standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What a page must look good on: width, height, whether it is touched.
const SCREENS: [(&str, u32, u32, bool); 2] = [("phone", 390, 844, true), ("desktop", 1280, 800, false)];

pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    http: reqwest::Client,
    screenshots: PathBuf,
}

impl Browser {
    /// Starts a browser that knows nothing, with its files in `folder`.
    pub async fn open(folder: &Path) -> Self {
        let log = folder.join("chromedriver");
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .expect("chromedriver is missing; tests/run installs it");
        let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        fs::create_dir_all(&screenshots).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let mut browser = Self { driver, port: port(&log), session: String::new(), http, screenshots };
        let profile = format!("--user-data-dir={}", folder.join("chromium").display());
        let flags = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
                     --disable-background-networking --disable-component-update --disable-dev-shm-usage";
        let flags: Vec<&str> = flags.split_whitespace().chain([profile.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": flags } } } });
        let begun = browser.tell("", wanted).await;
        browser.session = format!("/{}", begun["sessionId"].as_str().unwrap());
        browser
    }

    fn url(&self, command: &str) -> String {
        format!("http://127.0.0.1:{}/session{}{command}", self.port, self.session)
    }

    async fn tell(&self, command: &str, body: Value) -> Value {
        let answer = self.http.post(self.url(command)).json(&body).send().await.unwrap();
        read(command, answer).await
    }

    async fn ask(&self, command: &str) -> Value {
        read(command, self.http.get(self.url(command)).send().await.unwrap()).await
    }

    async fn element(&self, css: &str) -> String {
        let found = self.tell("/element", json!({ "using": "css selector", "value": css })).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    pub async fn go(&self, url: &str) {
        self.tell("/url", json!({ "url": url })).await;
    }

    /// Clicks what leads to another page, and waits until that one is there: the driver itself may still answer from
    /// the old one.
    pub async fn follow(&self, css: &str) {
        let (page, element) = (self.element("html").await, self.element(css).await);
        self.tell(&format!("/element/{element}/click"), json!({})).await;
        let begun = Instant::now();
        let old = self.url(&format!("/element/{page}/name"));
        while self.http.get(&old).send().await.unwrap().status().is_success() {
            assert!(begun.elapsed() < PATIENCE, "{css} leads nowhere");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while self.run("return document.readyState").await != "complete" {
            assert!(begun.elapsed() < PATIENCE, "the page behind {css} does not load");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a script gives this text: for pages that something else than a click leads to.
    pub async fn wait_for(&self, script: &str, text: &str) {
        let begun = Instant::now();
        // A page that is just being left has nothing to ask.
        let asked = || self.http.post(self.url("/execute/sync")).json(&json!({ "script": script, "args": [] })).send();
        loop {
            let said: Value = asked().await.unwrap().json().await.unwrap();
            if said["value"] == text {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{script} does not give {text}, but {}", said["value"]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn write(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        self.tell(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    /// What a person reads there.
    pub async fn text(&self, css: &str) -> String {
        let element = self.element(css).await;
        self.ask(&format!("/element/{element}/text")).await.as_str().unwrap().to_owned()
    }

    pub async fn address(&self) -> String {
        self.ask("/url").await.as_str().unwrap().to_owned()
    }

    pub async fn source(&self) -> String {
        self.ask("/source").await.as_str().unwrap().to_owned()
    }

    pub async fn cookie(&self, name: &str) -> Value {
        self.ask(&format!("/cookie/{name}")).await
    }

    pub async fn run(&self, script: &str) -> Value {
        self.tell("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    async fn devtools(&self, command: &str, params: Value) {
        self.ask_devtools(command, params).await;
    }

    async fn ask_devtools(&self, command: &str, params: Value) -> Value {
        self.tell("/goog/cdp/execute", json!({ "cmd": command, "params": params })).await
    }

    /// Presses keys where the focus is: `\u{E004}` is Tab, `\u{E007}` Enter, by the standard.
    pub async fn press(&self, keys: &str) {
        let keys = keys.chars().flat_map(|key| {
            let key = key.to_string();
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        });
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": keys.collect::<Vec<_>>() }] });
        self.tell("/actions", actions).await;
    }

    /// What a mouse can use on this page and the Tab key does not come to.
    pub async fn out_of_keyboards_reach(&self) -> Vec<String> {
        let script = "window.reached = new Set();
            document.addEventListener('focusin', event => window.reached.add(event.target));
            const usable = 'a[href], button:enabled, input:enabled:not([type=hidden]), select, textarea, summary';
            window.usable = [...document.querySelectorAll(usable)].filter(element => element.checkVisibility());
            document.body.tabIndex = -1;
            document.body.focus();
            return window.usable.length";
        let usable = self.run(script).await.as_u64().unwrap();
        self.press(&"\u{E004}".repeat(usize::try_from(usable).unwrap() + 5)).await;
        let missed = "return window.usable.filter(element => !window.reached.has(element)).map(one => one.outerHTML)";
        let missed = self.run(missed).await;
        missed.as_array().unwrap().iter().map(|element| element.as_str().unwrap().to_owned()).collect()
    }

    /// What axe-core finds wrong with the page for people with disabilities, serious and critical faults only; in light
    /// and in dark.
    pub async fn accessibility_faults(&self) -> Vec<String> {
        let modules = std::env::var("TOLLGATE_TEST_NODE_MODULES").expect("run tests/run, or point it at node_modules");
        let axe = fs::read_to_string(Path::new(&modules).join("axe-core/axe.min.js")).unwrap();
        let mut faults = Vec::new();
        for scheme in ["light", "dark"] {
            let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            self.devtools("Emulation.setEmulatedMedia", features).await;
            self.run(&axe).await;
            let script = "return axe.run().then(found => found.violations
                .filter(fault => ['serious', 'critical'].includes(fault.impact))
                .map(fault => fault.id + ': ' + fault.nodes.map(node => node.html).slice(0, 3).join(' | ')))";
            let found = self.run(script).await;
            let found = found.as_array().unwrap().iter().map(|fault| format!("{scheme}: {}", fault.as_str().unwrap()));
            faults.extend(found);
        }
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
        faults
    }

    /// Keeps a picture of the page for each screen, and makes sure that nothing is cut off sideways.
    pub async fn picture(&self, name: &str) {
        for (screen, width, height, mobile) in SCREENS {
            let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
            self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
            let overflows = self.run("return document.documentElement.scrollWidth > window.innerWidth").await;
            assert_eq!(overflows, false, "{name} is wider than a {screen}");
            // The whole page, not only what fits the screen.
            let whole = json!({ "format": "png", "captureBeyondViewport": true });
            let taken = self.ask_devtools("Page.captureScreenshot", whole).await;
            let png = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
            fs::write(self.screenshots.join(format!("{name}-{screen}.png")), png).unwrap();
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }
}

impl Drop for Browser {
    /// The driver ends the browser when the session ends, and only then.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n";
            let _ = write!(stream, "DELETE /session{} {head}", self.session);
            // The driver keeps the connection: the first bytes are its answer.
            let _ = stream.set_read_timeout(Some(PATIENCE));
            let _ = stream.read(&mut [0; 512]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

async fn read(command: &str, answer: reqwest::Response) -> Value {
    let status = answer.status();
    let mut body: Value = answer.json().await.unwrap();
    assert!(status.is_success(), "{command}: {}", body["value"]["message"]);
    body["value"].take()
}

/// The port that the driver chose for itself.
fn port(log: &Path) -> u16 {
    let begun = Instant::now();
    loop {
        let said = fs::read_to_string(log).unwrap();
        if let Some((_, after)) = said.split_once("started successfully on port ")
            && let Some((port, _)) = after.split_once('.')
        {
            return port.parse().unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "chromedriver does not start: {said}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
