//! A run as a pure state machine: events in, commands out.
//!
//! ```text
//! journal ──► resume ─┐                       ┌─► Record    append it
//! action's end ─► attempt_… ─► fold ─► decide ├─► Perform   do it
//! vote, event, cancel ──► ─┘      ▲           ├─► Ask, Listen, Publish
//! clock ──────────────────────────┘           └─► Abort, Finish
//! ```
//!
//! * `fold` changes the state by one event and decides nothing; replaying a journal is nothing but folding.
//! * `decide` looks at what changed since the last call (`dirty`, `sweeps`, `settling`, `ready`, `timers`), never at
//!   all steps, save once when a block ends early.
//! * The run is a block, and blocks in it are the same thing one level down: see [`frame`] for what they are,
//!   [`ending`] for how they end early, [`settle`] for how they end at all, [`undo`] for what is taken back then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::expression::Value;
use crate::journal::{Event, RunMode, RunOutcome, StepError};
use crate::plan::{PLAN_VERSION, Plan};

mod approval;
mod attempt;
mod chance;
mod command;
mod decide;
mod ending;
mod error;
mod evaluate;
mod finish;
mod fold;
mod frame;
mod hidden;
mod iterate;
mod join;
mod names;
mod order;
mod path;
mod perform;
mod record;
mod recover;
mod replay;
mod retry;
mod settle;
mod snapshot;
mod stored;
mod undo;
mod view;
mod wait;
mod work;

#[cfg(test)]
mod tests;

pub use approval::VoteRefused;
pub use attempt::OUTPUT_BYTES;
pub use command::{CacheUse, Command, Perform, Publication, Question, Task};
pub use error::ReplayError;
pub(crate) use names::is_data;
pub use replay::{Difference, Instead, Replayed, Turn, replay};
pub(crate) use retry::RETRYABLE;
pub use snapshot::Snapshot;
pub use view::{RunView, StepState, StepView, UndoState};
pub use wait::IncomingEvent;

use frame::{Frame, FrameId, Frames, Instance, RUN};
use order::Order;
use path::Target;

/// What a run knows of itself beside its journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Its id.
    pub run: Uuid,
    /// The tenant's name.
    pub tenant: String,
    /// The workflow's name.
    pub workflow: String,
    /// Digest of its revision.
    pub revision: String,
    /// Address for people; may be empty.
    pub url: String,
    /// Who started it.
    pub started_by: String,
    /// 1, or more for a run that does an earlier one again.
    pub attempt: u32,
    /// Pauses between attempts are of random length. Tests wait the whole pause instead.
    pub jitter: bool,
}

/// The state of a run.
#[derive(Clone, Debug)]
pub struct Run {
    plan: Arc<Plan>,
    facts: Facts,
    mode: RunMode,
    started_at: Timestamp,
    /// When the run's timeout is over.
    deadline: Timestamp,
    inputs: Value,
    vars: Value,
    frames: Frames,
    /// Steps whose needs have all ended: their joins are to be decided.
    dirty: BTreeSet<(Order, Instance)>,
    /// Blocks that end early and were not told their steps yet.
    sweeps: BTreeSet<FrameId>,
    /// Blocks in which something ended.
    settling: BTreeSet<FrameId>,
    /// Steps whose joins let them run, and those that are tried again.
    ready: BTreeSet<(Order, Instance)>,
    timers: BTreeSet<(Timestamp, Order, Timer)>,
    /// Open waits by the type of their event.
    listening: BTreeMap<String, BTreeSet<(Order, Instance)>>,
    /// Events that a step of the manifest took.
    taken: BTreeMap<usize, BTreeSet<String>>,
    /// Attempts of actions under way.
    running: usize,
    /// Events so far: all, and those outside of items.
    events: usize,
    own_events: usize,
    /// Number of the last event.
    sequence: u64,
    /// Clean-up took too long and was ended, too.
    cut_short: bool,
    /// Something was taken back, and something could not be.
    undone: bool,
    undo_is_incomplete: bool,
    finished: Option<Finished>,
    /// Things that were decided, or looked at and left. No part of the state.
    decisions: u64,
}

/// What a moment was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Timer {
    /// The end of a wait or of an attempt, or the start of a further attempt.
    Step(Instance),
    /// The next turn, or the end of the time for undo.
    Frame(FrameId),
    /// A further attempt of an undo.
    Undo(Instance),
}

/// The end of a run, as it was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Finished {
    outcome: RunOutcome,
    error: Option<StepError>,
    message: Option<String>,
}

impl Run {
    /// Takes a run up from its journal, whose first event is `RunStarted`.
    pub fn resume(plan: Arc<Plan>, facts: Facts, journal: &[Event]) -> Result<Self, ReplayError> {
        snafu::ensure!(
            plan.version == PLAN_VERSION,
            error::PlanVersionSnafu {
                version: plan.version
            }
        );
        let Some((
            Event::RunStarted {
                at,
                inputs,
                vars,
                mode,
            },
            rest,
        )) = journal.split_first()
        else {
            return error::NoStartSnafu.fail();
        };
        let mut variables = vars.clone();
        variables.extend(
            plan.variables
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let timeout = SignedDuration::from_millis(i64::try_from(plan.timeout_ms).unwrap_or(i64::MAX));
        let mut frames = Frames::default();
        let run = frames.add(Frame::of_run(&plan));
        let mut run = Self {
            facts,
            mode: *mode,
            started_at: *at,
            deadline: after(*at, timeout),
            inputs: Value::from_json(&serde_json::Value::Object(inputs.clone())),
            vars: Value::from_json(&serde_json::Value::Object(variables)),
            frames,
            dirty: BTreeSet::new(),
            sweeps: BTreeSet::new(),
            settling: BTreeSet::from([run]),
            ready: BTreeSet::new(),
            timers: BTreeSet::new(),
            listening: BTreeMap::new(),
            taken: BTreeMap::new(),
            running: 0,
            events: 0,
            own_events: 0,
            sequence: 0,
            cut_short: false,
            undone: false,
            undo_is_incomplete: false,
            finished: None,
            decisions: 0,
            plan,
        };
        run.begin_members(RUN);
        rest.iter().try_for_each(|event| run.fold(event))?;
        Ok(run)
    }

    /// Folds an event that came from outside: a wish to cancel, the end of an attempt. What the machine decides
    /// itself is folded already when it is returned.
    pub fn apply(&mut self, event: &Event) -> Result<(), ReplayError> {
        self.fold(event)
    }

    /// Somebody wants the run to end. A run that ends already goes on as it does.
    pub fn cancel(&mut self, by: &str, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        if !self.is_finished() {
            let by = by.to_owned();
            self.record_at(Target::Run, Event::CancelRequested { at: now, by }, &mut commands);
        }
        commands
    }

    /// The run ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished.is_some()
    }

    /// Attempts in the runner's hands.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// How much was decided since the run was taken up: it grows with what happens, not with how large the run is.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// The earliest moment at which [`Run::decide`] has something to do by itself.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        if self.is_finished() {
            return None;
        }
        let end = self.end_timer();
        match self.timers.first() {
            Some((at, ..)) => Some(end.map_or(*at, |end| end.min(*at))),
            None => end,
        }
    }

    /// The same without the run's own timeout: when a step goes on by itself.
    #[must_use]
    pub fn next_step_timer(&self) -> Option<Timestamp> {
        let first = self.timers.first().map(|(at, ..)| *at);
        first.filter(|_| !self.is_finished())
    }

    /// Folds what the machine decided and hands it out.
    fn record(&mut self, event: Event, commands: &mut Vec<Command>) {
        let fits = self.fold(&event);
        hand_out(event, &fits, commands);
    }

    /// The same, where it is known what the event is about.
    fn record_at(&mut self, target: Target, event: Event, commands: &mut Vec<Command>) {
        let fits = self.fold_at(target, &event);
        hand_out(event, &fits, commands);
    }

    #[cfg(test)]
    fn live_frames(&self) -> usize {
        self.frames.live()
    }

    fn move_timer(&mut self, old: Option<Timestamp>, new: Option<Timestamp>, order: Order, timer: Timer) {
        if let Some(old) = old {
            self.timers.remove(&(old, order, timer));
        }
        if let Some(new) = new {
            self.timers.insert((new, order, timer));
        }
    }
}

fn hand_out(event: Event, fits: &Result<(), ReplayError>, commands: &mut Vec<Command>) {
    // The machine only decides what fits its state; a decision that did not fit would be lost here and the run would
    // decide it again.
    debug_assert!(fits.is_ok(), "{fits:?}");
    if fits.is_ok() {
        commands.push(Command::Record(event));
    }
}

/// A moment later, at most the end of the calendar.
fn after(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
