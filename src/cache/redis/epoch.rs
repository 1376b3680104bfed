//! Where one is in what Redis has told: an unbroken history, and a place in it.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// One unbroken history of the bus: one server process that has lost nothing since.
///
/// A restart, a failover, a flush or an older copy of the data begins another. Text form: `GENERATION-NONCE`, the nonce in 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch {
    /// Milliseconds of the server's clock when it began, or more, so that a later epoch of one server is higher.
    generation: u64,
    /// The first half tells the server process, the second is drawn at random: two servers that begin at once are told
    /// apart.
    nonce: u64,
}

/// The number of an event in its epoch: 1, 2, 3, without gaps.
pub type Seq = u64;

/// A place in a history: every event up to `seq` is known there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    pub epoch: Epoch,
    pub seq: Seq,
}

/// A gateway process: drawn anew at every start, so that no process answers for an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub Uuid);

impl Epoch {
    /// One that a newer gateway wrote in another form: no event is ever published in it here, so its nodes are waited
    /// for until they leave it.
    pub const UNREADABLE: Self = Self { generation: u64::MAX, nonce: u64::MAX };

    pub const fn new(generation: u64, nonce: u64) -> Self {
        Self { generation, nonce }
    }

    pub const fn generation(self) -> u64 {
        self.generation
    }

    /// Whether it came after that one on the same server process, where nobody can go by that one any more.
    pub(super) const fn follows(self, other: Self) -> bool {
        self.nonce >> 32 == other.nonce >> 32 && self.generation > other.generation
    }

    pub(super) const fn nonce(self) -> u64 {
        self.nonce
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{:016x}", self.generation, self.nonce)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Epoch({self})")
    }
}

impl FromStr for Epoch {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (generation, nonce) = text.split_once('-').ok_or(())?;
        if nonce.len() != 16 || generation.starts_with('+') || nonce.starts_with('+') {
            return Err(());
        }
        let nonce = u64::from_str_radix(nonce, 16).map_err(|_| ())?;
        Ok(Self { generation: generation.parse().map_err(|_| ())?, nonce })
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_read_as_it_was_written() {
        let epoch = Epoch::new(1_790_000_000_123, 0xfe);
        assert_eq!(epoch.to_string(), "1790000000123-00000000000000fe");
        assert_eq!(epoch.to_string().parse(), Ok(epoch));
        let later = |nonce| Epoch::new(1_790_000_000_124, nonce);
        assert!(later(0xff).follows(epoch) && !epoch.follows(later(0xff)));
        assert!(!later(0x1_0000_00fe).follows(epoch), "another process");
        for wrong in ["", "1", "1-", "1-fe", "-00000000000000fe", "+1-00000000000000fe", "1-00000000000000zz", "x-0"] {
            assert_eq!(wrong.parse::<Epoch>(), Err(()), "{wrong}");
        }
    }
}
