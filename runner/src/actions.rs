//! What steps do to the world.
//!
//! An action takes the evaluated `with` of a step and gives an output or an error. What each takes and gives, and
//! its effect, stands in `flowpilot_engine::action`; the names here are the same.

#![allow(
    clippy::result_large_err,
    reason = "a StepError is made once per attempt that fails, and goes into the journal"
)]

mod failure;
mod http;
mod log;
mod table;

use std::sync::Arc;

use flowpilot_engine::journal::StepError;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::guard::Guard;
use crate::script::Scripts;
pub(crate) use failure::internal;
use failure::invalid_input;

/// One attempt of a step.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The run.
    pub(crate) run: Uuid,
    /// Its fence, for receivers that want to tell two holders apart.
    pub(crate) epoch: i32,
    /// Path of the step.
    pub(crate) step: String,
    /// Name of the action, with its version.
    pub(crate) action: String,
    /// What the step says, evaluated.
    pub(crate) with: Map<String, Value>,
    /// The same for each attempt of this step.
    pub(crate) idempotency_key: String,
    /// When the attempt must have ended.
    pub(crate) deadline: Option<Timestamp>,
}

/// Everything that attempts share.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    guard: Arc<Guard>,
    scripts: Scripts,
}

impl Actions {
    pub(crate) fn new(guard: Guard, scripts: Scripts) -> Self {
        Self {
            guard: Arc::new(guard),
            scripts,
        }
    }

    /// Where scripts run.
    pub(crate) fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Performs one attempt of an action.
    pub(crate) async fn perform(&self, call: Call) -> Result<Value, StepError> {
        match call.action.as_str() {
            "core/http@1" => http::perform(&self.guard, call).await,
            "core/log@1" => log::perform(call),
            "core/table@1" => table::perform(call).await,
            #[cfg(test)]
            "test/panic@1" => tests::panics(),
            unknown => Err(invalid_input(format!(
                "this runner has no action `{unknown}`: it is older than the workflow that uses it"
            ))),
        }
    }
}

/// Reads `with` into the action's own type, and says which field does not fit.
fn read_input<Input: DeserializeOwned>(with: Map<String, Value>) -> Result<Input, StepError> {
    serde_path_to_error::deserialize(Value::Object(with)).map_err(|error| {
        let path = error.path().to_string();
        match path.as_str() {
            "." => invalid_input(format!("with: {}", error.inner())),
            path => invalid_input(format!("with.{path}: {}", error.inner())),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no action should do, and one will.
    pub(super) fn panics() -> ! {
        panic!("as the test wants it")
    }

    /// A call as the engine would make it.
    #[expect(clippy::needless_pass_by_value, reason = "callers write the value in place")]
    pub(super) fn call(action: &str, with: Value) -> Call {
        Call {
            run: Uuid::from_u128(7),
            epoch: 3,
            step: "step".to_owned(),
            action: action.to_owned(),
            with: with.as_object().unwrap().clone(),
            idempotency_key: format!("{}:step", Uuid::from_u128(7)),
            deadline: None,
        }
    }

    #[tokio::test]
    async fn every_action_of_the_engine_is_known_and_no_other() {
        let actions = Actions::new(
            Guard::new(crate::guard::Egress::default()),
            Scripts::new().unwrap(),
        );
        let performed = flowpilot_engine::action::built_in().iter();
        for action in performed.filter(|action| action.is_performed) {
            let error = actions
                .perform(call(action.name, serde_json::json!({})))
                .await
                .unwrap_err();
            assert!(
                error.message.contains("missing field"),
                "{}: {}",
                action.name,
                error.message
            );
        }
        let error = actions
            .perform(call("core/other@1", serde_json::json!({})))
            .await
            .unwrap_err();
        assert!(error.message.contains("no action `core/other@1`"));
    }
}
