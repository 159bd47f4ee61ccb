//! A script step: one attempt in a worker, its log lines in the runner's log.

#![allow(
    clippy::result_large_err,
    reason = "a StepError is made once per attempt that fails, and goes into the journal"
)]

use flowpilot_engine::journal::StepError;
use serde_json::Value;
use uuid::Uuid;

use super::{Job, Level, Limits, Line, ScriptError, Scripts};

/// Performs one attempt. Dropping the future ends the script.
pub async fn perform(scripts: &Scripts, run: Uuid, step: &str, job: Job) -> Result<Value, StepError> {
    match scripts.run(job, Limits::default()).await {
        Ok(output) => {
            log(run, step, &output.logs);
            Ok(output.value)
        }
        Err(error) => {
            log(run, step, &error.logs);
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
