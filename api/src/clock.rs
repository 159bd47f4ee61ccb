//! Whether this replica's clock agrees with the database's.
//!
//! Leases and timers go by the database alone. A run's id carries the replica's time, though, and by it history is
//! sorted, found and removed. So a replica that is far off starts no runs; everything else goes on.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::problem::{Code, Problem};
use crate::store::{self, Pools};

/// Milliseconds that do no harm: less than people notice in a list, more than a machine that keeps time is ever off.
const MOST: i64 = 5_000;
/// Seconds until another replica, or this one, should be asked again.
const RETRY: u32 = 10;

/// The clock of this replica.
#[derive(Debug)]
pub struct Clock {
    now: fn() -> Timestamp,
    ahead: AtomicI64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl Clock {
    /// One that is read like this.
    #[must_use]
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self {
            now,
            ahead: AtomicI64::new(0),
        }
    }

    /// Refuses what would be stored under a wrong time.
    pub(crate) fn admit(&self) -> Result<(), Problem> {
        let ahead = self.ahead.load(Ordering::Relaxed);
        if ahead.abs() <= MOST {
            return Ok(());
        }
        let text = format!(
            "the clock of this server is {} ms {} the database's: it starts no runs until that is mended",
            ahead.abs(),
            if ahead > 0 { "ahead of" } else { "behind" }
        );
        Err(Problem::new(Code::Unavailable, text).retry_after(RETRY))
    }

    /// Asks the database for its time, and gives the milliseconds that this clock is ahead of it at least; less than
    /// zero if it is behind.
    pub(crate) async fn compare(&self, pools: &Pools) -> Result<i64, store::Error> {
        let before = (self.now)().as_millisecond();
        let there = store::milliseconds(pools).await?;
        let ahead = ahead(before, there, (self.now)().as_millisecond());
        let was = self.ahead.swap(ahead, Ordering::Relaxed);
        match (was.abs() > MOST, ahead.abs() > MOST) {
            (false, true) => tracing::error!(
                clock.ahead_ms = ahead,
                "this clock differs from the database's: no runs are started here until one of the two is set right"
            ),
            (true, false) => tracing::info!(
                clock.ahead_ms = ahead,
                "this clock agrees with the database's again"
            ),
            _ => {}
        }
        Ok(ahead)
    }
}

/// The database read its clock at some moment between the two; only what lies outside is certain.
fn ahead(before: i64, there: i64, after: i64) -> i64 {
    if there < before {
        before - there
    } else {
        (after - there).min(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        assert_eq!(ahead(1_000, 4_000, 9_000), 0);
        assert_eq!(ahead(1_000, 900, 9_000), 100);
        assert_eq!(ahead(1_000, 9_300, 9_000), -300);
    }

    #[test]
    fn five_seconds_either_way_are_borne() {
        let clock = Clock::default();
        for (ahead, good) in [
            (0, true),
            (MOST, true),
            (-MOST, true),
            (MOST + 1, false),
            (-MOST - 1, false),
        ] {
            clock.ahead.store(ahead, Ordering::Relaxed);
            assert_eq!(clock.admit().is_ok(), good, "{ahead}");
        }
    }
}
