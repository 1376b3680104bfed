//! Programs in Python that tests start: services and clients that people use.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Gateway, client};

/// A Python with grpcio and websockets, in the folder of the tests.
pub fn python() -> Command {
    let python = std::env::var("TOLLGATE_TEST_PYTHON");
    let mut command =
        Command::new(python.expect("set TOLLGATE_TEST_PYTHON to a Python with grpcio and websockets; tests/run does"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    command
}

/// A service that prints its port; ended with the test.
pub struct Program {
    process: Child,
    pub port: u16,
}

impl Program {
    pub fn start(script: &str) -> Self {
        let mut process = python().arg(script).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes an entity.
pub async fn made(gateway: &Gateway, path: &str, body: Value) -> Value {
    let made = client().post(gateway.admin(path)).json(&body).send().await.unwrap();
    let (status, text) = (made.status(), made.text().await.unwrap());
    assert_eq!(status, 201, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}
