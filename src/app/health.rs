//! `tollgate health`: a container probe.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::cli::environment;
use super::error::Failure;
use crate::config::{Layers, Mode};

const PATIENCE: Duration = Duration::from_secs(3);

/// Succeeds when `/status/ready` of the status listener answers 200.
pub(super) fn run(url: Option<&str>) -> Result<(), Failure> {
    let authority = match url {
        Some(url) => {
            let rest = url.strip_prefix("http://").unwrap_or(url);
            rest.split('/').next().unwrap_or_default().to_owned()
        }
        None => default_authority(),
    };
    let status = ask(&authority).map_err(|error| Failure::Failed(format!("no answer from {authority}: {error}")))?;
    if status != 200 {
        return Err(Failure::Failed(format!("{authority} is not ready: it answered {status}")));
    }
    println!("ready");
    Ok(())
}

fn default_authority() -> String {
    let layers = Layers::defaults(Mode::Serve).with_environment(environment());
    let first = layers.text("status.listen").split(',').next().unwrap_or_default().trim();
    // A probe inside the container reaches "every address" through loopback.
    first.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
}

fn ask(authority: &str) -> std::io::Result<u16> {
    let address: SocketAddr = authority.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /status/ready HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    std::str::from_utf8(&head[9..12])
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(std::io::ErrorKind::InvalidData.into())
}
