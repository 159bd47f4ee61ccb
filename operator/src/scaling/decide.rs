//! The decision, without clock or cluster.

use std::time::{Duration, Instant};

use crate::runner_class::Scale;

/// Runners for so many runs that wait or are held.
pub(super) fn needed(work: i64, scale: Scale) -> i32 {
    let capacity = i64::from(scale.capacity.max(1));
    let runners = work.max(0).saturating_add(capacity - 1) / capacity;
    i32::try_from(runners)
        .unwrap_or(i32::MAX)
        .clamp(scale.min, scale.max)
}

/// Since when a pool is larger than its work, and how much work it had since.
#[derive(Debug, Default)]
pub(super) struct Trend {
    low: Option<(Instant, i32)>,
}

impl Trend {
    /// The size that a pool of `current` runners should have, and when to ask again if nothing changes. It grows at
    /// once; it shrinks to the most that was needed in the last `idle_timeout`, so never below what runs need now.
    pub(super) fn decide(
        &mut self,
        current: i32,
        needed: i32,
        idle_timeout: Duration,
        now: Instant,
    ) -> (i32, Option<Duration>) {
        if needed >= current {
            self.low = None;
            return (needed, None);
        }
        let (since, peak) = self
            .low
            .map_or((now, needed), |(since, peak)| (since, peak.max(needed)));
        let left = idle_timeout.saturating_sub(now.duration_since(since));
        if !left.is_zero() {
            self.low = Some((since, peak));
            return (current, Some(left));
        }
        self.low = None;
        (peak, (peak > needed).then_some(idle_timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_mins(1);

    fn scale(min: i32, max: i32) -> Scale {
        Scale {
            capacity: 32,
            min,
            max,
            idle_timeout: IDLE,
        }
    }

    #[test]
    fn work_needs_its_share_of_runners_within_the_bounds() {
        let table = [
            // work, min, max, runners
            (0, 0, 4, 0),
            (0, 1, 4, 1),
            (1, 0, 4, 1),
            (32, 0, 4, 1),
            (33, 0, 4, 2),
            (1000, 0, 4, 4),
            (1000, 0, 100, 32),
            (-1, 0, 4, 0),
            (i64::MAX, 0, 4, 4),
        ];
        for (work, min, max, runners) in table {
            assert_eq!(needed(work, scale(min, max)), runners, "{work} in {min}..{max}");
        }
    }

    #[test]
    fn a_pool_grows_at_once_and_shrinks_after_its_idle_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut trend = Trend::default();
        let table = [
            // second, current, needed, wanted
            (0, 0, 1, 1),
            (1, 1, 3, 3),
            // Work is done: it stays for a while,
            (2, 3, 0, 3),
            (61, 3, 0, 3),
            (62, 3, 0, 0),
            // and work that comes meanwhile counts.
            (70, 3, 0, 3),
            (80, 3, 2, 3),
            (90, 3, 1, 3),
            (130, 3, 1, 2),
            // Work for all of them starts the time anew.
            (140, 2, 0, 2),
            (150, 2, 2, 2),
            (201, 2, 0, 2),
            (260, 2, 0, 2),
            (261, 2, 0, 0),
        ];
        for (second, current, needed, wanted) in table {
            assert_eq!(
                trend.decide(current, needed, IDLE, at(second)).0,
                wanted,
                "second {second}"
            );
        }
    }

    #[test]
    fn the_next_look_is_when_the_idle_time_ends() {
        let start = Instant::now();
        let mut trend = Trend::default();
        assert_eq!(trend.decide(2, 0, IDLE, start), (2, Some(IDLE)));
        assert_eq!(trend.decide(2, 0, IDLE, start + IDLE / 2), (2, Some(IDLE / 2)));
        assert_eq!(trend.decide(0, 0, IDLE, start), (0, None));
    }
}
