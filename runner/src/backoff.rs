//! How long to wait before something is tried again.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait of our own: an API server that comes back is noticed within it.
const LONGEST: Duration = Duration::from_secs(5);
/// The longest wait that a server can ask for. The session would be long gone.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// The wait before attempt `attempt` (from 1): it doubles, and its upper half is left to chance, so that many
/// runners do not come back in the same moment. What the server asked for wins.
pub(crate) fn wait(attempt: u32, asked: Option<Duration>) -> Duration {
    if let Some(asked) = asked {
        return asked.min(LONGEST_ASKED);
    }
    let doubled = FIRST
        .saturating_mul(1 << attempt.saturating_sub(1).min(10))
        .min(LONGEST);
    doubled.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_stays_within_its_bounds() {
        for _ in 0..100 {
            assert!((50..=100).contains(&wait(1, None).as_millis()));
            assert!((200..=400).contains(&wait(3, None).as_millis()));
            assert!((2500..=5000).contains(&wait(u32::MAX, None).as_millis()));
        }
        assert_eq!(wait(1, Some(Duration::from_secs(2))), Duration::from_secs(2));
        assert_eq!(wait(1, Some(Duration::from_hours(1))), LONGEST_ASKED);
    }
}
