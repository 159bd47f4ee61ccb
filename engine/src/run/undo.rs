//! Taking back what a block completed: in reverse order of completion, one after another.

use jiff::Timestamp;

use super::frame::{FrameId, Instance};
use super::names::Call;
use super::path::Target;
use super::record::Phase;
use super::work::{Outcome, fields};
use super::{Command, Perform, Run, after};
use crate::action::Effect;
use crate::journal::{Event, StepError};
use crate::plan::RetryPolicy;
use crate::run::command::Task;

impl Run {
    /// Goes on with the undo of a block. False if nothing is left of it.
    pub(super) fn undo_next(&mut self, id: FrameId, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        let frame = self.frames.get(id);
        if frame.undoing.is_some() {
            return true;
        }
        let last = frame.completed.iter().max_by_key(|completed| completed.sequence);
        let last = if frame.undo_since.is_some() {
            frame.completed.last()
        } else {
            last
        };
        let Some(instance) = last.map(|completed| completed.instance) else {
            return false;
        };
        self.begin_undo(instance, 1, now, commands);
        true
    }

    /// The pause before another attempt is over.
    pub(super) fn undo_again(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let undo = self.record_of(instance).undo.as_deref();
        if let Some(attempts) = undo
            .filter(|undo| undo.phase == Phase::Retrying)
            .map(|undo| undo.attempts)
        {
            self.begin_undo(instance, attempts + 1, now, commands);
        }
    }

    fn begin_undo(&mut self, instance: Instance, attempt: u32, now: Timestamp, commands: &mut Vec<Command>) {
        let event = Event::StepStarted {
            step: self.undo_path(instance),
            at: now,
            attempt,
        };
        self.record_at(Target::Undo(instance), event, commands);
        self.work_undo(instance, now, commands);
    }

    /// Does the work of an undo that began.
    pub(super) fn work_undo(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        match self.perform_undo(instance) {
            Ok(perform) => commands.push(Command::Perform(perform)),
            Err(error) => self.undo_failed(instance, *error, false, now, commands),
        }
    }

    fn perform_undo(&self, instance: Instance) -> Outcome<Perform> {
        let definition = &self.plan.steps[instance.step];
        let (Some(undo), Some(record)) = (&definition.undo, self.record_of(instance).undo.as_deref()) else {
            return Err(Box::default());
        };
        let path = self.undo_path(instance);
        let call = Call::new(&path, "undo", record.attempts, record.attempt_at);
        let with = self.evaluate_at(instance, call, &undo.with)?;
        self.check_input(instance, &undo.action, &with)?;
        let declared = self.plan.actions.get(&undo.action);
        let effect = declared.map_or(Effect::Read, |action| action.effect);
        Ok(Perform {
            idempotency_key: format!("{}:undo", self.idempotency_key(instance)),
            step: path,
            attempt: record.attempts,
            at: record.attempt_at,
            undo: true,
            task: Task::Action {
                action: undo.action.clone(),
                connection: undo.connection.clone(),
                with: fields(with),
            },
            effect,
            deadline: None,
            max_attempts: RetryPolicy::standard().attempts,
            runner_class: definition.runner_class.clone(),
            sensitive: self.plan.is_sensitive(instance.step),
            cache: None,
            example: self.example_of(&undo.action, effect),
        })
    }

    pub(super) fn undo_succeeded(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let attempt = self.undo_attempt(instance);
        let event = Event::StepSucceeded {
            step: self.undo_path(instance),
            at: now,
            attempt,
            output: None,
            named: None,
            cached: false,
            message: None,
        };
        self.record_at(Target::Undo(instance), event, commands);
    }

    /// It is tried three times, whatever the reason; one that fails does not stop the others.
    pub(super) fn undo_failed(
        &mut self,
        instance: Instance,
        mut error: StepError,
        again: bool,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let (path, attempt) = (self.undo_path(instance), self.undo_attempt(instance));
        let policy = RetryPolicy::standard();
        let again = again && attempt < policy.attempts;
        let retry_at = again.then(|| after(now, self.pause(&path, attempt, &policy, &error)));
        error.step = Some(path.clone());
        error.attempt = Some(attempt);
        let event = Event::StepFailed {
            step: path,
            at: now,
            attempt,
            error,
            retry_at,
            named: None,
            output: None,
        };
        self.record_at(Target::Undo(instance), event, commands);
    }

    fn undo_attempt(&self, instance: Instance) -> u32 {
        let undo = self.record_of(instance).undo.as_deref();
        undo.map_or(0, |undo| undo.attempts)
    }

    /// The time for the undo of a block is over, or that of a pause between turns.
    pub(super) fn frame_timer_due(&mut self, id: FrameId, now: Timestamp, commands: &mut Vec<Command>) {
        let frame = self.frames.get(id);
        self.settling.insert(id);
        if frame.undo_since.is_none() || frame.closed {
            return;
        }
        let (undoing, step) = (frame.undoing, self.frame_path(id));
        let target = self.target_of(id);
        self.record_at(target, Event::UndoGivenUp { step, at: now }, commands);
        if let Some(instance) = undoing {
            let step = self.undo_path(instance);
            commands.push(Command::Abort { step });
        }
    }

    /// Whether somebody knows that an undo did not happen: then it may be tried again.
    pub(super) fn may_undo_again(&self, instance: Instance, error: &StepError) -> bool {
        let undo = self.plan.steps[instance.step].undo.as_ref();
        let declared = undo.and_then(|undo| self.plan.actions.get(&undo.action));
        let is_safe = declared.is_none_or(|action| {
            action.idempotency_key || matches!(action.effect, Effect::None | Effect::Read)
        });
        is_safe || !error.may_have_happened
    }
}
