//! What became of every step, read from the journal.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::journal::{Event, IterationEnd, SkipReason, StepError};
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
pub(super) fn read(plan: &Plan, journal: &[Event], prefix: &str, steps: &mut BTreeMap<String, StepReport>) {
    let mut failures: HashMap<&str, Vec<Value>> = HashMap::new();
    for event in journal {
        if let Event::IterationEnded {
            step,
            end: IterationEnd::Failed { error },
            ..
        } = event
        {
            if let Some((block, index)) = step.strip_suffix(']').and_then(|path| path.rsplit_once('[')) {
                let index: usize = index.parse().unwrap_or_default();
                failures
                    .entry(block)
                    .or_default()
                    .push(json!({"index": index, "error": error}));
            }
            continue;
        }
        let Some(path) = event.step().filter(|_| is_about_a_step(event)) else {
            continue;
        };
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
        if matches!(event, Event::StepSucceeded { .. }) && collects(plan, path) {
            let mut failed = failures.remove(path).unwrap_or_default();
            failed.sort_by_key(|failure| failure["index"].as_u64());
            step.failures = Some(Value::Array(failed));
        }
    }
}

fn is_about_a_step(event: &Event) -> bool {
    matches!(
        event,
        Event::StepStarted { .. }
            | Event::StepSucceeded { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped { .. }
            | Event::StepCancelled { .. }
            | Event::WaitStarted { .. }
    )
}

/// Whether it is a forEach that goes on when items fail.
fn collects(plan: &Plan, path: &str) -> bool {
    let step = plan
        .step_number(last_id(path))
        .map(|number| &plan.steps[number].work);
    matches!(step, Some(Work::ForEach(each)) if each.collects)
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
        Event::StepSucceeded {
            at,
            attempt,
            output,
            named,
            cached,
            ..
        } => {
            step.state = StepState::Succeeded;
            step.attempts = if *cached { 0 } else { *attempt };
            step.started_at.get_or_insert(*at);
            step.ended_at = Some(*at);
            step.output.clone_from(output);
            step.named.clone_from(named);
            step.error = None;
        }
        Event::StepFailed {
            at,
            attempt,
            error,
            retry_at,
            named,
            output,
            ..
        } => {
            step.output.clone_from(output);
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

/// Steps inside a forEach or a loop that was skipped have no path of their own: they are shown by name, with the reason
/// of their block.
pub(super) fn inside_skipped(plan: &Plan, prefix: &str, steps: &mut BTreeMap<String, StepReport>) {
    for step in &plan.steps {
        let mut block = step.block;
        while let Some(number) = block {
            let outer = &plan.steps[number];
            let skipped = steps
                .get(&format!("{prefix}{}", outer.id))
                .filter(|outer| outer.state == StepState::Skipped);
            if let Some(skipped) = skipped.cloned() {
                let order = steps.len();
                steps
                    .entry(format!("{prefix}{}", step.id))
                    .or_insert(StepReport { order, ..skipped });
                break;
            }
            block = outer.block;
        }
    }
}
