//! Beginning an attempt: the kinds of steps.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

use super::scope::{Call, RunScope};
use super::{Command, Perform, Run, after};
use crate::action;
use crate::expression::{Budget, EvaluationError, Tree};
use crate::journal::{Event, StepError};
use crate::plan::{WaitFor, Work};
use crate::{duration, schema};

/// Boxed, so that the good way stays small.
pub(super) type Outcome<T> = Result<T, Box<StepError>>;

impl Run {
    /// Whether `when` lets the step run.
    pub(super) fn condition(&self, step: usize, now: Timestamp) -> Outcome<bool> {
        let Some(when) = &self.plan.steps[step].when else {
            return Ok(true);
        };
        let scope = RunScope::new(self, Call::condition(&self.plan.steps[step].id, now));
        let value = when
            .evaluate(&scope, &mut Budget::default())
            .map_err(|error| evaluation_error(&error))?;
        value.as_bool().ok_or_else(|| {
            let message = format!(
                "`when` gave {}, not true or false: {}",
                value.kind(),
                when.source()
            );
            expression_error(message)
        })
    }

    /// Begins an attempt.
    pub(super) fn begin(&mut self, step: usize, attempt: u32, now: Timestamp, commands: &mut Vec<Command>) {
        self.record(
            Event::StepStarted {
                step: self.path(step),
                at: now,
                attempt,
            },
            commands,
        );
        self.work(step, now, commands);
    }

    /// Does the work of an attempt that began: at once where no hands are needed.
    pub(super) fn work(&mut self, step: usize, now: Timestamp, commands: &mut Vec<Command>) {
        let plan = self.plan.clone();
        match &plan.steps[step].work {
            Work::Set { values } => match self.evaluate(step, values) {
                Ok(output) => self.succeed(step, Some(output), now, commands),
                Err(error) => self.fail_for_good(step, *error, now, commands),
            },
            Work::Uses { .. } => match self.perform(step) {
                Ok(perform) => commands.push(Command::Perform(perform)),
                Err(error) => self.fail(step, *error, now, commands),
            },
            Work::Wait(WaitFor::Duration(duration)) => match self.wait_until(step, duration, now) {
                Ok(until) => self.record(
                    Event::WaitStarted {
                        step: self.path(step),
                        at: now,
                        until,
                    },
                    commands,
                ),
                Err(error) => self.fail_for_good(step, *error, now, commands),
            },
            Work::Fail { code, message } => {
                let error = match self.message(step, message.as_ref()) {
                    Ok(message) => StepError {
                        code: code.clone(),
                        message: message.unwrap_or_default(),
                        ..StepError::default()
                    },
                    Err(error) => *error,
                };
                self.fail_for_good(step, error, now, commands);
            }
            Work::Stop { message, .. } => match self.message(step, message.as_ref()) {
                Ok(_) => self.succeed(step, None, now, commands),
                Err(error) => self.fail_for_good(step, *error, now, commands),
            },
            _ => {
                let error = expression_error("this step cannot run yet".to_owned());
                self.fail_for_good(step, *error, now, commands);
            }
        }
    }

    /// The attempt of an action that is under way, as the runner needs it. The same whenever it is asked.
    pub(super) fn perform(&self, step: usize) -> Outcome<Perform> {
        let definition = &self.plan.steps[step];
        let Work::Uses {
            action, with, effect, ..
        } = &definition.work
        else {
            return Err(expression_error(format!(
                "step {} performs no action",
                definition.id
            )));
        };
        let with = self.evaluate(step, with)?;
        check_input(action, &with)?;
        let record = &self.records[step];
        let timeout = definition
            .timeout_ms
            .and_then(|timeout| i64::try_from(timeout).ok());
        let started = record.attempt_at.unwrap_or(self.started_at);
        Ok(Perform {
            step: definition.id.clone(),
            attempt: record.attempts,
            undo: false,
            task: super::command::Task::Action {
                action: action.clone(),
                connection: None,
                with: if let Json::Object(with) = with {
                    with
                } else {
                    Map::new()
                },
            },
            runner_class: None,
            sensitive: false,
            effect: *effect,
            idempotency_key: format!("{}:{}", self.facts.run, definition.id),
            deadline: timeout.map(|timeout| after(started, SignedDuration::from_millis(timeout))),
            max_attempts: definition.max_attempts(),
        })
    }

    fn wait_until(&self, step: usize, duration: &Tree, now: Timestamp) -> Outcome<Timestamp> {
        let text = self.evaluate(step, duration)?;
        let text = text
            .as_str()
            .ok_or_else(|| expression_error(format!("wait.duration gave {text}, not a duration")))?;
        let duration = match text.strip_prefix('-') {
            Some(_) => Err(expression_error(format!(
                "wait.duration gave {text}: time does not run backwards"
            ))),
            None => fraction_of_seconds(text)
                .map_or_else(|| duration::parse(text), Ok)
                .map_err(|error| expression_error(error.to_string())),
        };
        Ok(after(now, duration?))
    }

    /// A message of `fail` or `stop`, evaluated.
    pub(super) fn message(&self, step: usize, message: Option<&Tree>) -> Outcome<Option<String>> {
        let Some(message) = message else { return Ok(None) };
        Ok(Some(match self.evaluate(step, message)? {
            Json::String(text) => text,
            other => other.to_string(),
        }))
    }

    /// Evaluates what an attempt that is under way computes.
    fn evaluate(&self, step: usize, tree: &Tree) -> Outcome<Json> {
        let record = &self.records[step];
        let at = record.attempt_at.unwrap_or(self.started_at);
        let scope = RunScope::new(
            self,
            Call::attempt(&self.plan.steps[step].id, record.attempts, at),
        );
        tree.evaluate(&scope, &mut Budget::default())
            .map_err(|error| evaluation_error(&error))
    }
}

fn check_input(action: &str, with: &Json) -> Outcome<()> {
    let Some(validator) = action::find(action).and_then(action::input_validator) else {
        let message = format!("this runner does not know the action {action}");
        return Err(Box::new(StepError {
            code: "UnknownAction".to_owned(),
            message,
            ..StepError::default()
        }));
    };
    if validator.is_valid(with) {
        return Ok(());
    }
    let found = schema::violations(validator, with, "with");
    let said: Vec<String> = found
        .iter()
        .take(5)
        .map(|violation| format!("{}: {}", violation.path, violation.message))
        .collect();
    Err(Box::new(StepError {
        code: "InvalidInput".to_owned(),
        message: said.join("; "),
        ..StepError::default()
    }))
}

pub(super) fn evaluation_error(error: &EvaluationError) -> Box<StepError> {
    let details = serde_json::json!({"expression": error.expression, "offset": error.offset});
    Box::new(StepError {
        code: error.code.to_owned(),
        message: error.message.clone(),
        details: Some(details),
        ..StepError::default()
    })
}

/// `1.5s`, as CEL writes a duration that is no whole number of seconds.
fn fraction_of_seconds(text: &str) -> Option<SignedDuration> {
    let (seconds, fraction) = text.strip_suffix('s')?.split_once('.')?;
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(SignedDuration::new(seconds.parse().ok()?, nanoseconds))
}

fn expression_error(message: String) -> Box<StepError> {
    Box::new(StepError {
        code: "ExpressionError".to_owned(),
        message,
        ..StepError::default()
    })
}
