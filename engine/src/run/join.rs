//! Joins: whether a step whose needed steps have all ended runs, and if not, why.
//!
//! An unmet need has *forks*: the steps whose ends decided against it. It is excused if the flow took the other
//! side of one of them and arrived here through it: another need of the step is met by an edge that leaves the fork
//! on its other side, or by a step that comes after such an edge through met needs. `done` is on no side.

use crate::journal::SkipReason;
use crate::plan::{Edge, Need, Plan};

use super::frame::Frame;
use super::record::{Fork, Phase, Record};

/// What becomes of a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Run,
    Skip(SkipReason, Vec<Fork>),
}

/// The steps of one block, as far as they got.
#[derive(Clone, Copy)]
struct Members<'a> {
    plan: &'a Plan,
    frame: &'a Frame,
}

impl<'a> Members<'a> {
    fn record(self, step: usize) -> &'a Record {
        &self.frame.records[self.plan.position(step)]
    }

    fn needs(self, step: usize) -> &'a [Need] {
        &self.plan.steps[step].needs
    }

    fn missed(self, fork: &Fork) -> &'a [Edge] {
        &self.needs(fork.missed_by)[fork.need].edges
    }

    fn is_met(self, need: &Need) -> bool {
        let record = self.record(need.step);
        need.edges.iter().any(|edge| record.meets(edge))
    }
}

/// Decides about a step, once every step it needs has ended.
pub(super) fn decide(plan: &Plan, frame: &Frame, step: usize) -> Decision {
    let members = Members { plan, frame };
    let mut unmet = members
        .needs(step)
        .iter()
        .enumerate()
        .filter(|(_, need)| !members.is_met(need))
        .peekable();
    if unmet.peek().is_none() {
        return Decision::Run;
    }
    let taken = taken(members, step);
    let mut unexcused: Vec<Fork> = Vec::new();
    for (index, need) in unmet {
        let own = [Fork {
            step: need.step,
            missed_by: step,
            need: index,
        }];
        let needed = members.record(need.step);
        // If the needed step was itself skipped for its needs, what decided against that one decided against this one.
        let inherited = matches!(needed.phase, Phase::Skipped(_)) && !needed.forks.is_empty();
        let forks = if inherited {
            needed.forks.as_slice()
        } else {
            own.as_slice()
        };
        let is_excused = forks
            .iter()
            .any(|fork| is_other_side(members.missed(fork), &taken[plan.position(fork.step)]));
        if !is_excused {
            unexcused.extend(forks);
        }
    }
    if unexcused.is_empty() {
        return Decision::Run;
    }
    unexcused.sort_unstable();
    unexcused
        .dedup_by(|later, first| later.step == first.step && members.missed(later) == members.missed(first));
    Decision::Skip(reason(members, &unexcused), unexcused)
}

/// Per step of the block the edges on it over which the flow came here: through met needs, never over `done`.
fn taken(members: Members<'_>, step: usize) -> Vec<Vec<&Edge>> {
    let count = members.frame.records.len();
    let mut taken: Vec<Vec<&Edge>> = vec![Vec::new(); count];
    let mut seen = vec![false; count];
    let mut open = vec![step];
    while let Some(current) = open.pop() {
        for need in members.needs(current) {
            let (record, position) = (members.record(need.step), members.plan.position(need.step));
            let edges = need.edges.iter();
            for edge in edges.filter(|edge| **edge != Edge::Done && record.meets(edge)) {
                if !taken[position].contains(&edge) {
                    taken[position].push(edge);
                }
                if !std::mem::replace(&mut seen[position], true) {
                    open.push(need.step);
                }
            }
        }
    }
    taken
}

/// One of the edges taken leaves the fork on the other side of those that were missed.
fn is_other_side(missed: &[Edge], taken: &[&Edge]) -> bool {
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

fn reason(members: Members<'_>, forks: &[Fork]) -> SkipReason {
    let phase = |fork: &Fork| members.record(fork.step).phase;
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
