//! What clients did and saw: every operation with the instants around it, on one monotonic clock.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use serde::Serialize;

/// Microseconds since the history began.
pub type Micros = u64;

/// Stands for a token, a code, a client: the thing itself is a secret and is not written down.
pub type Id = u64;

/// The same text always has the same id.
pub fn id(text: &str) -> Id {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Pair {
    pub access: Id,
    pub refresh: Id,
}

/// What was asked for. What only a success brings is `None` otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// A token by client credentials. It ends with any of `of`, and after `lives` µs.
    Issue {
        token: Option<Id>,
        of: Vec<Id>,
        lives: Micros,
    },
    /// A call with a token; or, with the id of a gate, through a route that a revocation closes.
    Call {
        token: Id,
    },
    /// Takes away a token, or everything of a client, a consumer, a gate.
    Revoke {
        of: Target,
        subject: Id,
    },
    /// For a client that nobody revokes meanwhile; the same holds of rotations.
    Redeem {
        code: Id,
        pair: Option<Pair>,
    },
    Rotate {
        refresh: Id,
        pair: Option<Pair>,
    },
    /// Version 1, 2, 3… of a setting, by one writer.
    Change {
        item: Id,
        version: u64,
    },
    /// The version of a setting that a node goes by.
    See {
        item: Id,
        version: Option<u64>,
    },
    /// Whether the node calls itself ready.
    Ready,
}

/// What a revocation is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Token,
    Credential,
    Consumer,
    /// A route that is closed.
    Gate,
}

/// The kinds of operations, for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Issue,
    Call,
    Revoke,
    Redeem,
    Rotate,
    Change,
    See,
    Ready,
}

impl Op {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Issue { .. } => Kind::Issue,
            Self::Call { .. } => Kind::Call,
            Self::Revoke { .. } => Kind::Revoke,
            Self::Redeem { .. } => Kind::Redeem,
            Self::Rotate { .. } => Kind::Rotate,
            Self::Change { .. } => Kind::Change,
            Self::See { .. } => Kind::See,
            Self::Ready => Kind::Ready,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered with success.
    Done,
    /// Answered with a decision against it (4xx): it has not happened.
    Refused,
    /// Answered with 5xx: it may have happened.
    Failed,
    /// No answer: it may have happened, or happen yet.
    Unknown,
    /// No connection: it has not happened.
    Unsent,
}

impl Outcome {
    pub fn may_have_happened(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Unknown)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    pub node: usize,
    #[serde(flatten)]
    pub op: Op,
    /// Before the first byte was sent.
    pub begin: Micros,
    /// After the last byte came, or hope was given up.
    pub end: Micros,
    pub outcome: Outcome,
}

pub struct History {
    zero: Instant,
    kept: Mutex<Kept>,
}

struct Kept {
    events: Vec<Event>,
    file: Option<BufWriter<File>>,
}

impl Default for History {
    fn default() -> Self {
        Self { zero: Instant::now(), kept: Mutex::new(Kept { events: Vec::new(), file: None }) }
    }
}

impl History {
    /// Also written to this file, one JSON object a line.
    pub fn in_file(path: &Path) -> Self {
        let file = BufWriter::new(File::create(path).unwrap());
        Self { zero: Instant::now(), kept: Mutex::new(Kept { events: Vec::new(), file: Some(file) }) }
    }

    pub fn now(&self) -> Micros {
        self.zero.elapsed().as_micros() as Micros
    }

    /// Writes down an operation that ends now.
    pub fn record(&self, node: usize, op: Op, begin: Micros, outcome: Outcome) {
        let mut kept = self.kept.lock().unwrap();
        let event = Event { node, op, begin, end: self.now(), outcome };
        if let Some(file) = &mut kept.file {
            serde_json::to_writer(&mut *file, &event).unwrap();
            file.write_all(b"\n").unwrap();
        }
        kept.events.push(event);
    }

    /// Writes down what happened to the cluster, for the reader of the file.
    pub fn mark(&self, what: &str) -> Micros {
        let at = self.now();
        if let Some(file) = &mut self.kept.lock().unwrap().file {
            serde_json::to_writer(&mut *file, &serde_json::json!({ "mark": what, "at": at })).unwrap();
            file.write_all(b"\n").unwrap();
        }
        at
    }

    /// Everything so far, in the order of its ends.
    pub fn events(&self) -> Vec<Event> {
        let mut kept = self.kept.lock().unwrap();
        if let Some(file) = &mut kept.file {
            file.flush().unwrap();
        }
        kept.events.clone()
    }
}
