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
    duration_from(text, false, path, problems)
}

/// A literal duration in milliseconds; with `zero`, also one of nothing.
pub(super) fn duration_from(text: &str, zero: bool, path: &str, problems: &mut Problems) -> Option<u64> {
    match duration::parse(text.trim()) {
        Ok(duration) if zero || !duration.is_zero() => u64::try_from(duration.as_millis()).ok(),
        Ok(_) => {
            let message = format!("a duration of `{text}` has no meaning here: write 1s or more");
            problems.error("InvalidDuration", path, message);
            None
        }
        Err(error) => {
            problems.suggesting("InvalidDuration", path, error.to_string(), duration::meant(text));
            None
        }
    }
}

/// A number from 1 to `most`.
pub(super) fn number(given: Option<i32>, unset: u32, most: u32, path: &str, problems: &mut Problems) -> u32 {
    let Some(given) = given else { return unset };
    match u32::try_from(given) {
        Ok(number) if (1..=most).contains(&number) => number,
        _ => {
            let name = path.rsplit('.').next().unwrap_or(path);
            let message = format!("{name} is {given}, and lies between 1 and {most}");
            problems.error("LimitExceeded", path, message);
            unset
        }
    }
}
