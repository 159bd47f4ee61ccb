//! Blocks whose steps have all ended: what they give, or what is undone before their end is known outside.

use jiff::Timestamp;

use super::attempt::over_limit;
use super::ending::Cause;
use super::frame::{FrameId, Instance, Owner};
use super::path::Target;
use super::work::Outcome;
use super::{Command, Run};
use crate::journal::{Event, IterationEnd, StepError};
use crate::plan::Work;

impl Run {
    /// Looks at a frame in which something ended.
    pub(super) fn settle(&mut self, id: FrameId, now: Timestamp, commands: &mut Vec<Command>) {
        let Some(frame) = self.frames.find(id) else { return };
        if frame.closed {
            return;
        }
        let (owner, is_ending) = (frame.owner, frame.ending.is_some());
        if frame.iterations.is_some() && !is_ending {
            return self.go_on(id, now, commands);
        }
        if frame.open > 0 {
            return;
        }
        match frame.cause().cloned() {
            // Also of a race: a winner whose clean-up failed wins nothing.
            None | Some(Cause::Won) => self.ends_well(id, owner, now, commands),
            Some(Cause::Skipped(_)) => {}
            Some(cause) => {
                if !(cause.undoes() && self.undo_next(id, now, commands)) {
                    self.ends_early(id, owner, &cause, now, commands);
                }
            }
        }
    }

    /// Every step ended, and nothing went wrong that ended it before.
    fn ends_well(&mut self, id: FrameId, owner: Owner, now: Timestamp, commands: &mut Vec<Command>) {
        // Of a race in which nobody won, the first failure counts.
        if self.frames.get(id).error.is_some() {
            return self.fails_after_all(id, now, commands);
        }
        match owner {
            Owner::Run => self.finish(now, commands),
            Owner::Step(instance) => match self.group_result(id, instance, now) {
                Ok(output) => self.succeed(instance, output, now, commands),
                Err(error) => self.fails_late(id, *error, now, commands),
            },
            Owner::Iteration { of, index } => match self.iteration_result(of, id, index, now) {
                Ok(end) => self.end_iteration(of, index, end, now, commands),
                Err(error) => self.fails_late(id, *error, now, commands),
            },
        }
    }

    fn group_result(
        &self,
        id: FrameId,
        instance: Instance,
        now: Timestamp,
    ) -> Outcome<Option<serde_json::Value>> {
        let plan = &self.plan.steps[instance.step];
        let Work::Group {
            result: Some(result), ..
        } = &plan.work
        else {
            return Ok(None);
        };
        let output = self.evaluate_in(id, "result", now, result)?;
        check_limit(&output)?;
        Ok(Some(output))
    }

    /// A block fails although its steps did not: by its `result`, or by what it carries on.
    pub(super) fn fails_late(
        &mut self,
        id: FrameId,
        mut error: StepError,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        // An item or a turn is no step: what it computes is the block's.
        if error.step.is_none()
            && let Some(block) = self.block_of(id)
        {
            error = self.hide(block, error);
            error.step = Some(self.path(block));
            error.attempt = Some(self.record_of(block).attempts);
        }
        let step = self.frame_path(id);
        let target = self.target_of(id);
        self.record_at(target, Event::BlockFailing { step, at: now, error }, commands);
    }

    /// The step that a frame is the inside of, or one of its items or turns; nothing for the run.
    fn block_of(&self, id: FrameId) -> Option<Instance> {
        match self.frames.find(id)?.owner {
            Owner::Run => None,
            Owner::Step(instance) => Some(instance),
            Owner::Iteration { of, .. } => self.block_of(of),
        }
    }

    /// What events about a frame speak of.
    pub(super) fn target_of(&self, id: FrameId) -> Target {
        match self.frames.get(id).owner {
            Owner::Run => Target::Run,
            Owner::Step(instance) => Target::Step(instance),
            Owner::Iteration { of, index } => Target::Iteration { of, index },
        }
    }

    fn fails_after_all(&mut self, id: FrameId, now: Timestamp, commands: &mut Vec<Command>) {
        let error = self.frames.get(id).error.as_deref().cloned();
        self.fails_late(id, error.unwrap_or_default(), now, commands);
    }

    /// The end of a block that ended early, once everything in it is over.
    fn ends_early(
        &mut self,
        id: FrameId,
        owner: Owner,
        cause: &Cause,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let fails = *cause == Cause::Failing;
        let error = self.frames.get(id).error.as_deref().cloned().unwrap_or_default();
        match owner {
            Owner::Run => self.finish(now, commands),
            Owner::Step(instance) if fails => self.fail(instance, error, now, commands),
            Owner::Step(instance) => {
                let step = self.path(instance);
                self.record_at(
                    Target::Step(instance),
                    Event::StepCancelled { step, at: now },
                    commands,
                );
            }
            Owner::Iteration { of, index } if fails => {
                self.end_iteration(of, index, IterationEnd::Failed { error }, now, commands);
            }
            Owner::Iteration { of, index } => {
                self.end_iteration(of, index, IterationEnd::Cancelled, now, commands);
            }
        }
    }

    fn end_iteration(
        &mut self,
        of: FrameId,
        index: usize,
        end: IterationEnd,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let step = format!("{}[{index}]", self.frames.get(of).prefix);
        self.record_at(
            Target::Iteration { of, index },
            Event::IterationEnded { step, at: now, end },
            commands,
        );
    }
}

pub(super) fn check_limit(output: &serde_json::Value) -> Outcome<()> {
    over_limit(output).map_or(Ok(()), |message| {
        Err(Box::new(StepError {
            code: "LimitExceeded".to_owned(),
            message,
            ..StepError::default()
        }))
    })
}
