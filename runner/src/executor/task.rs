//! What an attempt does: an action, or a script.

use flowpilot_engine::journal::StepError;
use flowpilot_engine::run::{Perform, Task};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use crate::actions::{Actions, Call};
use crate::script;

/// The name of a task in metrics: an action's own, or the word of the manifest.
pub(super) fn name(task: &Task) -> String {
    match task {
        Task::Action { action, .. } => action.clone(),
        Task::Script { .. } => "script".to_owned(),
        Task::Container { .. } => "container".to_owned(),
        Task::Workflow { .. } => "workflow".to_owned(),
    }
}

/// Performs one attempt. Dropping the future ends it.
pub(super) fn perform(
    actions: Actions,
    run: Uuid,
    epoch: i32,
    perform: Perform,
) -> BoxFuture<'static, Result<Value, StepError>> {
    let Perform {
        step,
        attempt,
        task,
        idempotency_key,
        deadline,
        at,
        ..
    } = perform;
    match task {
        Task::Action {
            action,
            connection: None,
            with,
        } => {
            let call = Call {
                run,
                epoch,
                step,
                action,
                with,
                idempotency_key,
                deadline,
            };
            async move { actions.perform(call).await }.boxed()
        }
        Task::Script { source, input } => async move {
            let attempt = script::Attempt {
                run,
                step: &step,
                number: attempt,
                now: at,
            };
            script::perform(actions.scripts(), attempt, source, Value::Object(input)).await
        }
        .boxed(),
        // The API server refuses workflows with these when they are registered.
        other @ (Task::Action { .. } | Task::Container { .. } | Task::Workflow { .. }) => {
            let message = format!("this runner cannot perform {} yet", name(&other));
            let error = StepError {
                code: "NotSupportedYet".to_owned(),
                message,
                ..StepError::default()
            };
            futures::future::ready(Err(error)).boxed()
        }
    }
}
