//! What a `WorkflowRun` must satisfy beyond its schema, and how long it stays.

use std::time::Duration;

use flowpilot_crds::{Reason, WorkflowRun, WorkflowRunStatus};
use jiff::Timestamp;

use crate::controller::Rejection;
use crate::duration;

/// How long an ended `WorkflowRun` stays, if it does not say.
const TTL: Duration = Duration::from_hours(24);

pub(super) fn validate(run: &WorkflowRun) -> Result<(), Rejection> {
    match run.spec.ttl.as_deref() {
        Some(ttl) if duration::parse(ttl).is_none() => Err(Rejection {
            reason: Reason::InvalidSpec,
            message: "spec.ttl: no duration: write it as 90s or 1h30m".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// How long an ended run's object still stays.
pub(super) fn time_left(ttl: Option<&str>, status: &WorkflowRunStatus, now: Timestamp) -> Duration {
    let ttl = ttl.and_then(duration::parse).unwrap_or(TTL);
    let ended = status
        .finished_at
        .as_deref()
        .and_then(|time| time.parse::<Timestamp>().ok());
    // One that never ran counts from the condition that says so.
    let said = status
        .conditions
        .first()
        .map(|condition| condition.last_transition_time.0);
    let since = ended.or(said).unwrap_or(now);
    ttl.saturating_sub(Duration::try_from(now.duration_since(since)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_run_stays_for_its_time() {
        let finished_at = Some("2026-11-24T05:00:00Z".to_owned());
        let status = WorkflowRunStatus {
            finished_at,
            ..WorkflowRunStatus::default()
        };
        let left = |time: &str| time_left(Some("1m"), &status, time.parse().unwrap()).as_secs();
        assert_eq!(left("2026-11-24T05:00:20Z"), 40);
        assert_eq!(left("2026-11-24T05:02:00Z"), 0);
        // A clock that is behind shortens nothing.
        assert_eq!(left("2026-11-24T04:59:00Z"), 60);
    }
}
