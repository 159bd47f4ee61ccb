//! What a simulation does not know by itself.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::journal::StepError;
use crate::plan::Plan;
use crate::run::Perform;

/// What stands around a simulated run: mocks, scripts, other workflows.
pub trait World {
    /// What becomes of an attempt. Asked once per attempt, in the order in which they begin.
    fn answer(&mut self, attempt: &Attempt<'_>) -> Answer;

    /// The current revision of another workflow of the tenant, and its digest.
    fn workflow(&mut self, name: &str) -> Option<(Arc<Plan>, String)>;
}

/// An attempt that begins.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Path of the step; of a called workflow's step with the caller's path before it: `call/inner`.
    pub path: &'a str,
    /// The step's name in its manifest.
    pub id: &'a str,
    /// Number of the item, inside a forEach: the innermost one.
    pub index: Option<usize>,
    /// The moment.
    pub now: Timestamp,
    /// What is asked for.
    pub perform: &'a Perform,
}

/// What becomes of an attempt.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How long it takes.
    pub after: SignedDuration,
    /// What comes back.
    pub reply: Reply,
}

/// What comes back from an attempt.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It succeeded.
    Output(Value),
    /// It failed.
    Error(StepError),
    /// Of a `workflow` step: the other workflow runs.
    Runs,
    /// The simulation cannot go on: why.
    Fault(String),
}

impl Answer {
    /// An output at once.
    #[must_use]
    pub fn now(output: Value) -> Self {
        Self {
            after: SignedDuration::ZERO,
            reply: Reply::Output(output),
        }
    }
}
