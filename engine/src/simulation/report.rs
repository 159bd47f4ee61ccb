//! What a simulation came to.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::Simulation;
use super::calls::Call;
use super::coverage::Coverage;
use super::steps::{self, StepReport};
use crate::journal::{Event, RunOutcome, StepError};
use crate::run::{StepState, UndoState};

/// What a simulation came to.
#[derive(Debug)]
pub struct Report {
    /// How the run ended, or that it waits.
    pub status: Status,
    /// When it ended, since the start.
    pub ended_at: Option<SignedDuration>,
    /// Why it failed.
    pub error: Option<StepError>,
    /// What it gave.
    pub outputs: Option<Map<String, Value>>,
    /// Whether what was done could be taken back.
    pub undo: UndoState,
    /// What became of every step, by path; of called workflows with the caller's path before it.
    pub steps: BTreeMap<String, StepReport>,
    /// What left the engine, in order.
    pub calls: Vec<Call>,
    /// The run's journal.
    pub journal: Vec<Event>,
    /// What was taken of the workflow.
    pub coverage: Coverage,
    /// Votes that did not count, and why.
    pub refused: Vec<String>,
    /// Why the simulation could not go on.
    pub fault: Option<String>,
}

/// How a simulated run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Succeeded,
    /// With an error.
    Failed,
    /// On request.
    Cancelled,
    /// It waits for something that does not come.
    Waiting,
}

impl Status {
    /// As conditions write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Waiting => "Waiting",
        }
    }
}

impl Simulation<'_> {
    pub(super) fn into_report(mut self) -> Report {
        let mut found = BTreeMap::new();
        for live in &self.runs {
            steps::read(&live.plan, &live.journal, &live.prefix, &mut found);
            // What the journal leaves out because it follows from the rest.
            for view in live.run.view().steps {
                let path = live.shown(&view.step);
                let order = found.len();
                let state = view.state;
                if let Some(known) = found.get_mut(&path) {
                    known.named = known.named.take().or(view.named);
                } else if state != StepState::Pending {
                    let step = StepReport {
                        state,
                        named: view.named,
                        reason: view.reason,
                        attempts: view.attempts,
                        output: None,
                        failures: None,
                        error: view.error,
                        started_at: view.started_at,
                        ended_at: view.ended_at,
                        order,
                    };
                    found.insert(path, step);
                }
            }
            steps::inside_skipped(&live.plan, &live.prefix, &mut found);
            self.coverage.take(&live.plan, &live.prefix, &found);
        }
        let root = &self.runs[0];
        let view = root.run.view();
        let status = match view.outcome {
            None => Status::Waiting,
            Some(RunOutcome::Succeeded) => Status::Succeeded,
            Some(RunOutcome::Failed) => Status::Failed,
            Some(RunOutcome::Cancelled) => Status::Cancelled,
        };
        let ended_at = root.journal.iter().rev().find_map(|event| match event {
            Event::RunFinished { at, .. } => Some(self.since(*at)),
            _ => None,
        });
        let root = self.runs.swap_remove(0);
        self.calls.retain(|call| !call.hidden);
        Report {
            status,
            ended_at,
            error: view.error,
            outputs: root.outputs,
            undo: view.undo,
            steps: found,
            calls: self.calls,
            journal: root.journal,
            coverage: self.coverage,
            refused: self.refused,
            fault: self.fault,
        }
    }
}
