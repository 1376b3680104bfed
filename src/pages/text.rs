//! Small texts that pages need.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::domain::Timestamp;

/// `22 Nov 2026, 11:33 UTC`, for readers; a script shows it in their own zone.
pub fn shown(at: Timestamp) -> String {
    let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    formatted(at, |time| time.format(format).ok())
}

/// `2026-11-22T11:33:48Z`, for `<time datetime>`.
pub fn iso(at: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    formatted(at, |time| time.format(format).ok())
}

fn formatted(at: Timestamp, format: impl FnOnce(OffsetDateTime) -> Option<String>) -> String {
    OffsetDateTime::from_unix_timestamp(at.seconds()).ok().and_then(format).unwrap_or_default()
}

/// `1 token`, `2 tokens`
pub fn plural(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people_and_for_machines() {
        let at = Timestamp::from_seconds(1_795_347_228);
        assert_eq!(iso(at), "2026-11-22T11:33:48Z");
        assert_eq!(shown(at), "22 Nov 2026, 11:33 UTC");
        assert_eq!((plural(1, "token"), plural(0, "token")), ("1 token".to_owned(), "0 tokens".to_owned()));
    }
}
