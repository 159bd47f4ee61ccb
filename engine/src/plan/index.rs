//! What is looked up in a plan, derived from it once.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;

use super::{Edge, Plan, PlanAction, PlanStep, Work};
use crate::run::is_data;
use crate::schema;

/// Steps by id, blocks and their members, and who needs whom. Never written: two plans are equal without it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(OnceLock<Tables>);

#[derive(Clone, Debug)]
struct Tables {
    by_id: HashMap<String, usize>,
    dependents: Vec<Vec<usize>>,
    /// Members of the run, then those of each step that is a block, in the order of the manifest.
    members: Vec<Vec<usize>>,
    /// Where a step stands among the members of its block.
    positions: Vec<usize>,
    last: Vec<bool>,
    sensitive: Vec<bool>,
    actions: HashMap<String, Schemas>,
}

/// Validators of an action; nothing where a schema cannot be used.
#[derive(Clone)]
struct Schemas {
    input: Option<Arc<Validator>>,
    output: Option<Arc<Validator>>,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Schemas").finish_non_exhaustive()
    }
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

    /// The steps of a block, or of the run, in the order of the manifest.
    pub(crate) fn members(&self, block: Option<usize>) -> &[usize] {
        &self.tables().members[block.map_or(0, |block| block + 1)]
    }

    /// Where a step stands in [`Plan::members`] of its block.
    pub(crate) fn position(&self, step: usize) -> usize {
        self.tables().positions[step]
    }

    /// Nothing follows this step in its block but what runs after any end, and it is no such step itself.
    pub(crate) fn is_last(&self, step: usize) -> bool {
        self.tables().last[step]
    }

    /// The step reads what is hidden from people, or gives it.
    pub(crate) fn is_sensitive(&self, step: usize) -> bool {
        self.tables().sensitive[step]
    }

    /// Checks the input of an action; nothing if it takes anything.
    pub(crate) fn input_validator(&self, action: &str) -> Option<&Validator> {
        self.tables().actions.get(action)?.input.as_deref()
    }

    /// Checks the output of an action; nothing if it may give anything.
    pub(crate) fn output_validator(&self, action: &str) -> Option<&Validator> {
        self.tables().actions.get(action)?.output.as_deref()
    }

    fn tables(&self) -> &Tables {
        self.index
            .0
            .get_or_init(|| build(&self.steps, self.actions.iter()))
    }
}

fn build<'a>(steps: &[PlanStep], actions: impl Iterator<Item = (&'a String, &'a PlanAction)>) -> Tables {
    let mut dependents = vec![Vec::new(); steps.len()];
    let mut members = vec![Vec::new(); steps.len() + 1];
    let mut positions = Vec::with_capacity(steps.len());
    for (number, step) in steps.iter().enumerate() {
        for need in &step.needs {
            dependents[need.step].push(number);
        }
        let block = &mut members[step.block.map_or(0, |block| block + 1)];
        positions.push(block.len());
        block.push(number);
    }
    let last = (0..steps.len())
        .map(|step| is_last(steps, step, &dependents[step]))
        .collect();
    let by_id: HashMap<String, usize> = steps
        .iter()
        .enumerate()
        .map(|(number, step)| (step.id.clone(), number))
        .collect();
    let sensitive = sensitive(steps, &by_id, &members);
    let actions = actions
        .map(|(name, action)| {
            let schemas = Schemas {
                input: schema::compile(&action.input).ok().map(Arc::new),
                output: schema::compile(&action.output).ok().map(Arc::new),
            };
            (name.clone(), schemas)
        })
        .collect();
    Tables {
        by_id,
        dependents,
        members,
        positions,
        last,
        sensitive,
        actions,
    }
}

fn is_last(steps: &[PlanStep], step: usize, dependents: &[usize]) -> bool {
    let only_done = |edges: &[Edge]| edges.iter().all(|edge| *edge == Edge::Done);
    let nobody_follows = dependents.iter().all(|dependent| {
        let needs = &steps[*dependent].needs;
        needs
            .iter()
            .filter(|need| need.step == step)
            .all(|need| only_done(&need.edges))
    });
    let needs = &steps[step].needs;
    let reached_by_done = !needs.is_empty() && needs.iter().all(|need| only_done(&need.edges));
    nobody_follows && !reached_by_done
}

/// Steps that give or read what is hidden: the mark follows the data.
fn sensitive(steps: &[PlanStep], by_id: &HashMap<String, usize>, members: &[Vec<usize>]) -> Vec<bool> {
    let mut sensitive: Vec<bool> = steps.iter().map(|step| step.sensitive).collect();
    if !sensitive.contains(&true) {
        return sensitive;
    }
    // What each step reads: other steps, and the items or carried values of its blocks.
    let reads: Vec<BTreeSet<usize>> = steps.iter().map(|step| read_steps(step, steps, by_id)).collect();
    let mut changed = true;
    while changed {
        changed = false;
        for step in 0..steps.len() {
            let mut is = reads[step].iter().any(|read| sensitive[*read]);
            // What a block gives is made of what its steps give.
            is |= steps[step].work.is_block()
                && steps[step].work.gives()
                && members[step + 1].iter().any(|member| sensitive[*member]);
            if is && !sensitive[step] {
                (sensitive[step], changed) = (true, true);
            }
        }
    }
    sensitive
}

fn read_steps(step: &PlanStep, steps: &[PlanStep], by_id: &HashMap<String, usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for path in step.read_paths() {
        match path.first().map(String::as_str) {
            // How a step went is not hidden, only what it gave.
            Some("steps") if path.get(2).is_some_and(|field| !is_data(field)) => {}
            Some("steps" | "blocks") => found.extend(path.get(1).and_then(|id| by_id.get(id))),
            Some("item" | "turn") => {
                let mut block = step.block;
                while let Some(number) = block {
                    if !matches!(steps[number].work, Work::Group { .. }) {
                        found.insert(number);
                    }
                    block = steps[number].block;
                }
            }
            _ => {}
        }
    }
    found
}
