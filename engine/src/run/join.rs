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
    let mut unmet = steps[step]
        .needs
        .iter()
        .enumerate()
        .filter(|(_, need)| !is_met(need, records))
        .peekable();
    if unmet.peek().is_none() {
        return Decision::Run;
    }
    let taken = taken(steps, records, step);
    let mut unexcused: Vec<Fork> = Vec::new();
    for (index, need) in unmet {
        let own = [Fork {
            step: need.step,
            missed_by: step,
            need: index,
        }];
        let needed = &records[need.step];
        // If the needed step was itself skipped for its needs, what decided against that one decided against this one.
        let inherited = matches!(needed.phase, Phase::Skipped(_)) && !needed.forks.is_empty();
        let forks = if inherited {
            needed.forks.as_slice()
        } else {
            own.as_slice()
        };
        if !forks
            .iter()
            .any(|fork| is_other_side(steps, *fork, &taken[fork.step]))
        {
            unexcused.extend(forks);
        }
    }
    if unexcused.is_empty() {
        return Decision::Run;
    }
    let edges = |fork: &Fork| &steps[fork.missed_by].needs[fork.need].edges;
    unexcused.sort_unstable();
    unexcused.dedup_by(|later, first| later.step == first.step && edges(later) == edges(first));
    Decision::Skip(reason(&unexcused, records), unexcused)
}

fn is_met(need: &Need, records: &[Record]) -> bool {
    need.edges.iter().any(|edge| records[need.step].meets(edge))
}

/// Per step the edges on it over which the flow came here: through met needs, never over `done`.
fn taken<'a>(steps: &'a [PlanStep], records: &[Record], step: usize) -> Vec<Vec<&'a Edge>> {
    let mut taken: Vec<Vec<&Edge>> = vec![Vec::new(); steps.len()];
    let mut seen = vec![false; steps.len()];
    let mut open = vec![step];
    while let Some(current) = open.pop() {
        for need in &steps[current].needs {
            for edge in need
                .edges
                .iter()
                .filter(|edge| **edge != Edge::Done && records[need.step].meets(edge))
            {
                if !taken[need.step].contains(&edge) {
                    taken[need.step].push(edge);
                }
                if !std::mem::replace(&mut seen[need.step], true) {
                    open.push(need.step);
                }
            }
        }
    }
    taken
}

/// One of the edges taken leaves the fork on the other side of those that were missed.
fn is_other_side(steps: &[PlanStep], fork: Fork, taken: &[&Edge]) -> bool {
    let missed = &steps[fork.missed_by].needs[fork.need].edges;
    taken
        .iter()
        .any(|edge| missed.iter().all(|missed| !covers(missed, edge)))
}

/// An end that meets `missed` would (or could) meet `edge`, too: they are on the same side.
fn covers(missed: &Edge, edge: &Edge) -> bool {
    match (missed, edge) {
        (Edge::Done, _)
        | (_, Edge::Done)
        | (Edge::Succeeded, Edge::Succeeded)
        | (Edge::Failed, Edge::Failed) => true,
        (Edge::Succeeded, Edge::Failed) | (Edge::Failed, Edge::Succeeded) => false,
        (Edge::Named { failure, .. }, Edge::Succeeded) | (Edge::Succeeded, Edge::Named { failure, .. }) => {
            !failure
        }
        (Edge::Named { failure, .. }, Edge::Failed) | (Edge::Failed, Edge::Named { failure, .. }) => *failure,
        (Edge::Named { name, .. }, Edge::Named { name: other, .. }) => name == other,
    }
}

fn reason(forks: &[Fork], records: &[Record]) -> SkipReason {
    let phase = |fork: &Fork| records[fork.step].phase;
    if forks.iter().any(|fork| phase(fork) == Phase::Failed) {
        SkipReason::UpstreamFailed
    } else if forks.iter().any(|fork| {
        matches!(
            phase(fork),
            Phase::Cancelled | Phase::Skipped(SkipReason::Cancelled)
        )
    }) {
        SkipReason::Cancelled
    } else {
        SkipReason::NotTaken
    }
}
