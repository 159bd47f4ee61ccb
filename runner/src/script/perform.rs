//! A script step: one attempt in a worker, its log lines in the runner's log.

use flowpilot_engine::journal::StepError;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::{Job, Level, Limits, Line, ScriptError, Scripts};

/// Which attempt it is.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The run.
    pub run: Uuid,
    /// Path of the step.
    pub step: &'a str,
    /// From 1.
    pub number: u32,
    /// When it began.
    pub now: Timestamp,
}

impl Attempt<'_> {
    /// Where `Math.random` begins: another place for each attempt, the same one when an attempt is repeated.
    #[must_use]
    pub fn seed(&self) -> u64 {
        let name = format!("{}#{}", self.step, self.number);
        Uuid::new_v5(&self.run, name.as_bytes()).as_u64_pair().0
    }
}

/// Performs one attempt. Dropping the future ends the script.
pub async fn perform(
    scripts: &Scripts,
    attempt: Attempt<'_>,
    source: String,
    input: Value,
) -> Result<Value, StepError> {
    let job = Job {
        source,
        input,
        now: attempt.now,
        seed: attempt.seed(),
    };
    match scripts.run(job, Limits::default()).await {
        Ok(output) => {
            log(attempt.run, attempt.step, &output.logs);
            Ok(output.value)
        }
        Err(error) => {
            log(attempt.run, attempt.step, &error.logs);
            Err(error.into_step_error())
        }
    }
}

fn log(run: Uuid, step: &str, lines: &[Line]) {
    for Line { level, text } in lines {
        match level {
            Level::Debug => tracing::debug!(run.id = %run, step, "{text}"),
            Level::Info => tracing::info!(run.id = %run, step, "{text}"),
            Level::Warn => tracing::warn!(run.id = %run, step, "{text}"),
            Level::Error => tracing::error!(run.id = %run, step, "{text}"),
        }
    }
}

impl ScriptError {
    /// What the step's error is. Scripts change nothing outside, so none of their errors may have happened.
    #[must_use]
    pub fn into_step_error(self) -> StepError {
        // The same source with the same input ends the same way.
        let final_ends = ["InvalidOutput", "LimitExceeded", "Internal"];
        StepError {
            retryable: final_ends.contains(&self.code.as_str()).then_some(false),
            code: self.code,
            message: self.message,
            details: self.details,
            ..StepError::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_has_a_seed_of_its_own() {
        let seed = |step, number| {
            let attempt = Attempt {
                run: Uuid::from_u128(7),
                step,
                number,
                now: Timestamp::UNIX_EPOCH,
            };
            attempt.seed()
        };
        assert_eq!(seed("a", 1), seed("a", 1));
        assert_ne!(seed("a", 1), seed("a", 2));
        assert_ne!(seed("a", 1), seed("b", 1));
    }

    #[test]
    fn what_will_end_the_same_way_is_not_tried_again() {
        for (code, retryable) in [
            ("LimitExceeded", Some(false)),
            ("InvalidOutput", Some(false)),
            ("ScriptError", None),
            ("Interrupted", None),
            ("NotFound", None),
        ] {
            let error = ScriptError::new(code, "so").into_step_error();
            assert_eq!((error.code.as_str(), error.retryable), (code, retryable));
            assert!(!error.may_have_happened);
        }
    }
}
