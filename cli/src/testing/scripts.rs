//! Scripts of tests run in the runner's sandbox.

use flowpilot_engine::journal::StepError;
use serde_json::{Map, Value};

/// Runs a script.
pub(crate) fn run(_source: &str, _input: &Map<String, Value>) -> Result<Value, StepError> {
    Err(StepError {
        code: "NotSupportedYet".to_owned(),
        message: "scripts do not run here: mock the step".to_owned(),
        ..StepError::default()
    })
}
