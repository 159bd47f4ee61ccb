//! Scripts of tests run in the runner's sandbox, in this process: they are the user's own.

#![allow(
    clippy::result_large_err,
    reason = "a StepError is made once per script that fails"
)]

use flowpilot_engine::journal::StepError;
use flowpilot_runner::script;
use serde_json::Value;

use super::book::Job;

/// What the stack of a thread that runs scripts needs: the sandbox allows them a megabyte of their own.
pub(crate) const STACK: usize = 16 * 1024 * 1024;

/// Runs a script.
pub(crate) fn run(job: Job) -> Result<Value, StepError> {
    let Job {
        source,
        input,
        now,
        seed,
    } = job;
    let job = script::Job {
        source,
        input: Value::Object(input),
        now,
        seed,
    };
    match script::run(&job, &script::Limits::default(), || false) {
        Ok(output) => Ok(output.value),
        Err(error) => Err(error.into_step_error()),
    }
}
