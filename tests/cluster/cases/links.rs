//! A link fails as it is told to, and in no other way.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::link::{Fault, Link, Toward};
use crate::pump::MOST_HELD;

const PATIENCE: Duration = Duration::from_secs(30);
/// Long enough for a byte to come, were it to come; a byte that comes later fails no test here.
const A_WHILE: Duration = Duration::from_millis(100);

/// Gives back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
    address
}

async fn connected(link: &Link) -> TcpStream {
    TcpStream::connect(link.address()).await.unwrap()
}

/// Says a word and hears it again.
async fn exchange(stream: &mut TcpStream, word: &str) {
    stream.write_all(word.as_bytes()).await.unwrap();
    heard(stream, word).await;
}

async fn heard(stream: &mut TcpStream, word: &str) {
    let mut bytes = vec![0; word.len()];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    assert_eq!(bytes, word.as_bytes());
}

async fn hears_nothing(stream: &mut TcpStream) {
    let heard = timeout(A_WHILE, stream.read_u8()).await;
    assert!(heard.is_err(), "{heard:?}");
}

async fn is_reset(stream: &mut TcpStream) {
    let error = timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn without_a_fault_it_carries_everything_and_both_ends() {
    let link = Link::to(echo().await).await;
    let mut stream = connected(&link).await;
    let sent: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    let (mut from, mut to) = stream.split();
    let mut came = Vec::new();
    let send = async {
        to.write_all(&sent).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let ((), read) = tokio::join!(send, from.read_to_end(&mut came));
    read.unwrap();
    assert!(came == sent);
    while link.connections() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(link.held(), 0);
}

#[tokio::test]
async fn delayed_bytes_come_in_order_and_not_early() {
    let link = Link::to(echo().await).await;
    let mut stream = connected(&link).await;
    exchange(&mut stream, "before").await;
    let base = Duration::from_millis(50);
    link.set(Fault::Delay { base, jitter: Duration::from_millis(40) });
    let begun = Instant::now();
    for word in ["one ", "two ", "three"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    heard(&mut stream, "one two three").await;
    assert!(begun.elapsed() >= base * 2, "once in each direction");
    link.set(Fault::Delay { base: PATIENCE * 10, jitter: Duration::ZERO });
    stream.write_all(b"late").await.unwrap();
    hears_nothing(&mut stream).await;
    link.set(Fault::None);
    heard(&mut stream, "late").await;
}

#[tokio::test]
async fn a_narrow_link_carries_no_more_than_it_may() {
    let link = Link::to(echo().await).await;
    let mut stream = connected(&link).await;
    exchange(&mut stream, "before").await;
    link.set(Fault::Narrow { bytes_per_second: 10_000 });
    let begun = Instant::now();
    exchange(&mut stream, &"x".repeat(2000)).await;
    assert!(begun.elapsed() >= Duration::from_millis(190), "{:?}", begun.elapsed());
    link.set(Fault::None);
    exchange(&mut stream, "after").await;
}

#[tokio::test]
async fn a_cut_is_silent_and_tears_what_lost_bytes_when_it_ends() {
    let link = Link::to(echo().await).await;
    let (mut speaker, mut listener) = (connected(&link).await, connected(&link).await);
    exchange(&mut speaker, "before").await;
    exchange(&mut listener, "before").await;
    link.set(Fault::Cut);
    speaker.write_all(b"lost").await.unwrap();
    hears_nothing(&mut speaker).await;
    let (mut late, mut silent) = (connected(&link).await, connected(&link).await);
    late.write_all(b"lost as well").await.unwrap();
    hears_nothing(&mut late).await;
    link.set(Fault::None);
    is_reset(&mut speaker).await;
    is_reset(&mut late).await;
    exchange(&mut listener, "nothing of mine was lost").await;
    exchange(&mut silent, "nor of mine").await;
}

#[tokio::test]
async fn a_deaf_direction_loses_its_bytes_and_no_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = Link::to(listener.local_addr().unwrap()).await;
    let mut client = connected(&link).await;
    let (mut server, _) = listener.accept().await.unwrap();
    link.set(Fault::Deaf(Toward::Client));
    client.write_all(b"up").await.unwrap();
    heard(&mut server, "up").await;
    server.write_all(b"down").await.unwrap();
    hears_nothing(&mut client).await;
    link.set(Fault::None);
    is_reset(&mut client).await;
    is_reset(&mut server).await;
}

#[tokio::test]
async fn what_is_held_in_one_direction_comes_later_and_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = Link::to(listener.local_addr().unwrap()).await;
    let mut client = connected(&link).await;
    let (mut server, _) = listener.accept().await.unwrap();
    link.set(Fault::Hold(Toward::Server));
    client.write_all(b"up").await.unwrap();
    server.write_all(b"down").await.unwrap();
    heard(&mut client, "down").await;
    hears_nothing(&mut server).await;
    link.set(Fault::None);
    heard(&mut server, "up").await;
}

#[tokio::test]
async fn a_reset_reaches_both_ends_and_new_connections_even_when_it_is_over_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = Link::to(listener.local_addr().unwrap()).await;
    let mut client = connected(&link).await;
    let (mut server, _) = listener.accept().await.unwrap();
    exchange_through(&mut client, &mut server).await;
    link.set(Fault::Reset);
    link.set(Fault::None);
    is_reset(&mut client).await;
    is_reset(&mut server).await;
    link.set(Fault::Reset);
    is_reset(&mut connected(&link).await).await;
    link.set(Fault::None);
    let mut client = connected(&link).await;
    let (mut server, _) = listener.accept().await.unwrap();
    exchange_through(&mut client, &mut server).await;
}

async fn exchange_through(client: &mut TcpStream, server: &mut TcpStream) {
    client.write_all(b"word").await.unwrap();
    heard(server, "word").await;
    server.write_all(b"answer").await.unwrap();
    heard(client, "answer").await;
}

#[tokio::test]
async fn a_link_that_refuses_does_so_at_once_and_takes_connections_again() {
    let link = Link::to(echo().await).await;
    let mut stream = connected(&link).await;
    exchange(&mut stream, "before").await;
    for _ in 0..3 {
        link.set(Fault::Refuse);
        is_reset(&mut stream).await;
        loop {
            // The listener closes a moment after it was told to.
            match TcpStream::connect(link.address()).await {
                Err(error) => break assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
                Ok(mut early) => is_reset(&mut early).await,
            }
        }
        link.set(Fault::None);
        stream = loop {
            match TcpStream::connect(link.address()).await {
                Ok(stream) => break stream,
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
            }
        };
        exchange(&mut stream, "after").await;
    }
}

#[tokio::test]
async fn what_it_holds_back_is_bounded() {
    let link = Link::to(echo().await).await;
    let mut stream = connected(&link).await;
    exchange(&mut stream, "before").await;
    link.set(Fault::Delay { base: PATIENCE * 10, jitter: Duration::ZERO });
    let lump = vec![0; 1 << 20];
    let mut sent = 0;
    // Until the buffers of the system are full as well.
    while let Ok(Ok(count)) = timeout(A_WHILE, stream.write(&lump)).await {
        sent += count;
    }
    let bound = MOST_HELD + (16 << 10);
    assert!(sent > bound && link.held() > 0 && link.held() <= bound, "{} held of {sent}", link.held());
    drop(stream);
    link.set(Fault::Reset);
    while link.connections() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(link.held(), 0);
}

#[tokio::test]
async fn nobody_behind_it_is_a_reset_and_it_can_lead_elsewhere() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let link = Link::to(closed).await;
    is_reset(&mut connected(&link).await).await;
    link.lead_to(echo().await);
    exchange(&mut connected(&link).await, "hello").await;
}
