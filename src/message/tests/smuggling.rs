//! Heads that two servers might read differently, and what we answer to each.

use super::read;
use crate::message::{BodyLength, Refusal};

/// Each is refused for the reason that stands beside it.
const REFUSED: &[(&str, &[u8], Refusal)] = &[
    (
        "length and encoding",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        Refusal::LengthAndEncoding,
    ),
    (
        "encoding and length",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
        Refusal::LengthAndEncoding,
    ),
    (
        "differing lengths",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        Refusal::RepeatedLength,
    ),
    (
        "repeated equal lengths",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        Refusal::RepeatedLength,
    ),
    ("listed lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", Refusal::Length),
    ("signed length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", Refusal::Length),
    ("negative length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", Refusal::Length),
    ("hexadecimal length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", Refusal::Length),
    ("length with a space inside", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n", Refusal::Length),
    ("empty length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", Refusal::Length),
    (
        "length beyond 64 bits",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\n",
        Refusal::Length,
    ),
    ("fraction as length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\n", Refusal::Length),
    ("vertical tab before length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \x0b5\r\n\r\n", Refusal::Field),
    ("underscored length", b"POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n", Refusal::Imitation),
    ("dotted length", b"POST / HTTP/1.1\r\nHost: a\r\nContent.Length: 5\r\n\r\n", Refusal::Imitation),
    ("underscored encoding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n", Refusal::Imitation),
    ("identity", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", Refusal::Encoding),
    ("gzip, chunked", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Refusal::Encoding),
    (
        "chunked, identity",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        Refusal::Encoding,
    ),
    (
        "chunked twice on a line",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        Refusal::Encoding,
    ),
    (
        "chunked on two lines",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        Refusal::Encoding,
    ),
    (
        "chunked, then something",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
        Refusal::Encoding,
    ),
    ("quoted chunked", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", Refusal::Encoding),
    ("xchunked", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", Refusal::Encoding),
    ("empty encoding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", Refusal::Encoding),
    (
        "chunked with parameter",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n",
        Refusal::Encoding,
    ),
    (
        "vertical tab before chunked",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
        Refusal::Field,
    ),
    ("encoding in HTTP/1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::EncodingInOldVersion),
    ("space before colon", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", Refusal::Field),
    ("tab before colon", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5\r\n\r\n", Refusal::Field),
    ("folded encoding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", Refusal::Field),
    ("folded value", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", Refusal::Field),
    ("fold before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refusal::Field),
    ("no colon", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length\r\n\r\n", Refusal::Field),
    ("no name", b"GET / HTTP/1.1\r\nHost: a\r\n: 5\r\n\r\n", Refusal::Field),
    ("bare LF ends a field", b"GET / HTTP/1.1\r\nHost: a\nContent-Length: 5\r\n\r\n", Refusal::BareLineFeed),
    ("bare LF ends the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", Refusal::BareLineFeed),
    ("bare LF ends the head", b"GET / HTTP/1.1\r\nHost: a\r\n\n", Refusal::BareLineFeed),
    ("bare CR in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 5\r\n\r\n", Refusal::Field),
    ("bare CR before a field", b"GET / HTTP/1.1\r\nHost: a\r\n\rX: a\r\n\r\n", Refusal::Field),
    ("NUL in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", Refusal::Field),
    ("NUL in a name", b"GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n", Refusal::Field),
    ("NUL in the target", b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
    ("control byte in the target", b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
    ("DEL in the target", b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
    ("space in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Version),
    ("fragment in the target", b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Target),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", Refusal::MissingHost),
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refusal::RepeatedHost),
    ("two equal hosts", b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", Refusal::RepeatedHost),
    ("empty host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", Refusal::Host),
    ("listed hosts", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Refusal::Host),
    ("host with user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Refusal::Host),
    ("host with path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refusal::Host),
    ("host with a bad port", b"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", Refusal::Host),
    ("host with no port after its colon", b"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", Refusal::Host),
    ("half of an IPv6 host", b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", Refusal::Host),
    ("user in an absolute target", b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Target),
    ("absolute target of another scheme", b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Target),
    ("absolute target, no host field", b"GET http://a/ HTTP/1.1\r\n\r\n", Refusal::MissingHost),
    ("relative target", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Target),
    ("asterisk with GET", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Target),
    ("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Method),
    ("HTTP/2 preface as text", b"PRI * HTTP/2.0\r\n\r\n", Refusal::Version),
    ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", Refusal::Version),
    ("HTTP/0.9", b"GET /\r\n\r\n", Refusal::RequestLine),
    ("lower-case version", b"GET / http/1.1\r\nHost: a\r\n\r\n", Refusal::Version),
    ("brackets in the method", b"G(E)T / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
    ("unknown expectation", b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", Refusal::Expectation),
];

#[test]
fn shapes_that_smuggle_are_refused_and_for_the_right_reason() {
    for (what, bytes, refusal) in REFUSED {
        let answer = read(bytes).map(|read| read.map(|(_, frame)| frame));
        assert_eq!(answer, Err(*refusal), "{what}");
    }
}

#[test]
fn honest_shapes_are_taken() {
    let accepted: &[(&str, &[u8], &str, &str, BodyLength)] = &[
        ("plain", b"GET /a?b=c HTTP/1.1\r\nHost: x.org\r\n\r\n", "/a", "x.org", BodyLength::NONE),
        ("empty lines first", b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "/", "a", BodyLength::NONE),
        ("absolute", b"GET http://b:81/p HTTP/1.1\r\nHost: a\r\n\r\n", "/p", "b:81", BodyLength::NONE),
        ("absolute, no path", b"GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n", "/", "b", BodyLength::NONE),
        ("asterisk", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*", "a", BodyLength::NONE),
        ("IPv6 host", b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "/", "[::1]:80", BodyLength::NONE),
        ("old version", b"GET / HTTP/1.0\r\n\r\n", "/", "", BodyLength::NONE),
        ("length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:  5 \r\n\r\n", "/", "a", BodyLength::Exact(5)),
        ("chunked", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", "/", "a", BodyLength::Chunked),
        ("empty value", b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", "/", "a", BodyLength::NONE),
    ];
    for (what, bytes, path, host, body) in accepted {
        let (head, frame) = read(bytes).unwrap_or_else(|refusal| panic!("{what}: {refusal}")).unwrap();
        assert_eq!((head.path(), head.host(), frame.body), (path.as_bytes(), host.as_bytes(), *body), "{what}");
    }
}

#[test]
fn heads_that_are_too_large_are_refused_before_they_are_whole() {
    let long_target = [b"GET /".as_slice(), &vec![b'a'; 20_000]].concat();
    assert_eq!(read(&long_target).err(), Some(Refusal::TargetTooLong));
    let long_field = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &vec![b'a'; 70_000]].concat();
    assert_eq!(read(&long_field).err(), Some(Refusal::HeadTooLarge));
    let words = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {}\r\n\r\n", "a,".repeat(33));
    assert_eq!(read(words.as_bytes()).err(), Some(Refusal::Field));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(100));
    assert_eq!(read(many.as_bytes()).err(), Some(Refusal::TooManyFields));
}
