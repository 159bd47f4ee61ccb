//! Numbers and durations.

use flowpilot_crds::WorkflowSpec;

use super::{Problems, STEPS};
use crate::duration;

pub(super) fn steps(spec: &WorkflowSpec, problems: &mut Problems) {
    if spec.steps.is_empty() {
        problems.error("LimitExceeded", "spec.steps", "a workflow has at least one step");
    }
    if spec.steps.len() > STEPS {
        let message = format!(
            "{} steps; at most {STEPS} are allowed: split the workflow",
            spec.steps.len()
        );
        problems.error("LimitExceeded", "spec.steps", message);
    }
}

/// A literal duration of at least a millisecond, in milliseconds.
pub(super) fn duration(text: &str, path: &str, problems: &mut Problems) -> Option<u64> {
    match duration::parse(text) {
        Ok(duration) if !duration.is_zero() => u64::try_from(duration.as_millis()).ok(),
        Ok(_) => {
            problems.error(
                "InvalidDuration",
                path,
                "a duration of zero has no meaning here: write 1s or more",
            );
            None
        }
        Err(error) => {
            problems.error("InvalidDuration", path, error.to_string());
            None
        }
    }
}
