//! How the steps before a step can have ended when it runs.
//!
//! An over-estimate: a possible end is never left out, an impossible one may stay in. So a read that no possible
//! end allows is an error, and one that only some allow is a warning.

use super::Problems;
use super::excuses::Excuses;
use super::graph::{Graph, Moment};
use super::layout::Layout;
use super::outcomes::{ANY_FAILURE, ANY_SUCCESS, Ends, NOT_RUN, PASSED_OVER, meeting_of, possible};
use super::place::View;
use crate::plan::{Edge, Need};

/// Possible ends of each step, seen from each step that runs and from the end of its block.
pub(super) struct Certainty {
    /// `seen[step][sibling]`; empty if the step never runs, or nothing is known of it.
    seen: Vec<Vec<Ends>>,
    /// Of each step in a block (or run) that succeeded.
    at_end: Vec<Ends>,
    /// The ends that a step can have at all; only `NOT_RUN` if it never runs.
    own: Vec<Ends>,
}

impl Certainty {
    pub(super) fn build(
        layout: &Layout<'_>,
        needs: &[Vec<Need>],
        graph: &Graph,
        problems: &mut Problems,
    ) -> Self {
        let count = layout.block.len();
        let steps = &layout.spec.steps;
        let mut own: Vec<Ends> = steps.iter().map(possible).collect();
        let excuses = Excuses::build(needs, graph);
        let mut seen: Vec<Vec<Ends>> = vec![Vec::new(); count];
        let (mut some, mut met) = (vec![0; count], vec![0; count]);
        for step in graph.starts() {
            // Inside a block that never runs nothing runs; that was said of the block.
            if let Some(block) = layout.block[step]
                && own[block] == NOT_RUN
            {
                own[step] = NOT_RUN;
                continue;
            }
            let excusable = excuses.of(needs, step);
            let meets = |need: &Need| {
                let edges = need.edges.iter();
                edges.fold(0, |sum, edge| sum | meeting_of(&steps[need.step], edge))
            };
            let mut ends = own.clone();
            for (need, _) in needs[step]
                .iter()
                .zip(&excusable)
                .filter(|(_, excusable)| !**excusable)
            {
                narrow(&mut ends, need, meets(need), &seen[need.step]);
            }
            // If each need could be excused by another, one of them was met all the same: what holds behind every
            // one of them holds.
            if !excusable.is_empty() && excusable.iter().all(|excusable| *excusable) {
                some.fill(0);
                for need in &needs[step] {
                    met.copy_from_slice(&own);
                    narrow(&mut met, need, meets(need), &seen[need.step]);
                    // A need that cannot be met is excused by the others, or not at all.
                    if !met.contains(&0) {
                        some.iter_mut().zip(&met).for_each(|(some, met)| *some |= met);
                    }
                }
                ends.iter_mut().zip(&some).for_each(|(ends, some)| *ends &= some);
            }
            if ends.contains(&0) {
                let message = format!(
                    "step {} can never run: no path leads to it, as what it needs cannot happen",
                    steps[step].id
                );
                let message = if needs[step].len() > 1 {
                    format!("{message} together")
                } else {
                    message
                };
                problems.warning("NeverRuns", format!("spec.steps[{step}].needs"), message);
                own[step] = NOT_RUN;
                continue;
            }
            seen[step] = ends;
        }
        let mut certainty = Self {
            seen,
            at_end: own.clone(),
            own,
        };
        certainty.close(layout, needs, graph);
        certainty
    }

    /// Whether the step can run at all, as far as is known.
    pub(super) fn runs(&self, step: usize) -> bool {
        !self.seen[step].is_empty()
    }

    /// How a step can have ended when an expression is evaluated; nothing if that never happens, or is not known.
    pub(super) fn ends(&self, step: usize, view: View, layout: &Layout<'_>) -> Option<Ends> {
        match view {
            View::Undo(own) if own == step => Some(ANY_SUCCESS),
            View::Step(reader) | View::Match(reader) | View::Undo(reader) | View::Turn(reader) => {
                self.before(step, reader, layout)
            }
            View::After(block) | View::Until(block) => match self.ends_inside(step, Some(block), layout) {
                Some(ends) => Some(ends),
                None => self.before(step, block, layout),
            },
            View::Outputs => self.ends_inside(step, None, layout),
            View::Trigger | View::TriggerMatch | View::Concurrency => None,
        }
    }

    /// Seen from a step that runs: a step of its own block or of one around it, or one in a group among these.
    fn before(&self, step: usize, reader: usize, layout: &Layout<'_>) -> Option<Ends> {
        let beside = |step: usize| {
            let from = std::iter::once(reader)
                .chain(layout.around(reader))
                .find(|from| layout.block[*from] == layout.block[step])?;
            self.seen[from].get(step).copied()
        };
        if let Some(ends) = beside(step) {
            return Some(ends);
        }
        let outer = layout
            .around(step)
            .find_map(|group| Some((group, beside(group)?)));
        let (group, ends) = outer?;
        Some(self.within(step, group, ends, layout))
    }

    /// Seen from the end of a block that succeeded.
    fn ends_inside(&self, step: usize, block: Option<usize>, layout: &Layout<'_>) -> Option<Ends> {
        if layout.block[step] == block {
            return Some(self.at_end[step]);
        }
        let group = layout.around(step).find(|outer| layout.block[*outer] == block)?;
        Some(self.within(step, group, self.at_end[group], layout))
    }

    /// How a step inside a group can have ended, if the group ended like this.
    fn within(&self, step: usize, group: usize, ends: Ends, layout: &Layout<'_>) -> Ends {
        let Some(parent) = layout.block[step] else {
            return self.own[step];
        };
        let ends = if parent == group {
            ends
        } else {
            self.within(parent, group, ends, layout)
        };
        let mut possible = 0;
        if ends & ANY_SUCCESS != 0 {
            possible |= self.at_end[step];
        }
        if ends & ANY_FAILURE != 0 {
            possible |= self.own[step] | NOT_RUN;
        }
        if ends & (PASSED_OVER | NOT_RUN) != 0 {
            possible |= NOT_RUN;
        }
        possible
    }

    /// Possible ends in a block that succeeded: every failure was handled and every step was decided, or `stop`
    /// ended the run.
    fn close(&mut self, layout: &Layout<'_>, needs: &[Vec<Need>], graph: &Graph) {
        let steps = &layout.spec.steps;
        let mut handled = vec![false; steps.len()];
        for (step, needs) in needs.iter().enumerate() {
            if self.runs(step) {
                for need in needs {
                    handled[need.step] |= need.edges.iter().any(Edge::is_failure);
                }
            }
        }
        for moment in &graph.order {
            let Moment::Start(step) = *moment else { continue };
            // A race leaves its losers where they are.
            let group = layout.block[step].and_then(|block| steps[block].group.as_ref());
            if group.is_some_and(|group| group.race == Some(true)) {
                continue;
            }
            let always = needs[step].iter().all(|need| {
                let edges = need.edges.iter();
                let met = edges.fold(0, |sum, edge| sum | meeting_of(&steps[need.step], edge));
                self.at_end[need.step] & !met == 0
            });
            if !handled[step] {
                self.at_end[step] &= !ANY_FAILURE;
            }
            if always && self.runs(step) {
                self.at_end[step] &= !NOT_RUN;
            }
        }
        for (stop, step) in steps.iter().enumerate() {
            let succeeds = step.stop.as_ref();
            let succeeds =
                succeeds.is_some_and(|stop| stop.status == flowpilot_crds::workflow::StopStatus::Succeeded);
            if succeeds && self.runs(stop) {
                self.close_early(stop, layout, graph);
            }
        }
    }

    /// The run may end at this step: what comes before it ended as it does there, all else may never start.
    fn close_early(&mut self, stop: usize, layout: &Layout<'_>, graph: &Graph) {
        let outermost = std::iter::once(stop)
            .chain(layout.around(stop))
            .last()
            .unwrap_or(stop);
        for step in 0..self.at_end.len() {
            if layout.block[step].is_some() || step == stop {
                continue;
            }
            let before = graph.is_ordered(outermost) && graph.is_ancestor(step, outermost);
            let before = before.then(|| self.seen[outermost].get(step).copied()).flatten();
            self.at_end[step] |= before.unwrap_or(NOT_RUN);
        }
    }
}

/// Leaves the ends that are possible if a need was met.
fn narrow(ends: &mut [Ends], need: &Need, meets: Ends, seen: &[Ends]) {
    ends[need.step] &= meets;
    // Over any other edge than `done` the needed step ran, or was asked whether to: so its own joins held.
    if !need.edges.contains(&Edge::Done) {
        ends.iter_mut()
            .zip(seen)
            .for_each(|(ends, theirs)| *ends &= theirs);
    }
}
