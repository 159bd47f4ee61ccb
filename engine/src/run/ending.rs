//! Early ends of blocks: failing, cancel, timeout, race, `stop`. What runs is ended, clean-up runs, all else is
//! skipped.
//!
//! That a block ends follows from an event, and with it that the blocks that run inside of it do: both are part of
//! the state. What is asked of its steps then, the sweep, is decided, once for each frame.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::frame::{Frame, FrameId, Instance, RUN};
use super::record::Phase;
use super::{Command, Run, after};
use crate::action::Effect;
use crate::journal::{Event, SkipReason, StepError};
use crate::plan::{Edge, Work};

/// Who asks for the end when the run's timeout is over.
pub(super) const TIMEOUT: &str = "timeout";
/// Events of one run outside of the items of its blocks. What a run does beyond that should be several runs.
const EVENTS: usize = 10_000;
/// Events of one run in all: each is a row, and all of them are read when the run is taken up.
const ALL_EVENTS: usize = 50_000;
/// A Write that runs when its block ends is left to finish so long, so that its answer is known.
const LEFT_TO_FINISH: SignedDuration = SignedDuration::from_secs(60);
/// Clean-up may take so long after the end began, or until the run's timeout if that is later: no run is stuck.
const CLEAN_UP: SignedDuration = SignedDuration::from_hours(1);

/// Why a block ends before all its steps have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) cause: Cause,
    pub(super) since: Timestamp,
}

/// What began the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Cause {
    /// A failure that nothing handles, a timeout, a limit: the error is with the frame.
    Failing,
    /// Somebody, or the block around it, wanted it.
    Cancelled { undo: bool },
    /// A `stop` step: only the run.
    Stopped {
        step: String,
        succeeded: bool,
        message: Option<String>,
    },
    /// A race has its winner.
    Won,
    /// The block never began: its steps are skipped, and nobody waits for its end.
    Skipped(SkipReason),
}

impl Cause {
    /// What was completed is taken back.
    pub(super) fn undoes(&self) -> bool {
        match self {
            Self::Failing => true,
            Self::Cancelled { undo } => *undo,
            Self::Stopped { succeeded, .. } => !succeeded,
            Self::Won | Self::Skipped(_) => false,
        }
    }

    /// The same for blocks inside, which are cancelled.
    fn undoes_inside(&self) -> bool {
        matches!(self, Self::Won) || self.undoes()
    }
}

impl Run {
    /// A block ends, and so does what runs inside of it.
    pub(super) fn end_frame(&mut self, id: FrameId, cause: Cause, since: Timestamp) {
        let Some(frame) = self.frames.find_mut(id) else {
            return;
        };
        if frame.ending.is_some() || frame.closed {
            return;
        }
        let undo = cause.undoes_inside();
        frame.ending = Some(Ending { cause, since });
        self.sweeps.insert(id);
        self.settling.insert(id);
        for inner in self.running_frames(id) {
            self.end_frame(inner, Cause::Cancelled { undo }, since);
        }
    }

    /// Blocks that are under way right inside of a frame.
    fn running_frames(&self, id: FrameId) -> Vec<FrameId> {
        let frame = self.frames.get(id);
        let of_steps = frame
            .records
            .iter()
            .filter(|record| record.phase == Phase::Running && !record.clean_up)
            .filter_map(|record| record.frame);
        let children = frame
            .iterations
            .iter()
            .flat_map(|iterations| iterations.children.values().copied());
        of_steps.chain(children).collect()
    }

    /// Nothing handles the failure of this step.
    pub(super) fn unhandled(&mut self, instance: Instance, at: Timestamp) {
        let record = self.record_of(instance);
        let (error, clean_up) = (record.error.clone(), record.clean_up);
        let frame = self.frames.get_mut(instance.frame);
        // What was under way when the end began is nobody's failure; clean-up is, if there is no other.
        if (frame.ending.is_none() || clean_up) && frame.error.is_none() {
            frame.error = error;
        }
        if !frame.is_race {
            self.end_frame(instance.frame, Cause::Failing, at);
        }
    }

    /// A block fails for a reason of its own.
    pub(super) fn block_failing(&mut self, id: FrameId, error: &StepError, at: Timestamp) {
        let Some(frame) = self.frames.find_mut(id) else {
            return;
        };
        frame.error.get_or_insert_with(|| Arc::new(error.clone()));
        // A race that was won, or a run that was stopped, can fail still: by its result, or its clean-up.
        if let Some(ending) = &mut frame.ending
            && matches!(ending.cause, Cause::Won)
        {
            ending.cause = Cause::Failing;
            self.settling.insert(id);
        }
        self.end_frame(id, Cause::Failing, at);
    }

    pub(super) fn cancel_requested(&mut self, by: &str, at: Timestamp) {
        // A person may be called "timeout"; before the time is over that is a cancel like any other.
        if by == TIMEOUT && at >= self.deadline {
            let limit = SignedDuration::from_millis(i64::try_from(self.plan.timeout_ms).unwrap_or(i64::MAX));
            self.fails("Timeout", format!("the run took longer than {limit:#}"), at);
        } else {
            self.end_frame(RUN, Cause::Cancelled { undo: true }, at);
        }
    }

    /// A run with too many events fails; what is still recorded then is bounded by its steps.
    pub(super) fn count(&mut self, event: &Event, in_items: bool) {
        // Not those that only say what a block is about: what counts are steps, signals and timers.
        let counts = matches!(
            event,
            Event::StepStarted { .. }
                | Event::StepSucceeded { .. }
                | Event::StepFailed { .. }
                | Event::StepSkipped { .. }
                | Event::StepCancelled { .. }
                | Event::WaitStarted { .. }
                | Event::Voted { .. }
                | Event::CancelRequested { .. }
        );
        if !counts {
            return;
        }
        self.events += 1;
        self.own_events += usize::from(!in_items);
        if self.own_events > EVENTS {
            let message = format!("the run has more than {EVENTS} events");
            self.fails("LimitExceeded", message, event.at());
        } else if self.events > ALL_EVENTS {
            let message = format!("the run has more than {ALL_EVENTS} events");
            self.fails("LimitExceeded", message, event.at());
        }
    }

    /// Nothing is tried again.
    pub(super) fn has_too_many_events(&self) -> bool {
        self.own_events >= EVENTS || self.events >= ALL_EVENTS
    }

    fn fails(&mut self, code: &str, message: String, at: Timestamp) {
        let run = self.frames.get_mut(RUN);
        if run.ending.is_none() {
            run.error = Some(Arc::new(StepError {
                code: code.to_owned(),
                message,
                ..StepError::default()
            }));
            self.end_frame(RUN, Cause::Failing, at);
        }
    }

    /// When the run's timeout, or that of its clean-up, is over.
    pub(super) fn end_timer(&self) -> Option<Timestamp> {
        let run = self.frames.get(RUN);
        match &run.ending {
            None => Some(self.deadline),
            Some(ending) if !self.cut_short && run.open > 0 => {
                Some(after(ending.since, CLEAN_UP).max(self.deadline))
            }
            Some(_) => None,
        }
    }

    /// The end timer is due.
    pub(super) fn end_timer_due(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let event = if self.frames.get(RUN).ending.is_none() {
            let by = TIMEOUT.to_owned();
            Event::CancelRequested { at: now, by }
        } else {
            Event::CleanUpTimedOut { at: now }
        };
        self.record(event, commands);
    }

    /// Clean-up took too long: it is ended, too.
    pub(super) fn cut_short(&mut self, at: Timestamp) {
        self.cut_short = true;
        let run = self.frames.get_mut(RUN);
        run.error.get_or_insert_with(|| {
            Arc::new(StepError {
                code: "Timeout".to_owned(),
                message: "clean-up took too long".to_owned(),
                ..StepError::default()
            })
        });
        let ids: Vec<FrameId> = self.frames.ids().collect();
        for id in ids {
            self.end_frame(id, Cause::Cancelled { undo: true }, at);
            self.sweeps.insert(id);
        }
    }

    /// Ends what runs in a frame and skips what does not, but for clean-up.
    pub(super) fn sweep(&mut self, id: FrameId, now: Timestamp, commands: &mut Vec<Command>) {
        let plan = self.plan.clone();
        let Some(frame) = self.frames.find(id) else { return };
        let (Some(ending), block) = (frame.ending.clone(), frame.block) else {
            return;
        };
        if frame.iterations.is_some() || frame.closed {
            return;
        }
        let (never_began, reason) = match ending.cause {
            Cause::Skipped(reason) => (true, reason),
            _ => (false, SkipReason::Cancelled),
        };
        for step in plan.members(block) {
            let instance = Instance {
                frame: id,
                step: *step,
            };
            self.decisions += 1;
            let record = self.record_of(instance);
            let spared =
                !never_began && !self.cut_short && (record.clean_up || is_clean_up(&plan.steps[*step].needs));
            match record.phase {
                Phase::Pending if !spared => self.skip(instance, reason, now, commands),
                phase if phase.is_active() && (self.cut_short || !record.clean_up) => {
                    self.end_step(instance, ending.since, now, commands);
                }
                _ => {}
            }
        }
    }

    /// Ends a step that is under way: at once, save what may have changed the world already.
    fn end_step(
        &mut self,
        instance: Instance,
        since: Timestamp,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let plan = self.plan.clone();
        let work = &plan.steps[instance.step].work;
        let record = self.record_of(instance);
        let (phase, aborted, timer) = (record.phase, record.aborted, record.timer);
        // A block that runs ends when what runs in it has.
        let is_open = record.frame.is_some() && phase == Phase::Running;
        if is_open || (aborted && !self.cut_short) {
            return;
        }
        let path = self.path(instance);
        if !work.is_performed() || phase != Phase::Running {
            return self.record(Event::StepCancelled { step: path, at: now }, commands);
        }
        self.record_mut(instance).aborted = true;
        let is_left = match work {
            Work::Uses { effect, .. } => matches!(effect, Effect::Write | Effect::Irreversible),
            Work::Container(_) => true,
            _ => false,
        };
        if !is_left || self.cut_short {
            self.set_timer(instance, None);
            return commands.push(Command::Abort { step: path });
        }
        if matches!(work, Work::Container(_)) {
            commands.push(Command::Terminate { step: path });
        }
        let limit = after(since, LEFT_TO_FINISH);
        self.set_timer(instance, Some(timer.map_or(limit, |timeout| timeout.min(limit))));
    }

    /// The frame is under way and not ending.
    pub(super) fn goes_on(&self, id: FrameId) -> bool {
        self.frames
            .find(id)
            .is_some_and(|frame: &Frame| frame.ending.is_none() && !frame.closed)
    }

    /// The race can be won no more: it ends as soon as that is known.
    pub(super) fn look_at_race(&mut self, id: FrameId, at: Timestamp) {
        let frame = self.frames.get(id);
        if !frame.is_race || frame.ending.is_some() || frame.error.is_none() {
            return;
        }
        let members = self.plan.members(frame.block).iter().zip(&frame.records);
        let mut last = members.filter(|(step, _)| self.plan.is_last(**step));
        if !last.any(|(step, record)| !record.phase.is_end() && !self.is_lost(id, *step)) {
            self.end_frame(id, Cause::Failing, at);
        }
    }

    /// A step that waits for others will never run: a need was missed, and nothing that it still waits for or that
    /// it has can lie on the other side.
    fn is_lost(&self, id: FrameId, step: usize) -> bool {
        let frame = self.frames.get(id);
        let record = |step: usize| &frame.records[self.plan.position(step)];
        if record(step).phase != Phase::Pending {
            return false;
        }
        let needs = &self.plan.steps[step].needs;
        needs.iter().any(|need| {
            let needed = record(need.step);
            let missed = needed.phase.is_end() && !need.edges.iter().any(|edge| needed.meets(edge));
            let dead = self.is_lost(id, need.step) && !need.edges.contains(&Edge::Done);
            let others = || needs.iter().filter(|other| other.step != need.step);
            (missed || dead) && !others().any(|other| self.share_an_ancestor(need.step, other.step))
        })
    }

    /// The two steps come after one step, or one after the other: a fork may lie between them.
    fn share_an_ancestor(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.with_ancestors(one), self.with_ancestors(other));
        one.iter().any(|step| other.contains(step))
    }

    fn with_ancestors(&self, step: usize) -> Vec<usize> {
        let mut found = vec![step];
        let mut position = 0;
        while let Some(step) = found.get(position).copied() {
            position += 1;
            for need in &self.plan.steps[step].needs {
                if !found.contains(&need.step) {
                    found.push(need.step);
                }
            }
        }
        found
    }
}

/// A step that runs after any end of another one.
fn is_clean_up(needs: &[crate::plan::Need]) -> bool {
    needs.iter().any(|need| need.edges.contains(&Edge::Done))
}
