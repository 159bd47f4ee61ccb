//! A run in simulated time: for tests, dry runs and searches for mistakes.
//!
//! ```text
//!            ┌── World: what attempts answer, and when ──┐
//! Run ──► commands ──► calls, answers to come ──► next moment ──► Run
//!            └── signals: votes, events, cancelling ─────┘
//! ```
//!
//! Time costs nothing: the clock jumps to the next moment at which something happens. At one moment, answers are seen
//! first, in the order of their calls; then what the run itself waited for; then signals, in the order given. After
//! each of them every run decides.
//!
//! The same with a clock that somebody else reads is a real run without a server: see [`real_time`]. Its attempts are
//! answered later, by real hands.
//!
//! Boundary: pure, as the machine is. Scripts, mocks and other workflows come from the [`World`].

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::journal::Vote;
use crate::plan::Plan;
use crate::run::{IncomingEvent, Question, ReplayError};

mod answers;
mod cache;
mod calls;
mod coverage;
mod live;
mod patience;
mod people;
mod performing;
mod real_time;
mod report;
mod seed;
mod steps;
mod trigger;
mod triggered;
mod world;

#[cfg(test)]
mod tests;

pub use calls::{Call, Called};
pub use coverage::{Coverage, Point};
pub use patience::simulated;
pub use report::{Report, Status};
pub use seed::Seed;
pub use steps::StepReport;
pub use trigger::{Around, mapped_inputs};
pub use world::{Answer, Attempt, News, Reply, Started, World};

use answers::Answers;
use cache::Kept;
use live::Live;

/// Things that happen in one simulation. A run that goes on longer turns in circles.
const HAPPENINGS: usize = 2_000_000;

/// A run to simulate.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What runs.
    pub plan: Arc<Plan>,
    /// Name of the workflow.
    pub workflow: String,
    /// Digest of its revision.
    pub revision: String,
    /// Name of the tenant.
    pub tenant: String,
    /// The tenant's variables.
    pub variables: Map<String, Value>,
    /// Inputs, checked by [`Plan::check_inputs`].
    pub inputs: Map<String, Value>,
    /// Who starts it.
    pub started_by: String,
    /// When simulated time begins.
    pub clock: Timestamp,
    /// Nothing that changes the world is done.
    pub dry_run: bool,
    /// What ids and random values come from.
    pub seed: Seed,
    /// Time is real: pauses between attempts are of random length.
    pub real_time: bool,
}

/// Something that people or the world do.
#[derive(Clone, Debug)]
pub struct Signal {
    /// When, since the start.
    pub at: SignedDuration,
    /// What.
    pub what: SignalKind,
}

/// What people or the world do.
#[derive(Clone, Debug)]
pub enum SignalKind {
    /// A vote about an approval.
    Vote {
        /// Path of the step; a step of a called workflow is `call/inner`.
        step: String,
        /// The vote.
        vote: Vote,
    },
    /// An event of the tenant.
    Event {
        /// Its type.
        event: String,
        /// Where it comes from.
        source: String,
        /// Its data.
        data: Map<String, Value>,
    },
    /// Somebody cancels the run.
    Cancel {
        /// Who.
        by: String,
    },
}

/// A simulation under way.
pub struct Simulation<'w> {
    world: &'w mut dyn World,
    scene: Scene,
    now: Timestamp,
    /// The run, then those that it called, in the order of their starts.
    runs: Vec<Live>,
    /// Runs that may have something to decide.
    dirty: VecDeque<usize>,
    answers: Answers,
    /// Outputs that can be used again.
    kept: Kept,
    signals: VecDeque<Signal>,
    /// Every event of the tenant so far.
    events: Vec<IncomingEvent>,
    calls: Vec<Call>,
    coverage: Coverage,
    /// Questions that were asked: the run, the path of the step in it.
    questions: Vec<(usize, String)>,
    /// Of a dry run: questions whose answers are given in advance.
    asked: VecDeque<(usize, Question)>,
    /// What people wanted and could not have.
    refused: Vec<String>,
    /// Runs that events started.
    triggered: usize,
    /// Why the simulation cannot go on.
    fault: Option<String>,
}

impl<'w> Simulation<'w> {
    /// A run at its start.
    pub fn new(
        scene: Scene,
        mut signals: Vec<Signal>,
        world: &'w mut dyn World,
    ) -> Result<Self, ReplayError> {
        signals.sort_by_key(|signal| signal.at);
        let live = Live::root(&scene)?;
        live.tell(world);
        Ok(Self {
            world,
            now: scene.clock,
            scene,
            runs: vec![live],
            dirty: VecDeque::from([0]),
            answers: Answers::default(),
            kept: Kept::default(),
            signals: signals.into(),
            events: Vec::new(),
            calls: Vec::new(),
            questions: Vec::new(),
            asked: VecDeque::new(),
            coverage: Coverage::default(),
            refused: Vec::new(),
            triggered: 0,
            fault: None,
        })
    }

    /// Runs until it ends, or until nothing more will come.
    #[must_use]
    pub fn run(mut self) -> Report {
        self.settle();
        let mut happenings = 0;
        while self.fault.is_none() && self.next() {
            happenings += 1;
            if happenings == HAPPENINGS {
                self.fault = Some(format!("{HAPPENINGS} things happened and the run goes on"));
            }
        }
        self.into_report()
    }

    /// Goes to the next moment at which something happens and lets one thing happen. False: nothing more will come.
    fn next(&mut self) -> bool {
        let signal = self
            .signals
            .front()
            .filter(|_| self.runs.iter().any(|live| !live.run.is_finished()))
            .map(|signal| self.moment(signal.at));
        let timer = self.timer();
        let soonest = [self.answers.next(), timer, signal].into_iter().flatten().min();
        let Some(soonest) = soonest else { return false };
        self.now = self.now.max(soonest);
        if let Some(due) = self.answers.due(self.now) {
            self.answer(due);
        } else if timer.is_some_and(|timer| timer <= self.now) {
            self.ring();
        } else if let Some(signal) = self.signals.pop_front() {
            self.signal(signal.what);
        }
        self.settle();
        true
    }

    /// The first moment at which a run wants to decide by itself.
    fn timer(&self) -> Option<Timestamp> {
        self.runs.iter().filter_map(Live::timer).min()
    }

    /// Lets the runs decide whose time has come.
    fn ring(&mut self) {
        for number in 0..self.runs.len() {
            if self.runs[number].timer().is_some_and(|timer| timer <= self.now) {
                let commands = self.runs[number].run.decide(self.now);
                if commands.is_empty() && self.runs[number].timer().is_some_and(|timer| timer <= self.now) {
                    let path = self.runs[number].prefix.clone();
                    self.fault = Some(format!(
                        "the run `{path}` set a clock and does nothing when it rings"
                    ));
                }
                self.take(number, commands);
            }
        }
    }

    /// Lets every run decide until nothing changes.
    fn settle(&mut self) {
        loop {
            if let Some(number) = self.dirty.pop_front() {
                let commands = self.runs[number].run.decide(self.now);
                if !commands.is_empty() {
                    self.take(number, commands);
                }
            } else if let Some((number, question)) = self.asked.pop_front() {
                self.answer_in_advance(number, &question);
            } else {
                return;
            }
        }
    }

    fn touch(&mut self, number: usize) {
        if !self.dirty.contains(&number) {
            self.dirty.push_back(number);
        }
    }

    fn moment(&self, since: SignedDuration) -> Timestamp {
        self.scene.clock.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    fn since(&self, at: Timestamp) -> SignedDuration {
        at.duration_since(self.scene.clock)
    }
}
