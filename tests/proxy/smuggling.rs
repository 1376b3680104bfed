//! Requests that two servers could read differently, each with what we answer. Behind each comes a request that only
//! somebody who read it otherwise would see as one.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;

use crate::house::{House, configured, run, upstream};

/// Reaches the upstream only where the end of the request before it was misread.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a shape is answered.
enum Is {
    /// Refused with this status; nothing reaches the upstream, and the connection ends.
    Refused(u16),
    /// A request like any other, and what follows is its body.
    Taken,
}

use Is::{Refused, Taken};

/// Name, request head with body; what we answer.
const SHAPES: &[(&str, &str, Is)] = &[
    // Two lengths.
    (
        "length and chunks",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        Refused(400),
    ),
    (
        "chunks and length",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    ("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n", Refused(400)),
    ("one length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", Refused(400)),
    ("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n", Refused(400)),
    (
        "lengths of two spellings",
        "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\nCONTENT-LENGTH: 44\r\n\r\n",
        Refused(400),
    ),
    // Odd numbers.
    ("a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n", Refused(400)),
    ("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", Refused(400)),
    ("a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n", Refused(400)),
    ("a length with a space", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0 0\r\n\r\n", Refused(400)),
    ("a length with an exponent", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0e1\r\n\r\n", Refused(400)),
    (
        "a length beyond all numbers",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
        Refused(400),
    ),
    ("an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", Refused(400)),
    // Odd encodings.
    ("an unknown encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Refused(400)),
    (
        "a list of encodings",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    (
        "chunked twice in a list",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    (
        "chunked twice",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    (
        "chunked and identity",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    (
        "chunked in quotes",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    (
        "chunked with a parameter",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    ("an empty encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", Refused(400)),
    ("a vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", Refused(400)),
    (
        "an encoding in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Refused(400),
    ),
    (
        "an encoding with an underscore",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n",
        Refused(400),
    ),
    ("a length with a dot", "POST / HTTP/1.1\r\nHost: a\r\nContent.Length: 44\r\n\r\n", Refused(400)),
    // Odd fields.
    ("a space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 44\r\n\r\n", Refused(400)),
    ("a tab before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n", Refused(400)),
    ("a folded value", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", Refused(400)),
    ("a folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refused(400)),
    ("a field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", Refused(400)),
    ("a field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length 44\r\n\r\n", Refused(400)),
    ("a name with a NUL", "GET / HTTP/1.1\r\nHost: a\r\nA\0: b\r\n\r\n", Refused(400)),
    ("a value with a NUL", "GET / HTTP/1.1\r\nHost: a\r\nA: b\0\r\n\r\n", Refused(400)),
    ("a name with a bracket", "GET / HTTP/1.1\r\nHost: a\r\nA]: b\r\n\r\n", Refused(400)),
    // Odd ends of lines.
    ("line feeds alone", "GET / HTTP/1.1\nHost: a\n\n", Refused(400)),
    ("a line feed within a value", "GET / HTTP/1.1\r\nHost: a\r\nA: b\nContent-Length: 44\r\n\r\n", Refused(400)),
    ("a carriage return within a value", "GET / HTTP/1.1\r\nHost: a\r\nA: b\rContent-Length: 44\r\n\r\n", Refused(400)),
    ("a line feed before the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", Refused(400)),
    // Hosts.
    ("no host", "GET / HTTP/1.1\r\n\r\n", Refused(400)),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refused(400)),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refused(400)),
    ("a host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Refused(400)),
    ("a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Refused(400)),
    // Request lines.
    ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ("a space in the path", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(505)),
    ("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ("half an escape", "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ("an escape within an escape", "GET /a/%%32e%%32e/b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ("a version of old", "GET /\r\n\r\n", Refused(400)),
    ("a version to come", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refused(505)),
    ("an odd version", "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ("a tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(405)),
    ("an expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 0\r\n\r\n", Refused(417)),
    // Chunks.
    (
        "a chunk size with a sign",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
        Refused(400),
    ),
    (
        "a chunk size with a prefix",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        Refused(400),
    ),
    (
        "a chunk size with a space",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 0\r\n\r\n",
        Refused(400),
    ),
    (
        "a chunk size beyond all numbers",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
        Refused(400),
    ),
    (
        "a chunk that ends in a line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nA\n0\n\n",
        Refused(400),
    ),
    (
        "a chunk longer than it says",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nAB\r\n0\r\n\r\n",
        Refused(400),
    ),
    (
        "a line feed in an extension",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;a\n\r\n\r\n",
        Refused(400),
    ),
    // What looks odd and is not.
    ("a body that looks like a request", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n", Taken),
    (
        "CHUNKED",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nConnection: close\r\n\r\n0\r\n\r\n",
        Taken,
    ),
    ("an absolute target", "GET http://a/ HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n", Taken),
];

#[test]
fn nobody_is_told_of_a_request_that_was_not_one() {
    run(async {
        assert_eq!(SMUGGLED.len(), 35, "the length that one of the shapes names");
        assert!(SHAPES.len() >= 40);
        for (name, shape, is) in SHAPES {
            let seen = Rc::new(RefCell::new(Vec::new()));
            let told = seen.clone();
            let address = upstream(move |mut client, _| {
                let told = told.clone();
                async move {
                    while let Some(request) = client.request().await {
                        told.borrow_mut().push(request.head.lines().next().unwrap().to_owned());
                        client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                    }
                }
            })
            .await;
            let house = House::build(configured(address, json!({}), json!({})));
            let mut client = house.connect().await;
            client.send(format!("{shape}{SMUGGLED}").as_bytes()).await;
            let reply = client.reply().await;
            match is {
                Refused(status) => {
                    assert_eq!(reply.status, *status, "{name}: {}", reply.head);
                    assert_eq!(reply.field("connection"), Some("close"), "{name}");
                    assert!(!client.more().await, "{name}: something comes after the refusal");
                }
                Taken => assert_eq!(reply.status, 200, "{name}: {}", reply.head),
            }
            drop(client);
            let seen = seen.borrow();
            assert!(seen.iter().all(|line| !line.contains("smuggled")), "{name}: {seen:?}");
        }
    });
}
