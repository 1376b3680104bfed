//! A mail server that does as it is told.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does with whoever connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Takes every mail.
    Takes,
    /// Answers every recipient so.
    Refuses(&'static str),
    /// Says nothing at all.
    Hangs,
}

/// One mail as it came: who it is for, and head and body.
#[derive(Clone, Debug)]
pub struct Letter {
    pub recipient: String,
    pub data: String,
}

#[derive(Clone)]
pub struct Post {
    pub address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<Letter>>>,
    callers: Arc<Mutex<usize>>,
}

/// An address that nothing listens at.
pub fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Post {
    pub fn open(mood: Mood) -> Self {
        Self::open_at("127.0.0.1:0".parse().unwrap(), mood)
    }

    /// At this address, as soon as it is free.
    pub fn open_at(address: SocketAddr, mood: Mood) -> Self {
        let listener = loop {
            match TcpListener::bind(address) {
                Ok(listener) => break listener,
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        };
        let address = listener.local_addr().unwrap();
        let post = Self { address, mood: Arc::new(Mutex::new(mood)), taken: Arc::default(), callers: Arc::default() };
        let server = post.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (server, stream) = (server.clone(), stream.unwrap());
                thread::spawn(move || server.serve(stream));
            }
        });
        post
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn taken(&self) -> Vec<Letter> {
        self.taken.lock().unwrap().clone()
    }

    /// How many have connected.
    pub fn callers(&self) -> usize {
        *self.callers.lock().unwrap()
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mood = *self.mood.lock().unwrap();
        *self.callers.lock().unwrap() += 1;
        let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
        let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes()).ok();
        if mood == Mood::Hangs {
            // Until the other side goes away.
            return lines.by_ref().find_map(|line| line.err().map(drop));
        }
        say("220 mail.test ESMTP")?;
        let mut recipient = String::new();
        loop {
            let line = lines.next()?.ok()?;
            match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" => say("250 mail.test")?,
                "RCPT" => match mood {
                    Mood::Refuses(answer) => say(answer)?,
                    _ => {
                        recipient = line.split(['<', '>']).nth(1)?.to_owned();
                        say("250 ok")?;
                    }
                },
                "DATA" => {
                    say("354 go on")?;
                    let mut data = String::new();
                    loop {
                        let line = lines.next()?.ok()?;
                        if line == "." {
                            break;
                        }
                        data.push_str(line.strip_prefix('.').unwrap_or(&line));
                        data.push('\n');
                    }
                    self.taken.lock().unwrap().push(Letter { recipient: recipient.clone(), data });
                    say("250 taken")?;
                }
                "QUIT" => return say("221 bye"),
                _ => say("250 ok")?,
            }
        }
    }
}

impl Letter {
    /// Head and body, quoted-printable undone.
    pub fn text(&self) -> String {
        let joined = self.data.replace("=\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let code = rest.get(1..3).and_then(|code| std::str::from_utf8(code).ok());
            match (first, code.and_then(|code| u8::from_str_radix(code, 16).ok())) {
                (b'=', Some(byte)) => {
                    bytes.push(byte);
                    rest = &rest[3..];
                }
                _ => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8(bytes).unwrap()
    }
}
