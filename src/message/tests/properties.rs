//! Whatever bytes come, and however they are cut.

use bytes::BytesMut;
use proptest::prelude::*;

use super::super::{
    BadChunk, Decoded, Decoder, HeadLimits, LAST_CHUNK, Refusal, RequestFrame, RequestHead, ResponseHead, Scan,
    encode_chunk, read_request, read_response,
};

/// Bytes that look like a request often enough to reach the depths of the parser.
fn requestish() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"POST http://a/b?c HTTP/1.0\r\n".to_vec()),
        Just(b"Host: a\r\n".to_vec()),
        Just(b"Content-Length: 5\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Connection: close, X\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

type Taken = Result<Option<(RequestFrame, Vec<u8>, Vec<u8>, usize)>, Refusal>;

/// Feeds the parts one after the other, as a socket would.
fn feed(parts: &[&[u8]]) -> Taken {
    let (mut buffer, mut scan, mut head) = (BytesMut::new(), Scan::default(), RequestHead::default());
    for part in parts {
        buffer.extend_from_slice(part);
        if let Some(frame) = read_request(&mut buffer, &mut scan, &HeadLimits::default(), &mut head)? {
            return Ok(Some((frame, head.path().to_vec(), head.host().to_vec(), head.headers.len())));
        }
    }
    Ok(None)
}

fn decode_all(parts: &[&[u8]]) -> (Result<bool, BadChunk>, Vec<u8>, Vec<u8>) {
    let (mut buffer, mut decoder, mut body) = (BytesMut::new(), Decoder::default(), Vec::new());
    for part in parts {
        buffer.extend_from_slice(part);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Decoded::Data(data)) => body.extend_from_slice(&data),
                Ok(Decoded::More | Decoded::End) => break,
                Err(error) => return (Err(error), body, Vec::new()),
            }
        }
    }
    (Ok(decoder.is_ended()), body, buffer.to_vec())
}

proptest! {
    #[test]
    fn a_request_is_read_alike_wherever_it_is_cut(bytes in requestish(), at in any::<prop::sample::Index>()) {
        let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
        prop_assert_eq!(feed(&[first, second]), feed(&[&bytes]));
    }

    #[test]
    fn no_response_makes_the_parser_panic(bytes in requestish(), status in any::<bool>()) {
        let start: &[u8] = if status { b"HTTP/1.1 200 OK\r\n" } else { b"" };
        let mut buffer = BytesMut::from(&[start, &bytes].concat()[..]);
        let _ = read_response(&mut buffer, &mut Scan::default(), 65_536, false, &mut ResponseHead::default());
    }

    #[test]
    fn what_is_encoded_is_decoded(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..5),
        rest in proptest::collection::vec(any::<u8>(), 0..5),
        at in any::<prop::sample::Index>(),
    ) {
        let mut wire = BytesMut::new();
        chunks.iter().for_each(|chunk| encode_chunk(chunk, &mut wire));
        wire.extend_from_slice(LAST_CHUNK);
        wire.extend_from_slice(&rest);
        let (first, second) = wire.split_at(at.index(wire.len() + 1));
        prop_assert_eq!(decode_all(&[first, second]), (Ok(true), chunks.concat(), rest));
    }

    #[test]
    fn any_bytes_decode_alike_wherever_they_are_cut(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'3'), Just(b';'), any::<u8>()], 0..40),
        at in any::<prop::sample::Index>(),
    ) {
        let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
        prop_assert_eq!(decode_all(&[first, second]), decode_all(&[&bytes]));
    }
}

#[test]
fn chunks_are_read_strictly() {
    let bad: &[&[u8]] = &[
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b" 5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"-1\r\n",
        b"\r\n",
        b"fffffffffffffffff\r\n",
        b"0000000000000000000005\r\nhello\r\n",
        b"5;a\0b\r\nhello\r\n",
        b"5;a\rb\r\nhello\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nA : b\r\n\r\n",
    ];
    for bytes in bad {
        assert_eq!(decode_all(&[bytes]).0, Err(BadChunk), "{:?}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(
        decode_all(&[b"5;ext=\"x\"\r\nhello\r\n0\r\nTrailer: x\r\n\r\nrest"]),
        (Ok(true), b"hello".to_vec(), b"rest".to_vec())
    );
    let endless = [b"5;".as_slice(), &[b'a'; 400]].concat();
    assert_eq!(decode_all(&[&endless]).0, Err(BadChunk));
}
