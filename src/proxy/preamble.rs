//! What a balancer in front says before a client's first byte: the PROXY protocol (versions 1 and 2), believed
//! of trusted peers alone.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Most that a header may have. Those of version 1 have at most 107 bytes; a longer one of version 2 is all extensions.
const MOST: usize = 4096;
/// How long to wait for the rest of a header that came in parts, which balancers do not do.
const PAUSE: Duration = Duration::from_millis(5);
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

enum Judged {
    /// The client's own bytes begin at once.
    None,
    More,
    /// So many bytes; whom they name, unless the balancer speaks for itself.
    Header(usize, Option<SocketAddr>),
    Bad,
}

/// Reads the first bytes into `input`, takes the header off them, if there is one, and gives the client it names.
///
/// # Errors
/// It is not one, or ended amidst. The connection is of no more use.
pub(super) async fn read(stream: &mut TcpStream, input: &mut BytesMut) -> Result<Option<SocketAddr>, ()> {
    input.reserve(MOST);
    loop {
        if stream.read_buf(input).await.map_err(drop)? == 0 {
            return Err(());
        }
        match judge(input) {
            Judged::None => return Ok(None),
            Judged::Bad => return Err(()),
            Judged::Header(length, client) => {
                input.advance(length);
                return Ok(client);
            }
            Judged::More if input.len() >= MOST => return Err(()),
            Judged::More => {}
        }
    }
}

/// The same, but for the header, of a stream whose bytes TLS has to find as they came.
///
/// # Errors
/// As [`read`].
pub(super) async fn take(stream: &mut TcpStream) -> Result<Option<SocketAddr>, ()> {
    let mut seen = vec![0; MOST];
    loop {
        let length = stream.peek(&mut seen).await.map_err(drop)?;
        match judge(&seen[..length]) {
            Judged::None => return Ok(None),
            Judged::Bad => return Err(()),
            Judged::Header(length, client) => {
                stream.read_exact(&mut seen[..length]).await.map_err(drop)?;
                return Ok(client);
            }
            Judged::More if length == MOST => return Err(()),
            Judged::More => sleep(PAUSE).await,
        }
    }
}

fn judge(bytes: &[u8]) -> Judged {
    let begins = |what: &[u8]| bytes.iter().zip(what).all(|(seen, expected)| seen == expected);
    if bytes.is_empty() || !(begins(b"PROXY ") || begins(SIGNATURE)) {
        return Judged::None;
    }
    let config = ParseConfig { include_tlvs: false, allow_v1: true, allow_v2: true };
    match ProxyHeader::parse(bytes, config) {
        Ok((header, length)) => Judged::Header(length, header.proxied_address().map(|address| address.source)),
        Err(Error::BufferTooShort) => Judged::More,
        Err(_) => Judged::Bad,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(bytes: &[u8]) -> Option<String> {
        match judge(bytes) {
            Judged::Header(length, client) => Some(format!("{length} {client:?}")),
            _ => None,
        }
    }

    #[test]
    fn both_versions_name_the_client() {
        let first = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n";
        assert_eq!(client(first).as_deref(), Some("45 Some(192.0.2.1:56324)"));
        let second =
            [SIGNATURE, &[0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb], b"\x16\x03"].concat();
        assert_eq!(client(&second).as_deref(), Some("28 Some(192.0.2.1:56324)"));
        let local = [SIGNATURE, &[0x20, 0, 0, 0]].concat();
        assert_eq!(client(&local).as_deref(), Some("16 None"));
        assert_eq!(client(b"PROXY UNKNOWN\r\n").as_deref(), Some("15 None"));
    }

    #[test]
    fn what_is_none_is_the_clients_own() {
        assert!(matches!(judge(b"GET / HTTP/1.1\r\n"), Judged::None));
        assert!(matches!(judge(b"PRI * HTTP/2.0\r\n"), Judged::None));
        assert!(matches!(judge(b"\x16\x03\x01"), Judged::None));
        assert!(matches!(judge(b"\r\n\r\nGET"), Judged::None));
        assert!(matches!(judge(b"PROXY TCP4 192.0."), Judged::More));
        assert!(matches!(judge(&SIGNATURE[..5]), Judged::More));
        assert!(matches!(judge(b"PROXY TCP4 nobody here 1 2\r\n"), Judged::Bad));
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_panics(kind in 0_usize..3, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            let begin: &[u8] = [&b""[..], b"PROXY ", SIGNATURE][kind];
            if let Judged::Header(length, _) = judge(&[begin, &rest[..]].concat()) {
                prop_assert!(length <= begin.len() + rest.len());
            }
        }
    }
}
