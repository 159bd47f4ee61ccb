//! A run as a pure state machine: events in, commands out.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::journal::{Event, StepError};
use crate::plan::Plan;

mod command;
mod error;
mod view;

pub use command::{Command, Perform};
pub use error::ReplayError;
pub use view::{RunView, StepState, StepView};

/// What a run knows of itself beside its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// The state of a run.
#[derive(Debug)]
pub struct Run {
    plan: Arc<Plan>,
    facts: Facts,
}

impl Run {
    /// Takes a run up from its journal, whose first event is `RunStarted`.
    pub fn resume(plan: Arc<Plan>, facts: Facts, journal: &[Event]) -> Result<Self, ReplayError> {
        let _ = journal;
        Ok(Self { plan, facts })
    }

    /// Folds an event that came from outside: the end of an attempt, a wish to cancel. What the machine decides
    /// itself is folded already when it is returned.
    pub fn apply(&mut self, event: &Event) -> Result<(), ReplayError> {
        let _ = event;
        Ok(())
    }

    /// What to do at `now`. Call it after [`Run::resume`], after each [`Run::apply`], and when
    /// [`Run::next_timer`] is due.
    pub fn decide(&mut self, now: Timestamp) -> Vec<Command> {
        let _ = now;
        Vec::new()
    }

    /// What becomes of attempts that began and did not end, after another runner held the run: call it once
    /// after [`Run::resume`], before [`Run::decide`].
    pub fn recover(&mut self, now: Timestamp) -> Vec<Command> {
        let _ = now;
        Vec::new()
    }

    /// An attempt failed: the engine decides whether another one follows. Reports about attempts that ended
    /// already (of a timeout, say) are ignored.
    pub fn attempt_failed(&mut self, step: &str, attempt: u32, error: StepError, now: Timestamp) -> Vec<Command> {
        let _ = (step, attempt, error, now);
        Vec::new()
    }

    /// An attempt succeeded. An output over the limit makes it a failure.
    pub fn attempt_succeeded(&mut self, step: &str, attempt: u32, output: Value, now: Timestamp) -> Vec<Command> {
        let _ = (step, attempt, output, now);
        Vec::new()
    }

    /// An attempt was ended because of [`Command::Abort`], without an answer.
    pub fn attempt_cancelled(&mut self, step: &str, attempt: u32, now: Timestamp) -> Vec<Command> {
        let _ = (step, attempt, now);
        Vec::new()
    }

    /// The run ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        false
    }

    /// The earliest moment at which [`Run::decide`] has something to do by itself.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    /// Attempts in the runner's hands.
    #[must_use]
    pub fn running(&self) -> usize {
        0
    }

    /// The state for people.
    #[must_use]
    pub fn view(&self) -> RunView {
        let _ = (&self.plan, &self.facts);
        RunView::default()
    }
}
