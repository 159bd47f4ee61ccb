//! What a simulation does not know by itself.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use uuid::Uuid;

use crate::journal::{Event, StepError};
use crate::plan::Plan;
use crate::run::{Facts, Perform, Question};

/// What stands around a run: mocks, scripts, other workflows; or real hands.
pub trait World {
    /// What becomes of an attempt. Asked once per attempt, in the order in which they begin.
    fn answer(&mut self, attempt: &Attempt<'_>) -> Answer;

    /// The current revision of another workflow of the tenant, and its digest.
    fn workflow(&mut self, name: &str) -> Option<(Arc<Plan>, String)>;

    /// Names of the tenant's workflows that events may start.
    fn triggered(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// An attempt whose answer was to come [`Reply::Later`] is not wanted any more.
    fn stop(&mut self, run: Uuid, step: &str) {
        let _ = (run, step);
    }

    /// Something happened that whoever watches may want to know.
    fn told(&mut self, news: &News<'_>) {
        let _ = news;
    }
}

/// What happens in a run while it goes on.
#[derive(Debug)]
pub enum News<'a> {
    /// A run began, the first one too.
    Started(&'a Started<'a>),
    /// An event was written in a run's journal.
    Recorded {
        /// The run.
        run: Uuid,
        /// What stands before the paths of its steps.
        prefix: &'a str,
        /// The event.
        event: &'a Event,
    },
    /// People are asked.
    Asked {
        /// Path of the step, with the caller's path before it.
        path: &'a str,
        /// The question.
        question: &'a Question,
    },
    /// A step waits for an event.
    Listens {
        /// Path of the step, with the caller's path before it.
        path: &'a str,
        /// Type of the event.
        event: &'a str,
    },
    /// Something that people or the world wanted cannot be.
    Refused(&'a str),
}

/// A run that began.
#[derive(Debug)]
pub struct Started<'a> {
    /// What it knows of itself.
    pub facts: &'a Facts,
    /// What stands before the paths of its steps: empty, `call/`, or of a run that an event started `name/`.
    pub prefix: &'a str,
    /// The first event of its journal.
    pub event: &'a Event,
}

/// An attempt that begins.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The run that it belongs to.
    pub run: Uuid,
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
    /// It is under way, and its end comes with [`super::Simulation::ended`].
    Later,
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
