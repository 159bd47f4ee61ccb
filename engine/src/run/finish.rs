//! The end of a run: its outcome, outputs and error.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::attempt::over_limit;
use super::ending::Cause;
use super::scope::{Call, RunScope};
use super::work::{Outcome, evaluation_error};
use super::{Command, Run};
use crate::expression::Budget;
use crate::journal::{Event, RunOutcome, StepError};
use crate::plan::Work;

impl Run {
    /// Every step ended: so does the run.
    pub(super) fn finish(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let (mut outcome, mut error, message) = self.end();
        let mut outputs = None;
        if outcome == RunOutcome::Succeeded {
            match self.outputs(now) {
                Ok(values) => outputs = Some(values),
                Err(why) => (outcome, error) = (RunOutcome::Failed, Some(*why)),
            }
        }
        let (finished, reason) = (outputs.clone(), error.clone());
        self.record(
            Event::RunFinished {
                at: now,
                outcome,
                outputs,
                error,
                message,
            },
            commands,
        );
        commands.push(Command::Finish {
            outcome,
            outputs: finished,
            error: reason,
        });
    }

    fn end(&self) -> (RunOutcome, Option<StepError>, Option<String>) {
        let error = self.error.as_deref().cloned();
        match self.ending.as_ref().map(|ending| ending.cause) {
            None => (RunOutcome::Succeeded, None, None),
            Some(Cause::Failing) => (RunOutcome::Failed, error, None),
            Some(Cause::Cancelled) => (RunOutcome::Cancelled, error, None),
            Some(Cause::Stopped { step, succeeded }) => {
                let message = match &self.plan.steps[step].work {
                    Work::Stop { message, .. } => self.message(step, message.as_ref()).ok().flatten(),
                    _ => None,
                };
                if succeeded && error.is_none() {
                    return (RunOutcome::Succeeded, None, message);
                }
                let stopped = || StepError {
                    code: "Stopped".to_owned(),
                    message: message
                        .clone()
                        .unwrap_or_else(|| "the workflow stopped the run".to_owned()),
                    step: Some(self.path(step)),
                    ..StepError::default()
                };
                let error = if succeeded { error } else { Some(stopped()) };
                (RunOutcome::Failed, error, message)
            }
        }
    }

    fn outputs(&self, now: Timestamp) -> Outcome<Map<String, Json>> {
        let fail = |error: StepError| {
            Box::new(StepError {
                code: "OutputError".to_owned(),
                ..error
            })
        };
        let Some(outputs) = &self.plan.outputs else {
            return Ok(Map::new());
        };
        let scope = RunScope::new(self, Call::outputs(now));
        let values = outputs
            .evaluate(&scope, &mut Budget::default())
            .map_err(|error| fail(*evaluation_error(&error)))?;
        if let Some(message) = over_limit(&values) {
            return Err(fail(StepError {
                message,
                ..StepError::default()
            }));
        }
        match values {
            Json::Object(values) => Ok(values),
            _ => Ok(Map::new()),
        }
    }
}
