//! A run as a pure state machine: events in, commands out.
//!
//! ```text
//! journal ──► resume ─┐                       ┌─► Record    append it
//! action's end ─► attempt_… ─► fold ─► decide ├─► Perform   do it
//! cancel ───────► apply ─┘        ▲           ├─► Abort     stop it
//! clock ──────────────────────────┘           └─► Finish
//! ```
//!
//! * `fold` changes the state by one event and decides nothing; replaying a journal is nothing but folding.
//! * `decide` looks at what changed since the last call (`dirty`, `ready`, `timers`), never at all steps, save once
//!   when the run ends early.
//! * The run is one block: it ends when its steps have, and how is in [`ending`]. Blocks inside it will be the same
//!   thing one level down.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::expression::Value;
use crate::journal::{Event, RunOutcome, StepError};
use crate::plan::{PLAN_VERSION, Plan};

mod attempt;
mod chance;
mod command;
mod decide;
mod ending;
mod error;
mod finish;
mod fold;
mod join;
mod record;
mod recover;
mod retry;
mod scope;
mod view;
mod work;

#[cfg(test)]
mod tests;

pub use attempt::OUTPUT_BYTES;
pub use command::{Command, Perform};
pub use error::ReplayError;
pub use view::{RunView, StepState, StepView};

use ending::Ending;
use record::Record;

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
    started_at: Timestamp,
    /// When the run's timeout is over.
    deadline: Timestamp,
    inputs: Value,
    vars: Value,
    records: Vec<Record>,
    /// Steps whose needs have all ended: their joins are to be decided.
    dirty: BTreeSet<usize>,
    /// Steps whose joins let them run.
    ready: BTreeSet<usize>,
    /// Ends of waits, starts of further attempts, ends of attempts.
    timers: BTreeSet<(Timestamp, usize)>,
    /// Steps that did not end yet.
    open: usize,
    /// Attempts of actions under way.
    running: usize,
    /// Events so far.
    events: usize,
    /// Why the run ends before all its steps have.
    ending: Option<Ending>,
    /// The first error that nothing handled.
    error: Option<Arc<StepError>>,
    finished: Option<Finished>,
}

/// The end of a run, as it was recorded.
#[derive(Clone, Debug, PartialEq)]
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
        let Some((Event::RunStarted { at, inputs, vars }, rest)) = journal.split_first() else {
            return error::NoStartSnafu.fail();
        };
        let mut variables = vars.clone();
        variables.extend(
            plan.variables
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let timeout = SignedDuration::from_millis(i64::try_from(plan.timeout_ms).unwrap_or(i64::MAX));
        let records: Vec<Record> = plan
            .steps
            .iter()
            .map(|step| Record {
                waiting_for: step.needs.len(),
                ..Record::default()
            })
            .collect();
        let mut run = Self {
            facts,
            started_at: *at,
            deadline: after(*at, timeout),
            inputs: Value::from_json(&serde_json::Value::Object(inputs.clone())),
            vars: Value::from_json(&serde_json::Value::Object(variables)),
            dirty: (0..records.len())
                .filter(|step| records[*step].waiting_for == 0)
                .collect(),
            ready: BTreeSet::new(),
            timers: BTreeSet::new(),
            open: records.len(),
            running: 0,
            events: 1,
            ending: None,
            error: None,
            finished: None,
            records,
            plan,
        };
        rest.iter().try_for_each(|event| run.fold(event))?;
        Ok(run)
    }

    /// Folds an event that came from outside: a wish to cancel, the end of an attempt. What the machine decides
    /// itself is folded already when it is returned.
    pub fn apply(&mut self, event: &Event) -> Result<(), ReplayError> {
        self.fold(event)
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

    /// The earliest moment at which [`Run::decide`] has something to do by itself.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        if self.is_finished() {
            return None;
        }
        let end = self.end_timer();
        match self.timers.first() {
            Some((at, _)) => Some(end.map_or(*at, |end| end.min(*at))),
            None => end,
        }
    }

    /// Folds what the machine decided and hands it out.
    fn record(&mut self, event: Event, commands: &mut Vec<Command>) {
        // The machine only decides what fits its state; a decision that did not fit would be lost here and the run
        // would decide it again.
        let fits = self.fold(&event);
        debug_assert!(fits.is_ok(), "{fits:?}");
        if fits.is_ok() {
            commands.push(Command::Record(event));
        }
    }

    fn path(&self, step: usize) -> String {
        self.plan.steps[step].id.clone()
    }
}

/// A moment later, at most the end of the calendar.
fn after(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
