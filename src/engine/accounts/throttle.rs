//! How often passwords may be guessed and mails be asked for.
//!
//! Guesses are counted by address and client together, strictly, and by client, generously. By address alone they lock
//! nothing: else anybody could lock anybody out. But an address that is guessed at from many places leaves each of them
//! one guess in place of five.

use std::net::IpAddr;
use std::sync::Mutex;

use crate::cache::{Attempts, Leniency};
use crate::domain::{Keyring, Timestamp, TokenDigest};

/// Keys per table.
const CAPACITY: usize = 20_000;
const HOUR: i64 = 3600;
const QUARTER: i64 = 900;

pub(super) const LOG_INS: Leniency = Leniency { free: 5, first_lock: 30, longest_lock: QUARTER, memory: HOUR };
pub(super) const WARY_LOG_INS: Leniency = Leniency { free: 1, ..LOG_INS };
/// "Locked" means that the address is guessed at.
pub(super) const ALARMS: Leniency = Leniency { free: 50, first_lock: QUARTER, longest_lock: HOUR, memory: HOUR };
pub(super) const CLIENTS: Leniency = Leniency { free: 50, ..LOG_INS };
const REGISTRATIONS: Leniency = Leniency { free: 20, ..LOG_INS };
const MAILS: Leniency = Leniency { free: 3, first_lock: 60, longest_lock: QUARTER, memory: HOUR };
const CLIENTS_MAILS: Leniency = Leniency { free: 20, ..LOG_INS };

#[derive(Debug)]
pub(super) struct Throttle(Mutex<Tables>);

#[derive(Debug)]
struct Tables {
    log_ins: Attempts<TokenDigest>,
    wary_log_ins: Attempts<TokenDigest>,
    alarms: Attempts<TokenDigest>,
    clients: Attempts<IpAddr>,
    registrations: Attempts<IpAddr>,
    mails: Attempts<TokenDigest>,
    clients_mails: Attempts<IpAddr>,
}

/// One attempt to log in, counted as a guess until it is known to be none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guess {
    pub pair: TokenDigest,
    pub address: TokenDigest,
    pub client: IpAddr,
}

impl Default for Throttle {
    fn default() -> Self {
        Self(Mutex::new(Tables {
            log_ins: Attempts::new(LOG_INS, CAPACITY),
            wary_log_ins: Attempts::new(WARY_LOG_INS, CAPACITY),
            alarms: Attempts::new(ALARMS, CAPACITY),
            clients: Attempts::new(CLIENTS, CAPACITY),
            registrations: Attempts::new(REGISTRATIONS, CAPACITY),
            mails: Attempts::new(MAILS, CAPACITY),
            clients_mails: Attempts::new(CLIENTS_MAILS, CAPACITY),
        }))
    }
}

impl Guess {
    /// Addresses are kept as digests, which are of one length.
    pub(super) fn new(keyring: &Keyring, email: &str, client: IpAddr) -> Self {
        let pair = keyring.digest(format!("log-in {client} {email}").as_bytes());
        Self { pair, address: digest(keyring, email), client }
    }
}

fn digest(keyring: &Keyring, email: &str) -> TokenDigest {
    keyring.digest(format!("address {email}").as_bytes())
}

impl Throttle {
    fn tables(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.0.lock().expect("no one panics while holding it")
    }

    /// Counts a guess at a password.
    ///
    /// # Errors
    /// Seconds until one may be made again; this one was not counted.
    pub(super) fn guess(&self, guess: Guess, now: Timestamp) -> Result<(), i64> {
        let mut tables = self.tables();
        let alarmed = tables.alarms.locked(&guess.address, now).is_some();
        let wary = if alarmed { tables.wary_log_ins.locked(&guess.pair, now) } else { None };
        let locked = [tables.log_ins.locked(&guess.pair, now), wary, tables.clients.locked(&guess.client, now)];
        if let Some(seconds) = locked.into_iter().flatten().max() {
            return Err(seconds);
        }
        tables.log_ins.count(guess.pair, now);
        tables.wary_log_ins.count(guess.pair, now);
        tables.alarms.count(guess.address, now);
        tables.clients.count(guess.client, now);
        Ok(())
    }

    /// It was the right password: this client knows it.
    pub(super) fn was_right(&self, guess: Guess) {
        let mut tables = self.tables();
        tables.log_ins.forget(&guess.pair);
        tables.wary_log_ins.forget(&guess.pair);
        tables.alarms.take_back(&guess.address);
        tables.clients.take_back(&guess.client);
    }

    /// It was not judged at all.
    pub(super) fn was_none(&self, guess: Guess) {
        let mut tables = self.tables();
        tables.log_ins.take_back(&guess.pair);
        tables.wary_log_ins.take_back(&guess.pair);
        tables.alarms.take_back(&guess.address);
        tables.clients.take_back(&guess.client);
    }

    /// Counts a guess at an API key.
    ///
    /// # Errors
    /// As [`Throttle::guess`].
    pub(super) fn guess_key(&self, client: IpAddr, now: Timestamp) -> Result<(), i64> {
        count(&mut self.tables().clients, client, now)
    }

    pub(super) fn key_was_right(&self, client: IpAddr) {
        self.tables().clients.take_back(&client);
    }

    /// # Errors
    /// As [`Throttle::guess`].
    pub(super) fn register(&self, client: IpAddr, now: Timestamp) -> Result<(), i64> {
        count(&mut self.tables().registrations, client, now)
    }

    /// Counts a mail to an address, whether or not one is sent.
    ///
    /// # Errors
    /// As [`Throttle::guess`].
    pub(super) fn mail(&self, keyring: &Keyring, email: &str, client: IpAddr, now: Timestamp) -> Result<(), i64> {
        let address = digest(keyring, email);
        let mut tables = self.tables();
        let locked = [tables.mails.locked(&address, now), tables.clients_mails.locked(&client, now)];
        if let Some(seconds) = locked.into_iter().flatten().max() {
            return Err(seconds);
        }
        tables.mails.count(address, now);
        tables.clients_mails.count(client, now);
        Ok(())
    }
}

fn count(attempts: &mut Attempts<IpAddr>, client: IpAddr, now: Timestamp) -> Result<(), i64> {
    match attempts.locked(&client, now) {
        Some(seconds) => Err(seconds),
        None => {
            attempts.count(client, now);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    fn client(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    fn guess(email: &str, number: u8) -> Guess {
        Guess::new(&Keyring::new([1; 32], [2; 32]), email, client(number))
    }

    #[test]
    fn five_wrong_passwords_lock_this_address_from_this_client_only() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.guess(guess("bob@b", 1), NOW), Ok(()));
        }
        assert_eq!(throttle.guess(guess("bob@b", 1), NOW), Err(30));
        assert_eq!(throttle.guess(guess("bob@b", 2), NOW), Ok(()));
        assert_eq!(throttle.guess(guess("eve@b", 1), NOW), Ok(()));
        assert_eq!(throttle.guess(guess("bob@b", 1), NOW.plus_seconds(30)), Ok(()));
        assert_eq!(throttle.guess(guess("bob@b", 1), NOW.plus_seconds(30)), Err(60));
    }

    #[test]
    fn a_right_password_begins_anew_and_an_unjudged_one_counts_not() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            assert_eq!(throttle.guess(guess("bob@b", 1), NOW), Ok(()));
            throttle.was_right(guess("bob@b", 1));
            assert_eq!(throttle.guess(guess("bob@b", 1), NOW), Ok(()));
            throttle.was_none(guess("bob@b", 1));
        }
    }

    #[test]
    fn one_client_cannot_try_everybody() {
        let throttle = Throttle::default();
        for number in 0..50 {
            assert_eq!(throttle.guess(guess(&format!("{number}@b"), 1), NOW), Ok(()));
        }
        assert!(throttle.guess(guess("other@b", 1), NOW).is_err());
        assert_eq!(throttle.guess(guess("other@b", 2), NOW), Ok(()));
        assert!(throttle.guess_key(client(1), NOW).is_err());
    }

    #[test]
    fn many_clients_get_one_guess_each_and_whoever_knows_the_password_gets_in() {
        let throttle = Throttle::default();
        for number in 0..50 {
            assert_eq!(throttle.guess(guess("bob@b", number), NOW), Ok(()));
        }
        assert_eq!(throttle.guess(guess("bob@b", 100), NOW), Ok(()));
        assert_eq!(throttle.guess(guess("bob@b", 100), NOW), Err(30));
        for _ in 0..9 {
            assert_eq!(throttle.guess(guess("bob@b", 200), NOW), Ok(()));
            throttle.was_right(guess("bob@b", 200));
        }
    }

    #[test]
    fn mails_are_few_to_one_address_and_from_one_client() {
        let (throttle, keyring) = (Throttle::default(), Keyring::new([1; 32], [2; 32]));
        for number in 0..3 {
            assert_eq!(throttle.mail(&keyring, "bob@b", client(number), NOW), Ok(()));
        }
        assert_eq!(throttle.mail(&keyring, "bob@b", client(9), NOW), Err(60));
        for number in 0..20 {
            assert_eq!(throttle.mail(&keyring, &format!("{number}@b"), client(8), NOW), Ok(()));
        }
        assert_eq!(throttle.mail(&keyring, "new@b", client(8), NOW), Err(30));
        for _ in 0..20 {
            assert_eq!(throttle.register(client(8), NOW), Ok(()));
        }
        assert_eq!(throttle.register(client(8), NOW), Err(30));
    }
}
