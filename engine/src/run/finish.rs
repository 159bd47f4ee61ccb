//! The end of a run: its outcome, outputs and error.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::attempt::over_limit;
use super::ending::Cause;
use super::evaluate::evaluation_error;
use super::frame::RUN;
use super::names::{Call, Given, Names};
use super::path::Target;
use super::work::Outcome;
use super::{Command, Run};
use crate::expression::Budget;
use crate::journal::{Event, RunOutcome, StepError};

impl Run {
    /// Every step ended, and what had to be undone is: so does the run.
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
        let event = Event::RunFinished {
            at: now,
            outcome,
            outputs,
            error,
            message,
        };
        self.record_at(Target::Run, event, commands);
        commands.push(Command::Finish {
            outcome,
            outputs: finished,
            error: reason,
        });
    }

    fn end(&self) -> (RunOutcome, Option<StepError>, Option<String>) {
        let run = self.frames.get(RUN);
        let error = run.error.as_deref().cloned();
        match run.cause() {
            None | Some(Cause::Won | Cause::Skipped(_)) => (RunOutcome::Succeeded, None, None),
            Some(Cause::Failing) => (RunOutcome::Failed, error, None),
            Some(Cause::Cancelled { .. }) => (RunOutcome::Cancelled, error, None),
            Some(Cause::Stopped {
                step,
                succeeded,
                message,
            }) => {
                let message = message.clone();
                if *succeeded && error.is_none() {
                    return (RunOutcome::Succeeded, None, message);
                }
                let stopped = || StepError {
                    code: "Stopped".to_owned(),
                    message: message
                        .clone()
                        .unwrap_or_else(|| "the workflow stopped the run".to_owned()),
                    step: Some(step.clone()),
                    ..StepError::default()
                };
                let error = if *succeeded { error } else { Some(stopped()) };
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
        let names = Names::new(self, RUN, Call::new("", "outputs", 1, now), Given::default());
        let values = outputs
            .evaluate(&names, &mut Budget::default())
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
