//! How one event changes the state. Nothing is decided here.

mod blocks;
mod steps;
mod undo;

use super::error::{UnexpectedSnafu, UnknownStepSnafu};
use super::frame::{Instance, RUN};
use super::path::{Lost, Target};
use super::record::Phase;
use super::{Finished, ReplayError, Run};
use crate::journal::Event;

impl Run {
    pub(super) fn fold(&mut self, event: &Event) -> Result<(), ReplayError> {
        let target = match event.step().map(|path| self.find(path)) {
            None => Target::Run,
            Some(Ok(target)) => target,
            Some(Err(Lost::Unknown)) => {
                return UnknownStepSnafu {
                    event: event.name(),
                    step: event.step().unwrap_or_default(),
                }
                .fail();
            }
            Some(Err(Lost::NotThere)) => return unexpected(event, "its block is not under way"),
        };
        self.fold_at(target, event)
    }

    pub(super) fn fold_at(&mut self, target: Target, event: &Event) -> Result<(), ReplayError> {
        if self.finished.is_some() {
            return unexpected(event, "finished");
        }
        let in_items = match target {
            Target::Step(instance) | Target::Undo(instance) => self.frames.get(instance.frame).in_items,
            _ => false,
        };
        self.sequence += 1;
        let fits = match target {
            Target::Run => self.fold_run(event),
            Target::Step(instance) => self.fold_step(instance, event),
            Target::Undo(instance) => self.fold_undo(instance, event),
            Target::Iteration { of, index } => self.fold_iteration(of, index, event),
        };
        if !fits {
            self.sequence -= 1;
            return unexpected(event, self.state_of(target));
        }
        self.count(event, in_items);
        Ok(())
    }

    fn fold_run(&mut self, event: &Event) -> bool {
        match event {
            Event::CancelRequested { at, by } => self.cancel_requested(by, *at),
            Event::CleanUpTimedOut { at } => self.cut_short(*at),
            Event::BlockFailing { at, error, .. } => self.block_failing(RUN, error, *at),
            Event::UndoGivenUp { at, .. } => return self.undo_given_up(RUN, *at),
            Event::RunFinished {
                outcome,
                error,
                message,
                ..
            } => {
                if !self.frames.get(RUN).is_over() {
                    return false;
                }
                self.finished = Some(Finished {
                    outcome: *outcome,
                    error: error.clone(),
                    message: message.clone(),
                });
            }
            _ => return false,
        }
        true
    }

    fn fold_step(&mut self, instance: Instance, event: &Event) -> bool {
        match event {
            Event::StepStarted { at, attempt, .. } => self.started(instance, *attempt, *at),
            Event::WaitStarted { until, .. } => self.waits(instance, *until),
            Event::Voted { vote, .. } => self.voted(instance, vote),
            Event::StepSucceeded { attempt, .. } | Event::StepFailed { attempt, .. } => {
                let fits = self.is_under_way(instance, *attempt) && self.inside_is_over(instance, event);
                if fits {
                    self.attempt_ended(instance, event);
                }
                fits
            }
            Event::StepSkipped { at, reason, .. } => self.skipped(instance, *reason, *at),
            Event::StepCancelled { at, .. } => {
                let fits = self.inside_is_over(instance, event);
                if fits {
                    self.cancelled(instance, *at);
                }
                fits
            }
            Event::IterationsOpened {
                items, carried, over, ..
            } => self.iterations_opened(instance, items.as_deref(), carried.as_ref(), *over),
            Event::BlockFailing { .. } | Event::UndoGivenUp { .. } => {
                self.fold_block(Target::Step(instance), event)
            }
            _ => false,
        }
    }

    /// A block ends after what is in it, or before that began.
    fn inside_is_over(&self, instance: Instance, event: &Event) -> bool {
        let inner = self
            .record_of(instance)
            .frame
            .and_then(|inner| self.frames.find(inner));
        inner.is_none_or(|frame| {
            let never_began = || frame.records.iter().all(|record| record.phase == Phase::Pending);
            let fails = matches!(event, Event::StepFailed { .. });
            let well = matches!(event, Event::StepSucceeded { .. });
            (frame.is_over() && !(well && frame.undoes()))
                || (fails && frame.iterations.is_none() && never_began())
        })
    }

    /// Of a block, whatever it is the inside of.
    fn fold_block(&mut self, target: Target, event: &Event) -> bool {
        let Some(frame) = self.frame_of(target) else {
            return false;
        };
        match event {
            Event::BlockFailing { at, error, .. } => self.block_failing(frame, error, *at),
            Event::UndoGivenUp { at, .. } => return self.undo_given_up(frame, *at),
            _ => return false,
        }
        true
    }

    fn state_of(&self, target: Target) -> String {
        match target {
            Target::Run => "running".to_owned(),
            Target::Step(instance) => format!("{:?}", self.record_of(instance).phase),
            Target::Undo(instance) => format!("{:?}", self.record_of(instance).undo),
            Target::Iteration { .. } => format!("under way: {}", self.frame_of(target).is_some()),
        }
    }
}

fn unexpected(event: &Event, state: impl Into<String>) -> Result<(), ReplayError> {
    UnexpectedSnafu {
        event: event.name(),
        step: event.step().unwrap_or_default(),
        state,
    }
    .fail()
}
