//! What is looked up in a plan, derived from it once.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{Plan, PlanStep};

/// Steps by id, and who needs whom. Never written: two plans are equal without it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(OnceLock<Tables>);

#[derive(Clone, Debug)]
struct Tables {
    by_id: HashMap<String, usize>,
    dependents: Vec<Vec<usize>>,
}

impl PartialEq for Index {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Plan {
    /// The number of a step.
    pub(crate) fn step_number(&self, id: &str) -> Option<usize> {
        self.tables().by_id.get(id).copied()
    }

    /// The steps that need this one, in the order of the manifest.
    pub(crate) fn dependents(&self, step: usize) -> &[usize] {
        &self.tables().dependents[step]
    }

    fn tables(&self) -> &Tables {
        self.index.0.get_or_init(|| build(&self.steps))
    }
}

fn build(steps: &[PlanStep]) -> Tables {
    let mut dependents = vec![Vec::new(); steps.len()];
    for (number, step) in steps.iter().enumerate() {
        for need in &step.needs {
            dependents[need.step].push(number);
        }
    }
    let by_id = steps
        .iter()
        .enumerate()
        .map(|(number, step)| (step.id.clone(), number))
        .collect();
    Tables { by_id, dependents }
}
