//! Calls of an application over time.

use uuid::Uuid;

use super::{Application, Registration};
use crate::domain::Timestamp;
use crate::engine::catalog::CatalogError;

/// Calls in one step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// When the step begins.
    pub at: Timestamp,
    pub admitted: u64,
    pub refused: u64,
}

impl Registration {
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
