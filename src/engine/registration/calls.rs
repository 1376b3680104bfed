//! Calls of an application over time.

use uuid::Uuid;

use super::{Application, Registration};
use crate::domain::Timestamp;
use crate::engine::catalog::{CatalogError, wrong_option};

/// Calls in one step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// When the step begins.
    pub at: Timestamp,
    pub admitted: u64,
    pub refused: u64,
}

/// Steps in which calls are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    Minute,
    Hour,
    Day,
}

impl Interval {
    /// Reads `minute`, `hour` or `day`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        match text {
            "minute" => Ok(Self::Minute),
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err(wrong_option("interval", "expected one of: minute, hour, day")),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Seconds of a step.
    pub fn width(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }

    /// Steps told when no start is given, and the most there are: minutes are kept for 48 hours, hours for 90 days.
    fn steps(self) -> (i64, i64) {
        match self {
            Self::Minute => (60, 48 * 60),
            Self::Hour => (24, 90 * 24),
            Self::Day => (30, 90),
        }
    }

    /// How many steps end with the present one and begin with that of `start`.
    fn since(self, start: Option<i64>, now: i64) -> Result<i64, CatalogError> {
        let (usual, most) = self.steps();
        match start {
            None => Ok(usual),
            Some(start) if start < 0 => Err(wrong_option("start_ts", "expected Unix seconds")),
            Some(start) if start > now => Err(wrong_option("start_ts", "must not be in the future")),
            Some(start) => Ok((now.div_euclid(self.width()) - start.div_euclid(self.width()) + 1).min(most)),
        }
    }
}

impl Registration {
    /// The calls of an application (to one service, or to all) in steps from `start` (Unix seconds) until now. A start
    /// before all that is kept is moved to that.
    ///
    /// # Errors
    /// A start that is negative or to come; the store failed.
    pub async fn calls_since(
        &self,
        application: &Application,
        service: Option<Uuid>,
        interval: Interval,
        start: Option<i64>,
    ) -> Result<Vec<Calls>, CatalogError> {
        let steps = interval.since(start, self.catalog.clock.now().seconds())?;
        self.calls(application, service, interval.width(), steps).await
    }

    /// The calls of an application (to one service, or to all) in the `steps` steps of `width` seconds that end with the
    /// present one; steps without calls are there too. `width`: 60, or whole hours.
    ///
    /// # Errors
    /// The store failed.
    pub async fn calls(
        &self,
        application: &Application,
        service: Option<Uuid>,
        width: i64,
        steps: i64,
    ) -> Result<Vec<Calls>, CatalogError> {
        let now = self.catalog.clock.now().seconds();
        let end = now - now.rem_euclid(width) + width;
        let begin = end - width * steps;
        let stored = if width < 3600 { 60 } else { 3600 };
        let (from, to) = (Timestamp::from_seconds(begin), Timestamp::from_seconds(end));
        let found = self.catalog.store.application_requests(application.id, service, stored, from, to).await?;
        let at = |step: i64| Timestamp::from_seconds(begin + step * width);
        let mut calls: Vec<Calls> = (0..steps).map(|step| Calls { at: at(step), admitted: 0, refused: 0 }).collect();
        for (at, admitted, refused) in found {
            let step = usize::try_from((at.seconds() - begin) / width).unwrap_or(usize::MAX);
            if let Some(calls) = calls.get_mut(step) {
                calls.admitted += u64::try_from(admitted).unwrap_or(0);
                calls.refused += u64::try_from(refused).unwrap_or(0);
            }
        }
        Ok(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_steps_is_bounded() {
        let now = 1_795_347_228;
        let intervals = [(Interval::Minute, 60, 2880), (Interval::Hour, 24, 2160), (Interval::Day, 30, 90)];
        for (interval, usual, most) in intervals {
            assert_eq!(Interval::parse(interval.word()).unwrap(), interval);
            let steps = |start: Option<i64>| interval.since(start, now).unwrap();
            assert_eq!((steps(None), steps(Some(now)), steps(Some(0))), (usual, 1, most));
            assert_eq!(steps(Some(now - interval.width())), 2);
            assert!(interval.since(Some(now + 1), now).is_err() && interval.since(Some(-1), now).is_err());
        }
        for none in ["second", "", "Minute"] {
            assert!(matches!(Interval::parse(none), Err(CatalogError::InvalidOption { .. })), "{none}");
        }
    }
}
