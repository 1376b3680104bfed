//! What is parsed, and what must hold of it.

use bytes::BytesMut;
use tollgate::domain::Keyring;
use tollgate::message::{
    BodyLength, Decoded, Decoder, HeadLimits, Headers, Pseudo, RequestHead, ResponseHead, Scan, complete_head,
    is_authority, read_request, read_response,
};
use tollgate::router::{escape_into, normalize};

/// One parser with its oracles.
pub struct Target {
    pub name: &'static str,
    pub seeds: &'static [&'static [u8]],
    pub words: &'static [&'static [u8]],
    /// Panics where an oracle is broken. Whether the input was taken.
    pub judge: fn(&[u8]) -> bool,
}

const FIELDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b": ",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: a\r\n",
    b"Connection: close\r\n",
    b"Upgrade: websocket\r\n",
    b"Expect: 100-continue\r\n",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"0",
    b"10",
    b"-1",
    b"99999999999999999999",
    b"chunked",
    b",",
    b";",
    b"\x80",
    b"\r\n ",
    b"http://",
];

pub const TARGETS: &[Target] = &[
    Target {
        name: "request",
        seeds: &[
            b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
            b"POST http://a:80/ HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nabc",
            b"PUT /x HTTP/1.1\r\nHost: [::1]:8\r\nTransfer-Encoding: chunked\r\nConnection: a, b\r\n\r\n",
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        ],
        words: FIELDS,
        judge: request,
    },
    Target {
        name: "response",
        seeds: &[
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            b"HTTP/1.0 204 \r\n\r\n",
            b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n",
        ],
        words: FIELDS,
        judge: response,
    },
    Target {
        name: "chunked",
        seeds: &[b"5\r\nhello\r\n0\r\n\r\n", b"a;b=c\r\n0123456789\r\n1\r\nx\r\n0\r\nTrailer: 1\r\n\r\n"],
        words: &[b"\r\n", b"\n", b"0", b"ff", b"FFFFFFFFFFFFFFFF", b";", b" ", b"0\r\n\r\n", b"1\r\nA\r\n"],
        judge: chunked,
    },
    Target {
        name: "stream",
        seeds: &[
            b"GET\0/a?b=c\0a.example\0\0accept\0*/*",
            b"CONNECT\0/chat\0a\0websocket\0host\0a\0content-length\x005",
        ],
        words: &[
            b"\0",
            b"host",
            b"content-length",
            b"transfer-encoding",
            b"expect",
            b"*",
            b"/",
            b"@",
            b"websocket",
            b"1",
        ],
        judge: stream,
    },
    Target {
        name: "path",
        seeds: &[b"/a/./b/../c//d", b"/%2e%2E/%2f%41/%c3%a4", b"*", b"/a%00b%zz%"],
        words: &[b"/", b"//", b"..", b".", b"%2e", b"%2F", b"%25", b"%", b"%c3%28", b"/../", b"\\"],
        judge: path,
    },
    Target {
        name: "token",
        seeds: &[b"AAA0123456789abcdefABCDEFghijklm", b"short", b""],
        words: &[b"\0", b"~", b"Z", b"\xff"],
        judge: token,
    },
];

/// Reads a head from pieces of this length.
fn read_in_pieces<T>(
    bytes: &[u8],
    piece: usize,
    mut read: impl FnMut(&mut BytesMut) -> Option<T>,
) -> Option<(T, BytesMut)> {
    let mut buffer = BytesMut::new();
    for part in bytes.chunks(piece) {
        buffer.extend_from_slice(part);
        if let Some(done) = read(&mut buffer) {
            return Some((done, buffer));
        }
    }
    None
}

fn request(bytes: &[u8]) -> bool {
    let limits = HeadLimits { head: 1024, line: 256 };
    let read = |piece| {
        let (mut scan, mut head) = (Scan::default(), RequestHead::default());
        let read = read_in_pieces(bytes, piece, |buffer| match read_request(buffer, &mut scan, &limits, &mut head) {
            Ok(frame) => frame.map(Ok),
            Err(refusal) => Some(Err(refusal)),
        });
        read.map(|(outcome, _)| (outcome, head))
    };
    let (whole, split) = (read(bytes.len().max(1)), read(1));
    match (&whole, &split) {
        (Some((Ok(frame), head)), Some((Ok(again), same))) => {
            assert_eq!(
                (frame, head.path(), head.host()),
                (again, same.path(), same.host()),
                "pieces change the meaning"
            );
            assert!(clean(&head.headers) && !head.path().contains(&b' '), "something ends a line");
            assert!(head.host().is_empty() || is_authority(head.host()), "a host that is none");
            let both = ["content-length", "transfer-encoding"].map(|name| head.headers.all(name).count());
            assert!(both[0] + both[1] <= 1, "two lengths");
            assert_eq!(both[1] == 1, frame.body == BodyLength::Chunked);
            true
        }
        (Some((Ok(_), _)), _) | (_, Some((Ok(_), _))) => panic!("pieces change whether it is taken"),
        _ => false,
    }
}

/// Nothing in it would begin another line when it is written again.
fn clean(headers: &Headers) -> bool {
    let ends = |text: &[u8]| text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    headers.iter().all(|(name, value)| !name.is_empty() && !ends(name) && !ends(value) && !name.contains(&b':'))
}

fn response(bytes: &[u8]) -> bool {
    let read = |piece| {
        let (mut scan, mut head) = (Scan::default(), ResponseHead::default());
        let read =
            read_in_pieces(bytes, piece, |buffer| match read_response(buffer, &mut scan, 1024, false, &mut head) {
                Ok(frame) => frame.map(Some),
                Err(_) => Some(None),
            });
        read.and_then(|(frame, _)| frame).map(|frame| (frame, head))
    };
    let (whole, split) = (read(bytes.len().max(1)), read(1));
    match (&whole, &split) {
        (Some((frame, head)), Some((again, same))) => {
            assert_eq!((frame, head.status), (again, same.status), "pieces change the meaning");
            assert!(clean(&head.headers), "something ends a line");
            assert!((100..1000).contains(&head.status));
            true
        }
        (None, None) => false,
        _ => panic!("pieces change whether it is taken"),
    }
}

/// The body, and what is left behind its end; `None`: refused, or not whole.
fn decoded(bytes: &[u8], piece: usize) -> Option<(Vec<u8>, usize)> {
    let (mut decoder, mut buffer, mut body) = (Decoder::default(), BytesMut::new(), Vec::new());
    let mut given = 0;
    for part in bytes.chunks(piece) {
        buffer.extend_from_slice(part);
        given += part.len();
        loop {
            match decoder.decode(&mut buffer).ok()? {
                Decoded::Data(data) => {
                    assert!(!data.is_empty());
                    body.extend_from_slice(&data);
                }
                Decoded::More => break,
                Decoded::End => return Some((body, given - buffer.len())),
            }
        }
    }
    None
}

fn chunked(bytes: &[u8]) -> bool {
    let (whole, split) = (decoded(bytes, bytes.len().max(1)), decoded(bytes, 1));
    assert_eq!(whole, split, "pieces change the meaning");
    whole.is_some()
}

fn stream(bytes: &[u8]) -> bool {
    let mut parts = bytes.split(|byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let (method, path, authority, protocol) = (next(), next(), next(), next());
    fn present(part: &[u8]) -> Option<&[u8]> {
        (!part.is_empty()).then_some(part)
    }
    let mut head = RequestHead::default();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        head.headers.push(name, value);
    }
    let pseudo = Pseudo { method, path, authority: present(authority), protocol: present(protocol) };
    let Ok(frame) = complete_head(pseudo, false, &mut head) else { return false };
    assert!(is_authority(head.host()), "a host that is none");
    assert!(head.path() == b"*" || head.path().starts_with(b"/"));
    let in_line = |text: &[u8]| text.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
    assert!(in_line(head.path()) && head.query().is_none_or(in_line), "something ends a line");
    assert_eq!(head.headers.all("transfer-encoding").count(), 0);
    assert!(!frame.upgrade || head.method() == b"GET");
    true
}

/// As a path arrives: with whole escapes only.
fn path(bytes: &[u8]) -> bool {
    let asked = Pseudo { method: b"GET", path: bytes, authority: Some(b"a"), protocol: None };
    let mut head = RequestHead::default();
    if complete_head(asked, true, &mut head).is_err() {
        return false;
    }
    let bytes = head.path();
    let once = normalize(bytes);
    assert_eq!(normalize(&once), once, "normal is not normal");
    let segments = |path: &[u8]| path.split(|byte| *byte == b'/').any(|segment| segment == b".." || segment == b".");
    let is_rooted = bytes.starts_with(b"/");
    assert!(!is_rooted || !segments(&once), "a way up is left: {}", once.escape_ascii());
    let mut escaped = BytesMut::new();
    let mut out = Vec::new();
    escape_into(&once, &mut out);
    escaped.extend_from_slice(&out);
    assert!(escaped.iter().all(|byte| *byte > b' ' && *byte < 0x7f), "something ends a line");
    is_rooted
}

fn token(bytes: &[u8]) -> bool {
    thread_local! {
        static KEYRING: Keyring = Keyring::new([1; 32], [2; 32]);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    KEYRING.with(|keyring| {
        assert_eq!(keyring.digest(bytes), keyring.digest(bytes));
        assert!(!keyring.is_minted(text), "a stamp was guessed");
        true
    })
}
