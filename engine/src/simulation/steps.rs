//! What became of every step, read from the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::journal::{Event, SkipReason, StepError};
use crate::plan::{Plan, Work};
use crate::run::StepState;

/// What became of a step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// Where it stands.
    pub state: StepState,
    /// The named outcome.
    pub named: Option<String>,
    /// Why it was skipped.
    pub reason: Option<SkipReason>,
    /// Attempts so far.
    pub attempts: u32,
    /// What it gave.
    pub output: Option<Value>,
    /// Of a forEach that collects: what failed.
    pub failures: Option<Value>,
    /// Error of the last attempt, if that failed.
    pub error: Option<StepError>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its number in the order in which steps were first heard of.
    pub order: usize,
}

/// The last name of a path: `get` of `turn[2].get`.
pub(super) fn last_id(path: &str) -> &str {
    let last = path.rsplit('.').next().unwrap_or(path);
    last.split('[').next().unwrap_or(last)
}

/// Names and numbers of a path: `pay[0].call` is `(pay, 0), (call, none)`.
pub(super) fn segments(path: &str) -> impl DoubleEndedIterator<Item = (&str, Option<usize>)> {
    path.split('.').map(|segment| match segment.split_once('[') {
        Some((id, number)) => (id, number.trim_end_matches(']').parse().ok()),
        None => (segment, None),
    })
}

/// The number of the innermost item of a forEach that a path is in.
pub(super) fn item_index(plan: &Plan, path: &str) -> Option<usize> {
    segments(path).rev().find_map(|(id, number)| {
        let step = &plan.steps[plan.step_number(id)?];
        number.filter(|_| matches!(step.work, Work::ForEach(_)))
    })
}

/// Reads a journal. Paths get the prefix of the run.
pub(super) fn read(journal: &[Event], prefix: &str, steps: &mut BTreeMap<String, StepReport>) {
    for event in journal {
        let Some(path) = event.step() else { continue };
        let order = steps.len();
        let step = steps.entry(format!("{prefix}{path}")).or_insert(StepReport {
            state: StepState::Pending,
            named: None,
            reason: None,
            attempts: 0,
            output: None,
            failures: None,
            error: None,
            started_at: None,
            ended_at: None,
            order,
        });
        read_event(event, step);
    }
}

fn read_event(event: &Event, step: &mut StepReport) {
    match event {
        Event::StepStarted { at, attempt, .. } => {
            step.state = StepState::Running;
            step.attempts = *attempt;
            step.started_at.get_or_insert(*at);
            (step.ended_at, step.reason) = (None, None);
        }
        Event::WaitStarted { at, .. } => {
            step.state = StepState::Waiting;
            step.attempts = step.attempts.max(1);
            step.started_at.get_or_insert(*at);
        }
        Event::StepSucceeded { at, attempt, output, named, .. } => {
            step.state = StepState::Succeeded;
            step.attempts = *attempt;
            step.started_at.get_or_insert(*at);
            step.ended_at = Some(*at);
            step.output.clone_from(output);
            step.named.clone_from(named);
            step.error = None;
        }
        Event::StepFailed { at, attempt, error, retry_at, named, .. } => {
            step.attempts = *attempt;
            step.error = Some(error.clone());
            step.named.clone_from(named);
            step.started_at.get_or_insert(*at);
            if retry_at.is_some() {
                step.state = StepState::Retrying;
            } else {
                step.state = StepState::Failed;
                step.ended_at = Some(*at);
            }
        }
        Event::StepSkipped { at, reason, .. } => {
            step.state = StepState::Skipped;
            step.reason = Some(*reason);
            step.ended_at = Some(*at);
        }
        Event::StepCancelled { at, .. } => {
            step.state = StepState::Cancelled;
            step.ended_at = Some(*at);
        }
        _ => {}
    }
}
