//! Joins: whether a step whose needed steps have all ended runs, and if not, why.
//!
//! An unmet need has *forks*: the steps whose ends decided against it. It is excused if the flow took the other
//! side of one of them and arrived here through it: another need of the step is met by an edge that leaves the fork
//! on its other side, or by a step that comes after such an edge through met needs. `done` is on no side.

use crate::journal::SkipReason;
use crate::plan::{Edge, Need, PlanStep};

use super::record::{Fork, Phase, Record};

/// What becomes of a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Run,
    Skip(SkipReason, Vec<Fork>),
}

/// Decides about a step, once every step it needs has ended.
pub(super) fn decide(steps: &[PlanStep], records: &[Record], step: usize) -> Decision {
    let mut unexcused = Vec::new();
    for (index, need) in steps[step].needs.iter().enumerate() {
        if is_met(need, records) {
            continue;
        }
        let forks = forks_of(records, step, index, need);
        if !forks.iter().any(|fork| arrives(steps, records, step, *fork)) {
            unexcused.extend(forks);
        }
    }
    if unexcused.is_empty() {
        return Decision::Run;
    }
    unexcused.sort_unstable();
    unexcused.dedup();
    Decision::Skip(reason(&unexcused, records), unexcused)
}

pub(super) fn is_met(need: &Need, records: &[Record]) -> bool {
    need.edges.iter().any(|edge| records[need.step].meets(edge))
}

/// The steps that decided against an unmet need.
fn forks_of(records: &[Record], step: usize, index: usize, need: &Need) -> Vec<Fork> {
    let needed = &records[need.step];
    if matches!(needed.phase, Phase::Skipped(_)) && !needed.forks.is_empty() {
        return needed.forks.clone();
    }
    vec![Fork { step: need.step, missed_by: step, need: index }]
}

/// The flow came to `step` through the other side of `fork`.
fn arrives(steps: &[PlanStep], records: &[Record], step: usize, fork: Fork) -> bool {
    let missed = &steps[fork.missed_by].needs[fork.need].edges;
    let mut seen = vec![false; steps.len()];
    let mut open = vec![step];
    while let Some(current) = open.pop() {
        for need in &steps[current].needs {
            let needed = &records[need.step];
            let mut on_the_way = need.edges.iter().filter(|edge| **edge != Edge::Done && needed.meets(edge)).peekable();
            if on_the_way.peek().is_none() {
                continue;
            }
            if need.step == fork.step {
                if on_the_way.any(|edge| missed.iter().all(|missed| !covers(missed, edge))) {
                    return true;
                }
            } else if !seen[need.step] {
                seen[need.step] = true;
                open.push(need.step);
            }
        }
    }
    false
}

/// An end that meets `missed` would (or could) meet `edge`, too: they are on the same side.
fn covers(missed: &Edge, edge: &Edge) -> bool {
    match (missed, edge) {
        (Edge::Done, _) | (_, Edge::Done) => true,
        (Edge::Succeeded, Edge::Succeeded) | (Edge::Failed, Edge::Failed) => true,
        (Edge::Succeeded, Edge::Failed) | (Edge::Failed, Edge::Succeeded) => false,
        (Edge::Named { failure, .. }, Edge::Succeeded) | (Edge::Succeeded, Edge::Named { failure, .. }) => !failure,
        (Edge::Named { failure, .. }, Edge::Failed) | (Edge::Failed, Edge::Named { failure, .. }) => *failure,
        (Edge::Named { name, .. }, Edge::Named { name: other, .. }) => name == other,
    }
}

fn reason(forks: &[Fork], records: &[Record]) -> SkipReason {
    let phase = |fork: &Fork| records[fork.step].phase;
    if forks.iter().any(|fork| phase(fork) == Phase::Failed) {
        SkipReason::UpstreamFailed
    } else if forks.iter().any(|fork| matches!(phase(fork), Phase::Cancelled | Phase::Skipped(SkipReason::Cancelled))) {
        SkipReason::Cancelled
    } else {
        SkipReason::NotTaken
    }
}
