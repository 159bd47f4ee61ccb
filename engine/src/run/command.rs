//! What the machine asks of whoever drives it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::action::Effect;
use crate::journal::{Event, RunOutcome, StepError};

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Append to the journal; the machine knows it already.
    Record(Event),
    /// Perform an action. Its `StepStarted` was recorded just before.
    Perform(Perform),
    /// Stop a running attempt and report its end: [`super::Run::attempt_cancelled`], or how it really ended. A
    /// report about an attempt that the machine ended itself (a timeout) is ignored.
    Abort {
        /// Path of the step.
        step: String,
    },
    /// The run is over. Its `RunFinished` was recorded just before.
    Finish {
        /// How.
        outcome: RunOutcome,
        /// What it gave.
        outputs: Option<Map<String, Value>>,
        /// Why it failed.
        error: Option<StepError>,
    },
}

/// An attempt of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Perform {
    /// Path of the step.
    pub step: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Name and major version of the action.
    pub action: String,
    /// Its input, evaluated and checked against the action's schema.
    pub with: Map<String, Value>,
    /// What it does to the world.
    pub effect: Effect,
    /// `<run>:<step path>`: the same for every attempt.
    pub idempotency_key: String,
    /// When the attempt is over at the latest. The machine ends it then, by itself, with `Timeout`.
    pub deadline: Option<Timestamp>,
    /// How many attempts there are at most.
    pub max_attempts: u32,
}
