//! Owns the time of day.
//! Does not know what it is used for. Freshness never depends on it, but for times to live.

use crate::model::record::Millis;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Environment variable that sets the clock, in milliseconds since the epoch. A hook for tests of
/// times to live; it moves nothing but what this clock says.
pub const TEST_NOW: &str = "INFRA_TEST_NOW";

/// The present moment. Under the test hook it starts at the moment given and goes on from there.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Option<(Millis, Instant)>,
}

impl Clock {
    /// The system's clock, or the test hook's.
    pub fn from_env() -> Self {
        Self::set_to(std::env::var(TEST_NOW).ok().and_then(|text| text.parse().ok()))
    }

    /// A clock that starts at a given moment.
    pub fn set_to(start: Option<Millis>) -> Self {
        Self { base: start.map(|start| (start, Instant::now())) }
    }

    /// Milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        match self.base {
            Some((start, since)) => {
                start.saturating_add(Millis::try_from(since.elapsed().as_millis()).unwrap_or(Millis::MAX))
            }
            None => system_nanos() / 1_000_000,
        }
    }
}

/// The system's clock in nanoseconds since the epoch, to be compared with what file systems stamp.
pub(crate) fn system_nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hook_sets_where_time_starts() {
        let clock = Clock::set_to(Some(1_000));
        assert!((1_000..60_000).contains(&clock.now()));
        assert!(Clock::set_to(None).now() > 1_700_000_000_000);
    }
}
