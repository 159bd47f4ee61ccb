//! How one event changes the state. Nothing is decided here.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::error::{UnexpectedSnafu, UnknownStepSnafu};
use super::join::{self, Decision};
use super::record::{Phase, Record};
use super::{Finished, ReplayError, Run, after};
use crate::expression::Value;
use crate::journal::{Event, SkipReason};
use crate::plan::{Edge, Need, Work};

impl Run {
    pub(super) fn fold(&mut self, event: &Event) -> Result<(), ReplayError> {
        let name = name_of(event);
        if self.finished.is_some() {
            return UnexpectedSnafu {
                event: name,
                step: event.step().unwrap_or_default(),
                state: "finished",
            }
            .fail();
        }
        let step = match event.step() {
            Some(path) => match self.plan.step_number(path) {
                Some(step) => step,
                None => {
                    return UnknownStepSnafu {
                        event: name,
                        step: path,
                    }
                    .fail();
                }
            },
            None => usize::MAX,
        };
        let fits = match event {
            Event::RunStarted { .. } => false,
            Event::StepStarted { at, attempt, .. } => self.started(step, *attempt, *at),
            Event::WaitStarted { until, .. } => self.waits(step, *until),
            Event::StepSucceeded { attempt, .. } | Event::StepFailed { attempt, .. } => {
                let fits = self.is_under_way(step, *attempt);
                if fits {
                    self.attempt_ended(step, event);
                }
                fits
            }
            Event::StepSkipped { at, reason, .. } => self.skipped(step, *reason, *at),
            // Somebody stopped an attempt that the machine had ended already: nothing changes.
            Event::StepCancelled { .. } if !self.records[step].phase.is_active() => true,
            Event::StepCancelled { at, .. } => {
                self.ended(step, Phase::Cancelled, *at);
                true
            }
            Event::CancelRequested { at, by } => {
                self.cancel_requested(by, *at);
                true
            }
            Event::RunFinished {
                outcome,
                error,
                message,
                ..
            } => {
                let (error, message) = (error.clone(), message.clone());
                self.finished = Some(Finished {
                    outcome: *outcome,
                    error,
                    message,
                });
                true
            }
        };
        if !fits {
            let state = self
                .records
                .get(step)
                .map(|record| format!("{:?}", record.phase))
                .unwrap_or_default();
            return UnexpectedSnafu {
                event: name,
                step: event.step().unwrap_or_default(),
                state,
            }
            .fail();
        }
        self.events += 1;
        self.limit_events(event.at());
        Ok(())
    }

    fn attempt_ended(&mut self, step: usize, event: &Event) {
        match event {
            Event::StepSucceeded {
                at, output, named, ..
            } => {
                let record = &mut self.records[step];
                record.output = output.as_ref().map(Value::from_json);
                record.named = named.as_deref().map(Arc::from);
                record.error = None;
                self.ended(step, Phase::Succeeded, *at);
                if let Work::Stop { succeeded, .. } = self.plan.steps[step].work {
                    self.stops(step, succeeded, *at);
                }
            }
            Event::StepFailed {
                at,
                error,
                retry_at,
                named,
                ..
            } => {
                self.records[step].error = Some(Arc::new(error.clone()));
                if let Some(retry_at) = retry_at {
                    self.leaves_runner(step);
                    self.records[step].phase = Phase::Retrying;
                    self.set_timer(step, Some(*retry_at));
                } else {
                    self.records[step].named = named.as_deref().map(Arc::from);
                    self.ended(step, Phase::Failed, *at);
                    self.failed(step, *at);
                }
            }
            _ => {}
        }
    }

    fn started(&mut self, step: usize, attempt: u32, at: Timestamp) -> bool {
        let record = &mut self.records[step];
        let first = record.phase == Phase::Pending;
        if attempt != record.attempts + 1 || !(first || record.phase == Phase::Retrying) {
            return false;
        }
        record.phase = Phase::Running;
        record.attempts = attempt;
        record.attempt_at = Some(at);
        record.started_at.get_or_insert(at);
        record.clean_up |= first && self.ending.is_some();
        self.dirty.remove(&step);
        self.ready.remove(&step);
        let definition = &self.plan.steps[step];
        let timeout = definition
            .timeout_ms
            .and_then(|timeout| i64::try_from(timeout).ok());
        self.running += usize::from(matches!(definition.work, Work::Uses { .. }));
        self.set_timer(
            step,
            timeout.map(|timeout| after(at, SignedDuration::from_millis(timeout))),
        );
        if first {
            self.handles(step);
        }
        true
    }

    fn waits(&mut self, step: usize, until: Timestamp) -> bool {
        let fits = self.records[step].phase == Phase::Running
            && matches!(self.plan.steps[step].work, Work::Wait { .. });
        if fits {
            self.records[step].phase = Phase::Waiting;
            self.set_timer(step, Some(until));
        }
        fits
    }

    fn skipped(&mut self, step: usize, reason: SkipReason, at: Timestamp) -> bool {
        let record = &self.records[step];
        if record.phase != Phase::Pending {
            return false;
        }
        if reason != SkipReason::Condition
            && record.waiting_for == 0
            && let Decision::Skip(_, forks) = join::decide(&self.plan.steps, &self.records, step)
        {
            self.records[step].forks = forks;
        }
        self.ended(step, Phase::Skipped(reason), at);
        self.does_not_handle(step, at);
        true
    }

    /// Everything that every end of a step has in common.
    fn ended(&mut self, step: usize, phase: Phase, at: Timestamp) {
        self.leaves_runner(step);
        self.set_timer(step, None);
        let record = &mut self.records[step];
        record.phase = phase;
        record.ended_at = Some(at);
        self.dirty.remove(&step);
        self.ready.remove(&step);
        self.open -= 1;
        for dependent in self.plan.dependents(step) {
            let dependent_record = &mut self.records[*dependent];
            dependent_record.waiting_for -= 1;
            if dependent_record.waiting_for == 0 && dependent_record.phase == Phase::Pending {
                self.dirty.insert(*dependent);
            }
        }
    }

    fn leaves_runner(&mut self, step: usize) {
        let is_action = matches!(self.plan.steps[step].work, Work::Uses { .. });
        self.running -= usize::from(is_action && self.records[step].phase == Phase::Running);
    }

    /// A step failed for good: who could handle it?
    fn failed(&mut self, step: usize, at: Timestamp) {
        let possible = self.plan.dependents(step).iter().filter(|dependent| {
            let needs = &self.plan.steps[**dependent].needs;
            self.records[**dependent].phase == Phase::Pending
                && needs
                    .iter()
                    .any(|need| need.step == step && needs_failure(need, &self.records[step]))
        });
        self.records[step].possible_handlers = possible.count();
        if self.records[step].possible_handlers == 0 {
            self.unhandled(step, at);
        }
    }

    /// A step started: the failures that it needs are handled.
    fn handles(&mut self, step: usize) {
        for need in &self.plan.steps[step].needs {
            if needs_failure(need, &self.records[need.step]) {
                self.records[need.step].handled = true;
            }
        }
    }

    /// A step was skipped: it handles nothing.
    fn does_not_handle(&mut self, step: usize, at: Timestamp) {
        for index in 0..self.plan.steps[step].needs.len() {
            let need = &self.plan.steps[step].needs[index];
            let failed = need.step;
            if !needs_failure(need, &self.records[failed]) {
                continue;
            }
            let record = &mut self.records[failed];
            record.possible_handlers = record.possible_handlers.saturating_sub(1);
            if record.possible_handlers == 0 && !record.handled {
                self.unhandled(failed, at);
            }
        }
    }

    fn is_under_way(&self, step: usize, attempt: u32) -> bool {
        let record = &self.records[step];
        matches!(record.phase, Phase::Running | Phase::Waiting) && record.attempts == attempt
    }

    pub(super) fn set_timer(&mut self, step: usize, at: Option<Timestamp>) {
        if let Some(old) = self.records[step].timer.take() {
            self.timers.remove(&(old, step));
        }
        if let Some(at) = at {
            self.timers.insert((at, step));
            self.records[step].timer = Some(at);
        }
    }
}

/// The need is met because the needed step failed.
fn needs_failure(need: &Need, record: &Record) -> bool {
    need.edges
        .iter()
        .any(|edge| matches!(edge, Edge::Failed | Edge::Named { failure: true, .. }) && record.meets(edge))
}

fn name_of(event: &Event) -> &'static str {
    match event {
        Event::RunStarted { .. } => "RunStarted",
        Event::StepStarted { .. } => "StepStarted",
        Event::StepSucceeded { .. } => "StepSucceeded",
        Event::StepFailed { .. } => "StepFailed",
        Event::StepSkipped { .. } => "StepSkipped",
        Event::StepCancelled { .. } => "StepCancelled",
        Event::WaitStarted { .. } => "WaitStarted",
        Event::CancelRequested { .. } => "CancelRequested",
        Event::RunFinished { .. } => "RunFinished",
    }
}
