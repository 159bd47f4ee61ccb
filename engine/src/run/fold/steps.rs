//! Events of steps.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::expression::Value;
use crate::journal::{Event, SkipReason, Vote};
use crate::plan::{Edge, Need, WaitFor, Work};
use crate::run::ending::{Cause, Ending};
use crate::run::frame::{Completed, Instance, RUN};
use crate::run::join::{self, Decision};
use crate::run::record::{Phase, Record};
use crate::run::{Run, Timer, after};

impl Run {
    pub(super) fn started(&mut self, instance: Instance, attempt: u32, at: Timestamp) -> bool {
        let plan = self.plan.clone();
        let definition = &plan.steps[instance.step];
        let frame = self.frames.get(instance.frame);
        if frame.closed || matches!(frame.cause(), Some(Cause::Skipped(_))) {
            return false;
        }
        let is_ending = frame.ending.is_some();
        let record = self.record_mut(instance);
        let first = record.phase == Phase::Pending;
        if attempt != record.attempts + 1 || !(first || record.phase == Phase::Retrying) {
            return false;
        }
        record.phase = Phase::Running;
        record.attempts = attempt;
        record.attempt_at = Some(at);
        record.started_at.get_or_insert(at);
        record.clean_up |= first && is_ending;
        self.forget(instance);
        self.running += usize::from(definition.work.is_performed());
        self.set_timer(instance, self.attempt_ends_at(instance));
        if first {
            self.handles(instance);
        }
        if matches!(definition.work, Work::Group { .. }) {
            self.open_group(instance);
        }
        true
    }

    /// When the attempt under way takes too long.
    pub(in crate::run) fn attempt_ends_at(&self, instance: Instance) -> Option<Timestamp> {
        let timeout = i64::try_from(self.plan.steps[instance.step].timeout_ms?).ok()?;
        let began = self.record_of(instance).attempt_at?;
        Some(after(began, SignedDuration::from_millis(timeout)))
    }

    pub(super) fn waits(&mut self, instance: Instance, until: Option<Timestamp>) -> bool {
        let waits = matches!(
            self.plan.steps[instance.step].work,
            Work::Wait(_) | Work::Approval(_)
        );
        let fits = self.record_of(instance).phase == Phase::Running && waits;
        if fits {
            self.record_mut(instance).phase = Phase::Waiting;
            self.set_timer(instance, until);
            self.listen(instance);
        }
        fits
    }

    pub(super) fn voted(&mut self, instance: Instance, vote: &Vote) -> bool {
        let record = self.record_mut(instance);
        if record.phase != Phase::Waiting {
            return false;
        }
        record.votes.retain(|earlier| earlier.by != vote.by);
        record.votes.push(vote.clone());
        true
    }

    pub(super) fn attempt_ended(&mut self, instance: Instance, event: &Event) {
        match event {
            Event::StepSucceeded {
                at,
                output,
                named,
                cached,
                message,
                ..
            } => {
                self.takes(instance, output.as_ref());
                self.completes(instance);
                let record = self.record_mut(instance);
                record.output = output.as_ref().map(Value::from_json);
                record.named = named.as_deref().map(Arc::from);
                record.error = None;
                record.attempts -= u32::from(*cached && record.attempts > 0);
                self.ended(instance, Phase::Succeeded, *at);
                if let Work::Stop { succeeded, .. } = self.plan.steps[instance.step].work {
                    let (step, message) = (self.path(instance), message.clone());
                    let cause = Cause::Stopped {
                        step,
                        succeeded,
                        message,
                    };
                    self.end_frame(RUN, cause, *at);
                }
            }
            Event::StepFailed {
                at,
                error,
                retry_at,
                named,
                output,
                ..
            } => {
                self.record_mut(instance).error = Some(Arc::new(error.clone()));
                self.close_frame_of(instance, *at);
                if let Some(retry_at) = retry_at {
                    self.leaves_runner(instance);
                    self.record_mut(instance).phase = Phase::Retrying;
                    self.set_timer(instance, Some(*retry_at));
                } else {
                    let record = self.record_mut(instance);
                    record.named = named.as_deref().map(Arc::from);
                    record.output = output.as_ref().map(Value::from_json);
                    self.ended(instance, Phase::Failed, *at);
                    self.failed(instance, *at);
                    self.look_at_race(instance.frame, *at);
                }
            }
            _ => {}
        }
    }

    pub(super) fn skipped(&mut self, instance: Instance, reason: SkipReason, at: Timestamp) -> bool {
        let plan = self.plan.clone();
        let frame = self.frames.get(instance.frame);
        let record = self.record_of(instance);
        if record.phase != Phase::Pending {
            return false;
        }
        if reason != SkipReason::Condition
            && record.waiting_for == 0
            && let Decision::Skip(_, forks) = join::decide(&plan, frame, instance.step)
        {
            self.record_mut(instance).forks = forks;
        }
        // The steps in a group go the same way; those of a forEach or a loop have no place.
        if matches!(plan.steps[instance.step].work, Work::Group { .. }) {
            let inner = self.open_group(instance);
            self.end_frame(inner, Cause::Skipped(reason), at);
        }
        self.ended(instance, Phase::Skipped(reason), at);
        self.does_not_handle(instance, at);
        self.look_at_race(instance.frame, at);
        true
    }

    pub(super) fn cancelled(&mut self, instance: Instance, at: Timestamp) {
        // Somebody stopped an attempt that the machine had ended already: nothing changes.
        if self.record_of(instance).phase.is_active() {
            self.close_frame_of(instance, at);
            self.ended(instance, Phase::Cancelled, at);
        }
    }

    /// Everything that every end of a step has in common.
    fn ended(&mut self, instance: Instance, phase: Phase, at: Timestamp) {
        let plan = self.plan.clone();
        self.leaves_runner(instance);
        self.set_timer(instance, None);
        self.forget(instance);
        self.waits_no_more(instance);
        let record = self.record_mut(instance);
        record.phase = phase;
        record.ended_at = Some(at);
        let frame = self.frames.get_mut(instance.frame);
        frame.open -= 1;
        if frame.open == 0 {
            self.settling.insert(instance.frame);
        }
        let wins = frame.is_race
            && frame.ending.is_none()
            && phase == Phase::Succeeded
            && plan.is_last(instance.step);
        for dependent in plan.dependents(instance.step) {
            let dependent = Instance {
                frame: instance.frame,
                step: *dependent,
            };
            let record = self.record_mut(dependent);
            record.waiting_for -= 1;
            if record.waiting_for == 0 && record.phase == Phase::Pending {
                self.dirty.insert((self.order_of(dependent), dependent));
            }
        }
        if wins {
            // What failed on the way no longer counts.
            self.frames.get_mut(instance.frame).error = None;
            self.end_frame(instance.frame, Cause::Won, at);
        }
    }

    /// What it did can be taken back from now on; of a block, what was done in it.
    fn completes(&mut self, instance: Instance) {
        let plan = self.plan.clone();
        let sequence = self.sequence;
        if plan.steps[instance.step].undo.is_some() {
            let completed = Completed { sequence, instance };
            self.frames.get_mut(instance.frame).completed.push(completed);
        }
        let Some(inner) = self.record_of(instance).frame else {
            return;
        };
        self.collect_failures(instance);
        if let Some(frame) = self.frames.find_mut(inner) {
            frame.closed = true;
            let completed = std::mem::take(&mut frame.completed);
            self.frames.get_mut(instance.frame).completed.extend(completed);
        }
    }

    fn close_frame_of(&mut self, instance: Instance, at: Timestamp) {
        let Some(inner) = self.record_of(instance).frame else {
            return;
        };
        let Some(frame) = self.frames.find_mut(inner) else {
            return;
        };
        if frame.open > 0 {
            // A group whose `when` cannot be judged ends before its steps began: they are skipped.
            frame.ending = Some(Ending {
                cause: Cause::Skipped(SkipReason::Cancelled),
                since: at,
            });
            self.sweeps.insert(inner);
        } else {
            frame.closed = true;
            frame.completed.clear();
            self.set_frame_timer(inner, None);
        }
    }

    fn leaves_runner(&mut self, instance: Instance) {
        let is_performed = self.plan.steps[instance.step].work.is_performed();
        self.running -= usize::from(is_performed && self.record_of(instance).phase == Phase::Running);
    }

    /// A step failed for good: who could handle it?
    fn failed(&mut self, instance: Instance, at: Timestamp) {
        let plan = self.plan.clone();
        let frame = self.frames.get(instance.frame);
        let failed = self.record_of(instance);
        let possible = plan.dependents(instance.step).iter().filter(|dependent| {
            let needs = &plan.steps[**dependent].needs;
            frame.records[plan.position(**dependent)].phase == Phase::Pending
                && needs
                    .iter()
                    .any(|need| need.step == instance.step && needs_failure(need, failed))
        });
        let possible = possible.count();
        self.record_mut(instance).possible_handlers = possible;
        if possible == 0 {
            self.unhandled(instance, at);
        }
    }

    /// A step started: the failures that it needs are handled.
    fn handles(&mut self, instance: Instance) {
        let plan = self.plan.clone();
        for need in &plan.steps[instance.step].needs {
            let needed = Instance {
                step: need.step,
                ..instance
            };
            if needs_failure(need, self.record_of(needed)) {
                self.record_mut(needed).handled = true;
            }
        }
    }

    /// A step was skipped: it handles nothing.
    fn does_not_handle(&mut self, instance: Instance, at: Timestamp) {
        let plan = self.plan.clone();
        for need in &plan.steps[instance.step].needs {
            let failed = Instance {
                step: need.step,
                ..instance
            };
            if !needs_failure(need, self.record_of(failed)) {
                continue;
            }
            let record = self.record_mut(failed);
            record.possible_handlers = record.possible_handlers.saturating_sub(1);
            if record.possible_handlers == 0 && !record.handled {
                self.unhandled(failed, at);
            }
        }
    }

    pub(super) fn is_under_way(&self, instance: Instance, attempt: u32) -> bool {
        let record = self.record_of(instance);
        matches!(record.phase, Phase::Running | Phase::Waiting) && record.attempts == attempt
    }

    /// There is nothing to decide about it now.
    fn forget(&mut self, instance: Instance) {
        let key = (self.order_of(instance), instance);
        self.dirty.remove(&key);
        self.ready.remove(&key);
    }

    pub(in crate::run) fn set_timer(&mut self, instance: Instance, at: Option<Timestamp>) {
        let old = std::mem::replace(&mut self.record_mut(instance).timer, at);
        self.move_timer(old, at, self.order_of(instance), Timer::Step(instance));
    }

    /// The step waits for events of a type.
    fn listen(&mut self, instance: Instance) {
        let plan = self.plan.clone();
        if let Work::Wait(WaitFor::Event(event)) = &plan.steps[instance.step].work {
            let key = (self.order_of(instance), instance);
            self.listening.entry(event.event.clone()).or_default().insert(key);
        }
    }

    fn waits_no_more(&mut self, instance: Instance) {
        let plan = self.plan.clone();
        if let Work::Wait(WaitFor::Event(event)) = &plan.steps[instance.step].work
            && let Some(waits) = self.listening.get_mut(&event.event)
        {
            waits.remove(&(
                self.frames.get(instance.frame).order.then(instance.step),
                instance,
            ));
        }
    }

    /// An event that ended a wait is not taken again by this step of the manifest.
    fn takes(&mut self, instance: Instance, output: Option<&serde_json::Value>) {
        let is_wait = matches!(self.plan.steps[instance.step].work, Work::Wait(WaitFor::Event(_)));
        let id = output.and_then(|event| event.get("id")?.as_str());
        if let (true, Some(id)) = (is_wait, id) {
            self.taken.entry(instance.step).or_default().insert(id.to_owned());
        }
    }
}

/// The need is met because the needed step failed.
fn needs_failure(need: &Need, record: &Record) -> bool {
    need.edges
        .iter()
        .any(|edge| matches!(edge, Edge::Failed | Edge::Named { failure: true, .. }) && record.meets(edge))
}
