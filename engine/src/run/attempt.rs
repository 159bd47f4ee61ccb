//! Ends of attempts, as the runner or the machine itself reports them.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::frame::Instance;
use super::path::Target;
use super::record::Phase;
use super::{Command, Run};
use crate::expression::VALUE_DEPTH_LIMIT;
use crate::journal::{Event, StepError};
use crate::plan::Work;
use crate::schema;
use crate::size::{is_too_deep, json_size};

/// The largest output of a step, in bytes of JSON: it is one event of the journal, and everything after the step may
/// read it.
pub const OUTPUT_BYTES: usize = 1024 * 1024;

impl Run {
    /// An attempt failed: the engine decides whether another one follows. Reports about attempts that ended already
    /// (by their timeout, say) are ignored.
    pub fn attempt_failed(
        &mut self,
        step: &str,
        attempt: u32,
        error: StepError,
        now: Timestamp,
    ) -> Vec<Command> {
        let mut commands = Vec::new();
        match self.under_way(step, attempt) {
            Some(Target::Step(step)) => self.fail(step, error, now, &mut commands),
            Some(Target::Undo(step)) => {
                let again = self.may_undo_again(step, &error);
                self.undo_failed(step, error, again, now, &mut commands);
            }
            _ => {}
        }
        commands
    }

    /// An attempt succeeded. An output over the limit, or one that its action does not declare, makes it a failure.
    pub fn attempt_succeeded(
        &mut self,
        step: &str,
        attempt: u32,
        output: Json,
        now: Timestamp,
    ) -> Vec<Command> {
        self.answered(step, attempt, output, false, now)
    }

    /// There is an earlier output for what was to be performed: there was no attempt.
    pub fn attempt_cached(&mut self, step: &str, attempt: u32, output: Json, now: Timestamp) -> Vec<Command> {
        self.answered(step, attempt, output, true, now)
    }

    /// An attempt was ended because of [`Command::Abort`], without an answer.
    pub fn attempt_cancelled(&mut self, step: &str, attempt: u32, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(Target::Step(instance)) = self.under_way(step, attempt) {
            let event = Event::StepCancelled {
                step: self.path(instance),
                at: now,
            };
            self.record_at(Target::Step(instance), event, &mut commands);
        }
        commands
    }

    fn answered(
        &mut self,
        step: &str,
        attempt: u32,
        mut output: Json,
        cached: bool,
        now: Timestamp,
    ) -> Vec<Command> {
        let mut commands = Vec::new();
        let instance = match self.under_way(step, attempt) {
            Some(Target::Step(instance)) => instance,
            Some(Target::Undo(instance)) => {
                self.undo_succeeded(instance, now, &mut commands);
                return commands;
            }
            _ => return commands,
        };
        let plan = self.plan.clone();
        let mut wrong = over_limit(&output).map(|message| StepError {
            code: "LimitExceeded".to_owned(),
            message,
            ..StepError::default()
        });
        if let Work::Uses { action, .. } = &plan.steps[instance.step].work
            && let Some(declared) = plan.actions.get(action)
            && wrong.is_none()
        {
            schema::type_numbers(&declared.output, &mut output);
            wrong = self
                .check_output(instance, action, &output)
                .err()
                .map(|error| *error);
        }
        if let Some(error) = wrong {
            let may_have_happened = self.changes_the_world(instance);
            let error = StepError {
                may_have_happened,
                ..error
            };
            self.fail(instance, error, now, &mut commands);
        } else {
            let event = self.success(instance, Some(output), None, cached, now);
            self.record_at(Target::Step(instance), event, &mut commands);
        }
        commands
    }

    /// The step whose attempt this is, if it is still under way.
    pub(super) fn under_way(&self, step: &str, attempt: u32) -> Option<Target> {
        if self.finished.is_some() {
            return None;
        }
        let target = self.find(step).ok()?;
        let is_under_way = match target {
            Target::Step(instance) => {
                let record = self.record_of(instance);
                record.phase == Phase::Running
                    && record.attempts == attempt
                    && self.plan.steps[instance.step].work.is_performed()
            }
            Target::Undo(instance) => {
                let undo = self.record_of(instance).undo.as_deref();
                undo.is_some_and(|undo| undo.phase == Phase::Running && undo.attempts == attempt)
            }
            _ => false,
        };
        is_under_way.then_some(target)
    }

    pub(super) fn succeed(
        &mut self,
        instance: Instance,
        output: Option<Json>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        self.succeed_as(instance, output, None, now, commands);
    }

    pub(super) fn succeed_as(
        &mut self,
        instance: Instance,
        output: Option<Json>,
        named: Option<String>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        if let Some(message) = output.as_ref().and_then(over_limit) {
            let error = StepError {
                code: "LimitExceeded".to_owned(),
                message,
                ..StepError::default()
            };
            return self.fail(instance, error, now, commands);
        }
        let event = self.success(instance, output, named, false, now);
        self.record_at(Target::Step(instance), event, commands);
    }

    fn success(
        &self,
        instance: Instance,
        output: Option<Json>,
        named: Option<String>,
        cached: bool,
        at: Timestamp,
    ) -> Event {
        Event::StepSucceeded {
            step: self.path(instance),
            at,
            attempt: self.record_of(instance).attempts,
            output,
            named,
            cached,
            message: None,
        }
    }

    /// The attempt failed; another one may follow.
    pub(super) fn fail(
        &mut self,
        instance: Instance,
        error: StepError,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let retry_at = self.retry_at(instance, &error, now);
        let ending = Failure {
            error,
            retry_at,
            named: None,
            output: None,
        };
        self.failed_attempt(instance, ending, now, commands);
    }

    /// The step failed, and no attempt can change that.
    pub(super) fn fail_for_good(
        &mut self,
        instance: Instance,
        error: StepError,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let ending = Failure {
            error,
            retry_at: None,
            named: None,
            output: None,
        };
        self.failed_attempt(instance, ending, now, commands);
    }

    /// The step failed in a way that has a name.
    pub(super) fn fail_as(
        &mut self,
        instance: Instance,
        error: StepError,
        named: &str,
        output: Option<Json>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let ending = Failure {
            error,
            retry_at: None,
            named: Some(named.to_owned()),
            output,
        };
        self.failed_attempt(instance, ending, now, commands);
    }

    fn failed_attempt(
        &mut self,
        instance: Instance,
        ending: Failure,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let Failure {
            mut error,
            retry_at,
            named,
            output,
        } = ending;
        let (step, attempt) = (self.path(instance), self.record_of(instance).attempts);
        // The error of a block is that of the step that failed it.
        let is_inherited = self.plan.steps[instance.step].work.is_block() && error.step.is_some();
        if !is_inherited {
            error = self.hide(instance, error);
            error.step = Some(step.clone());
            error.attempt = Some(attempt);
        }
        let event = Event::StepFailed {
            step,
            at: now,
            attempt,
            error,
            retry_at,
            named,
            output,
        };
        self.record_at(Target::Step(instance), event, commands);
    }
}

/// How an attempt failed.
struct Failure {
    error: StepError,
    retry_at: Option<Timestamp>,
    named: Option<String>,
    output: Option<Json>,
}

/// Why an output cannot be kept.
pub(super) fn over_limit(output: &Json) -> Option<String> {
    if is_too_deep(output) {
        return Some(format!("the output nests deeper than {VALUE_DEPTH_LIMIT} levels"));
    }
    let size = json_size(output);
    (size > OUTPUT_BYTES).then(|| format!("the output has {size} bytes; at most {OUTPUT_BYTES} are kept"))
}
