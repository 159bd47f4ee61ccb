//! Edges and joins, as LANGUAGE tells them.

use std::collections::BTreeSet;

use flowpilot_engine::journal::SkipReason;

use super::{Oracle, Place, State};
use crate::flow::{Edge, Need};

/// What becomes of a step whose needed steps have all ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    Waits,
    Runs,
    Skips(SkipReason),
}

impl Oracle<'_> {
    pub(crate) fn join(&self, place: Place<'_>) -> Join {
        let needs = &self.step(place.step).needs;
        if needs
            .iter()
            .any(|need| !self.end(place, need.step).is_some_and(State::is_end))
        {
            return Join::Waits;
        }
        let open = self.unexcused(place);
        if open.is_empty() {
            return Join::Runs;
        }
        let ends = || open.iter().filter_map(|(fork, _)| self.end(place, *fork));
        Join::Skips(if ends().any(|end| end == State::Failed) {
            SkipReason::UpstreamFailed
        } else if ends().any(|end| matches!(end, State::Cancelled | State::Skipped(SkipReason::Cancelled))) {
            SkipReason::Cancelled
        } else {
            SkipReason::NotTaken
        })
    }

    fn sibling(&self, place: Place<'_>, step: usize) -> String {
        format!("{}{}", place.prefix, self.step(step).id)
    }

    fn end(&self, place: Place<'_>, step: usize) -> Option<State> {
        self.state(&self.sibling(place, step))
    }

    /// The end of the step meets this edge.
    pub(crate) fn meets(&self, place: Place<'_>, step: usize, edge: &Edge) -> bool {
        let Some(record) = self.records.get(&self.sibling(place, step)) else {
            return false;
        };
        match edge {
            Edge::Succeeded => matches!(
                record.state,
                State::Succeeded | State::Skipped(SkipReason::Condition)
            ),
            Edge::Failed => record.state == State::Failed,
            Edge::Done => record.state.is_end(),
            Edge::Named { name, .. } => {
                matches!(record.state, State::Succeeded | State::Failed)
                    && record.named.as_deref() == Some(*name)
            }
        }
    }

    fn is_met(&self, place: Place<'_>, need: &Need) -> bool {
        need.edges.iter().any(|edge| self.meets(place, need.step, edge))
    }

    /// Forks of the needs of a step that are neither met nor excused, with the edges that were missed.
    fn unexcused<'s>(&'s self, place: Place<'_>) -> Vec<(usize, &'s [Edge])> {
        let mut open = Vec::new();
        for need in self
            .step(place.step)
            .needs
            .iter()
            .filter(|need| !self.is_met(place, need))
        {
            let forks = self.forks(place, need);
            let excused = forks.iter().any(|(fork, missed)| {
                self.step(place.step)
                    .needs
                    .iter()
                    .any(|other| self.comes_over(place, other, *fork, missed, &mut BTreeSet::new()))
            });
            if !excused {
                open.extend(forks);
            }
        }
        open
    }

    /// The steps whose ends decided against a need.
    fn forks<'s>(&'s self, place: Place<'_>, need: &'s Need) -> Vec<(usize, &'s [Edge])> {
        let needed = self.records.get(&self.sibling(place, need.step));
        if needed.is_some_and(|needed| needed.by_needs) {
            return self.unexcused(Place {
                step: need.step,
                ..place
            });
        }
        vec![(need.step, need.edges.as_slice())]
    }

    /// The need is met by an edge that leaves the fork on its other side, or by a step that comes after such an edge
    /// through needs that were met.
    fn comes_over(
        &self,
        place: Place<'_>,
        need: &Need,
        fork: usize,
        missed: &[Edge],
        seen: &mut BTreeSet<usize>,
    ) -> bool {
        let met = || {
            need.edges
                .iter()
                .filter(|edge| **edge != Edge::Done && self.meets(place, need.step, edge))
        };
        if need.step == fork && met().any(|edge| missed.iter().all(|missed| !same_side(missed, edge))) {
            return true;
        }
        if met().next().is_none() || !seen.insert(need.step) {
            return false;
        }
        self.step(need.step)
            .needs
            .iter()
            .any(|inner| self.comes_over(place, inner, fork, missed, seen))
    }
}

/// An end that meets the one may meet the other.
fn same_side(missed: &Edge, edge: &Edge) -> bool {
    let is_failure = |edge: &Edge| match edge {
        Edge::Succeeded | Edge::Done => false,
        Edge::Failed => true,
        Edge::Named { failure, .. } => *failure,
    };
    match (missed, edge) {
        (Edge::Done, _) | (_, Edge::Done) => true,
        (Edge::Named { name, .. }, Edge::Named { name: other, .. }) => name == other,
        _ => is_failure(missed) == is_failure(edge),
    }
}
