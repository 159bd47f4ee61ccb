//! How the steps before a step can have ended when it runs.
//!
//! An over-estimate: a possible end is never left out, an impossible one may stay in. So a read that no possible
//! end allows is an error, and one that only some allow is a warning.

use flowpilot_crds::WorkflowSpec;

use super::Problems;
use super::excuses::Excuses;
use super::graph::Graph;
use crate::plan::{Edge, Need};

/// A set of ends.
pub(super) type Ends = u8;
pub(super) const SUCCEEDED: Ends = 1;
pub(super) const FAILED: Ends = 2;
/// Passed over by its own `when`.
pub(super) const PASSED_OVER: Ends = 4;
/// Skipped for its needs, cancelled, or never started.
pub(super) const NOT_RUN: Ends = 8;

/// Possible ends of each step, seen from each step that runs and from the end of the run.
pub(super) struct Certainty {
    /// `seen[step][ancestor]`.
    seen: Vec<Vec<Ends>>,
    /// Seen from a run that succeeded.
    at_end: Vec<Ends>,
}

impl Certainty {
    pub(super) fn build(
        spec: &WorkflowSpec,
        needs: &[Vec<Need>],
        graph: &Graph,
        problems: &mut Problems,
    ) -> Self {
        let count = spec.steps.len();
        let own: Vec<Ends> = spec.steps.iter().map(own_ends).collect();
        let excuses = Excuses::build(needs, graph);
        let mut seen: Vec<Vec<Ends>> = vec![Vec::new(); count];
        for step in &graph.order {
            let excusable = excuses.of(needs, *step);
            let mut ends = own.clone();
            for (need, _) in needs[*step]
                .iter()
                .zip(&excusable)
                .filter(|(_, excusable)| !**excusable)
            {
                narrow(&mut ends, need, &seen[need.step]);
            }
            // If each need could be excused by another, one of them was met all the same: what holds behind every
            // one of them holds.
            if !excusable.is_empty() && excusable.iter().all(|excusable| *excusable) {
                let mut some: Vec<Ends> = vec![0; count];
                for need in &needs[*step] {
                    let mut met = own.clone();
                    narrow(&mut met, need, &seen[need.step]);
                    some.iter_mut().zip(&met).for_each(|(some, met)| *some |= met);
                }
                ends.iter_mut().zip(&some).for_each(|(ends, some)| *ends &= some);
            }
            if ends.contains(&0) {
                let message = format!(
                    "step {} can never run: what it needs cannot happen together",
                    spec.steps[*step].id
                );
                problems.warning("NeverRuns", format!("spec.steps[{step}].needs"), message);
                ends.clone_from(&own);
            }
            seen[*step] = ends;
        }
        let at_end = at_end(spec, needs, graph, &own, &seen);
        Self { seen, at_end }
    }

    /// How `ancestor` can have ended when `step` runs, or when the run succeeds.
    pub(super) fn ends(&self, ancestor: usize, step: Option<usize>) -> Ends {
        let all = SUCCEEDED | FAILED | PASSED_OVER | NOT_RUN;
        let seen = match step {
            Some(step) => self.seen[step].get(ancestor),
            None => self.at_end.get(ancestor),
        };
        seen.copied().unwrap_or(all)
    }
}

/// Leaves the ends that are possible if a need was met.
fn narrow(ends: &mut [Ends], need: &Need, seen: &[Ends]) {
    ends[need.step] &= need.edges.iter().fold(0, |sum, edge| sum | ends_that_meet(edge));
    // Over any other edge than `done` the needed step ran, or was asked whether to: so its own joins held.
    if !need.edges.contains(&Edge::Done) {
        ends.iter_mut()
            .zip(seen)
            .for_each(|(ends, theirs)| *ends &= theirs);
    }
}

/// The ends that a step can have at all.
fn own_ends(step: &flowpilot_crds::workflow::Step) -> Ends {
    let passed_over = if step.when.is_some() { PASSED_OVER } else { 0 };
    let succeeds = if step.fail.is_some() { 0 } else { SUCCEEDED };
    succeeds | FAILED | NOT_RUN | passed_over
}

fn ends_that_meet(edge: &Edge) -> Ends {
    match edge {
        Edge::Succeeded => SUCCEEDED | PASSED_OVER,
        Edge::Failed | Edge::Named { failure: true, .. } => FAILED,
        Edge::Named { failure: false, .. } => SUCCEEDED,
        Edge::Done => SUCCEEDED | FAILED | PASSED_OVER | NOT_RUN,
    }
}

/// Possible ends in a run that succeeds: every failure was handled, every step was decided, or `stop` ended it.
fn at_end(
    spec: &WorkflowSpec,
    needs: &[Vec<Need>],
    graph: &Graph,
    own: &[Ends],
    seen: &[Vec<Ends>],
) -> Vec<Ends> {
    let count = spec.steps.len();
    let mut handled = vec![false; count];
    for need in needs.iter().flatten() {
        let is_failure = |edge: &Edge| matches!(edge, Edge::Failed | Edge::Named { failure: true, .. });
        handled[need.step] |= need.edges.iter().any(is_failure);
    }
    let mut ends: Vec<Ends> = own.to_vec();
    for step in &graph.order {
        let always = needs[*step].iter().all(|need| {
            let met = need.edges.iter().fold(0, |sum, edge| sum | ends_that_meet(edge));
            ends[need.step] & !met == 0
        });
        if !handled[*step] {
            ends[*step] &= !FAILED;
        }
        if always {
            ends[*step] &= !NOT_RUN;
        }
    }
    let stops = spec.steps.iter().enumerate();
    let stops = stops.filter(|(number, step)| step.stop.is_some() && graph.is_ordered(*number));
    for (stop, _) in stops {
        for (step, ends) in ends.iter_mut().enumerate() {
            let before = if graph.is_ancestor(step, stop) {
                seen[stop].get(step).copied()
            } else {
                None
            };
            if step != stop {
                *ends |= before.unwrap_or(NOT_RUN);
            }
        }
    }
    ends
}
