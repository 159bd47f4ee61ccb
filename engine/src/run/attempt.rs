//! Ends of attempts, as the runner or the machine itself reports them.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::record::Phase;
use super::{Command, Run};
use crate::action;
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
        if let Some(step) = self.under_way(step, attempt) {
            self.fail(step, error, now, &mut commands);
        }
        commands
    }

    /// An attempt succeeded. An output over the limit makes it a failure.
    pub fn attempt_succeeded(
        &mut self,
        step: &str,
        attempt: u32,
        output: Json,
        now: Timestamp,
    ) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(step) = self.under_way(step, attempt) {
            let mut output = output;
            if let Work::Uses { action, .. } = &self.plan.steps[step].work
                && let Some(action) = action::find(action)
            {
                schema::type_numbers(&action.output, &mut output);
            }
            self.succeed(step, Some(output), now, &mut commands);
        }
        commands
    }

    /// An attempt was ended because of [`Command::Abort`], without an answer.
    pub fn attempt_cancelled(&mut self, step: &str, attempt: u32, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(number) = self.under_way(step, attempt) {
            self.record(
                Event::StepCancelled {
                    step: self.path(number),
                    at: now,
                },
                &mut commands,
            );
        }
        commands
    }

    /// The step whose attempt this is, if it is still under way.
    fn under_way(&self, step: &str, attempt: u32) -> Option<usize> {
        let step = self.plan.step_number(step)?;
        let record = &self.records[step];
        (self.finished.is_none() && record.phase == Phase::Running && record.attempts == attempt)
            .then_some(step)
    }

    pub(super) fn succeed(
        &mut self,
        step: usize,
        output: Option<Json>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        if let Some(message) = output.as_ref().and_then(over_limit) {
            let (code, may_have_happened) = ("LimitExceeded".to_owned(), self.changes_the_world(step));
            let error = StepError {
                code,
                message,
                may_have_happened,
                ..StepError::default()
            };
            return self.fail(step, error, now, commands);
        }
        let (path, attempt) = (self.path(step), self.records[step].attempts);
        self.record(
            Event::StepSucceeded {
                step: path,
                at: now,
                attempt,
                output,
                named: None,
            },
            commands,
        );
    }

    /// The attempt failed; another one may follow.
    pub(super) fn fail(
        &mut self,
        step: usize,
        error: StepError,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let retry_at = self.retry_at(step, &error, now);
        self.failed_attempt(step, error, retry_at, now, commands);
    }

    /// The step failed, and no attempt can change that.
    pub(super) fn fail_for_good(
        &mut self,
        step: usize,
        error: StepError,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        self.failed_attempt(step, error, None, now, commands);
    }

    fn failed_attempt(
        &mut self,
        step: usize,
        mut error: StepError,
        retry_at: Option<Timestamp>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let (path, attempt) = (self.path(step), self.records[step].attempts);
        error.step = Some(path.clone());
        error.attempt = Some(attempt);
        self.record(
            Event::StepFailed {
                step: path,
                at: now,
                attempt,
                error,
                retry_at,
                named: None,
            },
            commands,
        );
    }
}

/// Why an output cannot be kept.
pub(super) fn over_limit(output: &Json) -> Option<String> {
    if is_too_deep(output) {
        return Some(format!("the output nests deeper than {VALUE_DEPTH_LIMIT} levels"));
    }
    let size = json_size(output);
    (size > OUTPUT_BYTES).then(|| format!("the output has {size} bytes; at most {OUTPUT_BYTES} are kept"))
}
