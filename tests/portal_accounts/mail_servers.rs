//! Mail servers: a real one, and such as do not do what they should.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::house::Mail;

const PATIENCE: Duration = Duration::from_secs(30);

/// aiosmtpd, and what it has taken.
pub struct Python {
    child: Child,
    pub port: u16,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Python {
    pub fn start(options: &[&str]) -> Self {
        Self::start_at(0, options)
    }

    /// On this port; 0 is any.
    pub fn start_at(port: u16, options: &[&str]) -> Self {
        let python = std::env::var("TOLLGATE_TEST_PYTHON")
            .expect("set TOLLGATE_TEST_PYTHON to a Python with aiosmtpd; tests/run does");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/portal_accounts/mail_server.py");
        let mut command = Command::new(python);
        command.arg(script).arg(port.to_string()).args(options).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().expect("the mail server starts").unwrap().parse().unwrap();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let shelf = Arc::clone(&taken);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                shelf.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, port, taken }
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    pub fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap().clone()
    }

    /// Whole, as soon as it is there.
    pub async fn whole(&self, to: &str, subject: &str) -> Value {
        let begun = Instant::now();
        loop {
            let fits = |mail: &&Value| mail["to"][0] == to && mail["head"]["subject"] == subject;
            if let Some(mail) = self.taken().iter().rfind(fits) {
                return mail.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "no mail `{subject}` to {to}: {:?}", self.taken());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn mail(&self, to: &str, subject: &str) -> Mail {
        let whole = self.whole(to, subject).await;
        Mail { subject: subject.to_owned(), text: whole["text"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says nothing, however long one waits.
pub fn silent() -> SocketAddr {
    serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())))
}

/// Refuses every recipient with this answer.
pub fn refusing(answer: &'static str) -> SocketAddr {
    serve(move |stream| {
        let mut writer = stream.try_clone().unwrap();
        let _ = writer.write_all(b"220 here\r\n");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let said = match line.get(..4) {
                Some("RCPT") => format!("{answer}\r\n"),
                Some("QUIT") => return,
                _ => "250 well\r\n".to_owned(),
            };
            if writer.write_all(said.as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// A port where nobody listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn serve(speak: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let speak = speak.clone();
            std::thread::spawn(move || speak(stream));
        }
    });
    address
}
