//! Which parts of a workflow a run went through: steps, edges, cases.

use std::collections::{BTreeMap, BTreeSet};

use super::steps::StepReport;
use crate::plan::{Edge, Plan, Work};
use crate::run::StepState;

/// Parts of a workflow that were gone through. Those of called workflows are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// What was taken.
    pub taken: BTreeSet<Point>,
}

/// A part of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A step that ran.
    Step(String),
    /// An edge through which a step was reached: the needed end, the step.
    Edge(String, String),
    /// A case of a switch.
    Case(String, String),
}

impl std::fmt::Display for Point {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(step) => write!(formatter, "step {step}"),
            Self::Edge(from, to) => write!(formatter, "edge {from} -> {to}"),
            Self::Case(step, case) => write!(formatter, "case {step}.{case}"),
        }
    }
}

impl Coverage {
    /// Everything that a workflow has.
    #[must_use]
    pub fn all(plan: &Plan) -> Self {
        let mut taken = BTreeSet::new();
        for step in &plan.steps {
            taken.insert(Point::Step(step.id.clone()));
            for need in &step.needs {
                let needed = &plan.steps[need.step].id;
                taken.extend(
                    need.edges
                        .iter()
                        .map(|edge| Point::Edge(written(needed, edge), step.id.clone())),
                );
            }
            if let Work::Switch { cases, default } = &step.work {
                let names = cases.iter().map(|case| &case.name).chain(default);
                taken.extend(names.map(|name| Point::Case(step.id.clone(), name.clone())));
            }
        }
        Self { taken }
    }

    /// Adds what another run took.
    pub fn add(&mut self, other: &Self) {
        self.taken.extend(other.taken.iter().cloned());
    }

    /// Adds what one run took, if it is the first: those that it calls are other workflows.
    pub(super) fn take(&mut self, plan: &Plan, prefix: &str, steps: &BTreeMap<String, StepReport>) {
        if !prefix.is_empty() {
            return;
        }
        for (path, report) in steps {
            if !has_run(report) {
                continue;
            }
            let (block, id) = path
                .rsplit_once('.')
                .map_or(("", path.as_str()), |(block, id)| (block, id));
            let Some(step) = plan.step_number(id).map(|number| &plan.steps[number]) else {
                continue;
            };
            self.taken.insert(Point::Step(id.to_owned()));
            if let (Work::Switch { .. }, Some(named)) = (&step.work, &report.named) {
                self.taken.insert(Point::Case(id.to_owned(), named.clone()));
            }
            for need in &step.needs {
                let needed = &plan.steps[need.step].id;
                let sibling = if block.is_empty() {
                    needed.clone()
                } else {
                    format!("{block}.{needed}")
                };
                let Some(end) = steps.get(&sibling) else { continue };
                let met = need.edges.iter().filter(|edge| meets(edge, end));
                self.taken
                    .extend(met.map(|edge| Point::Edge(written(needed, edge), id.to_owned())));
            }
        }
    }
}

fn has_run(report: &StepReport) -> bool {
    !matches!(report.state, StepState::Pending | StepState::Skipped)
}

fn meets(edge: &Edge, end: &StepReport) -> bool {
    match edge {
        Edge::Succeeded => matches!(end.state, StepState::Succeeded),
        Edge::Failed => end.state == StepState::Failed,
        Edge::Done => true,
        Edge::Named { name, .. } => end.named.as_ref() == Some(name),
    }
}

/// An edge as the manifest writes it.
fn written(needed: &str, edge: &Edge) -> String {
    match edge {
        Edge::Succeeded => needed.to_owned(),
        other => format!("{needed}.{}", other.outcome()),
    }
}
