//! From a spec to a plan, with everything that one manifest can be checked for.
//!
//! ```text
//! spec ──► inputs, variables ─┐
//!      ──► needs ──► graph ───┼──► reads of every expression ──► plan
//!      ──► kinds, actions ────┘
//! ```
//!
//! Nothing stops at the first problem: each part reports what it finds and goes on with what is left. What other
//! objects decide (a tenant's variables) is a warning, so that a folder can be applied in any order.

use std::collections::{BTreeMap, BTreeSet};

use flowpilot_crds::WorkflowSpec;

use crate::plan::{PLAN_VERSION, Plan, PlanAction, PlanStep};
use crate::problem::{Problem, Severity};
use crate::size::json_size;

mod action;
mod certainty;
mod excuses;
mod graph;
mod identifiers;
mod inputs;
mod kinds;
mod limits;
mod needs;
mod outcomes;
mod reads;
mod steps;
mod typed;
mod unsupported;
mod values;

#[cfg(test)]
mod tests;

/// Steps of one workflow.
pub const STEPS: usize = 500;
/// A spec in bytes of JSON.
pub const SPEC_BYTES: usize = 512 * 1024;
/// Problems that one answer lists: admission answers must stay readable, and small.
pub const PROBLEMS: usize = 200;
/// The timeout of a run that names none: 30 days.
const RUN_TIMEOUT_MS: u64 = 30 * 24 * 3_600_000;

/// A plan, and what somebody should look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// What runs.
    pub plan: Plan,
    /// Findings that reject nothing.
    pub warnings: Vec<Problem>,
}

/// What is known of the world outside the manifest.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Names of the variables that the tenant defines; unknown here if absent, so that `vars.x` only warns.
    pub tenant_variables: Option<BTreeSet<String>>,
}

/// Compiles a spec. Every problem at once, errors and warnings, in the order of the manifest.
pub fn compile(spec: &WorkflowSpec, context: &Context) -> Result<Compiled, Vec<Problem>> {
    let mut problems = Problems::default();
    if json_size(spec) > SPEC_BYTES {
        let message = format!("the spec is larger than {SPEC_BYTES} bytes: split it into several workflows");
        return Err(vec![Problem::error("LimitExceeded", "spec", message)]);
    }
    limits::steps(spec, &mut problems);
    unsupported::workflow(spec, &mut problems);
    let inputs = inputs::compile(spec, &mut problems);
    inputs::variables(spec, &mut problems);
    let timeout = spec.timeout.as_deref();
    let timeout = timeout.and_then(|text| limits::duration(text, "spec.timeout", &mut problems));
    identifiers::steps(spec, &mut problems);
    let needs = needs::compile(spec, &mut problems);
    let graph = graph::Graph::build(spec, &needs, &mut problems);
    let certainty = certainty::Certainty::build(spec, &needs, &graph, &mut problems);
    let names = reads::Names {
        spec,
        context,
        inputs: &inputs,
        graph: &graph,
        certainty: &certainty,
    };
    let steps = steps::compile(spec, needs, &names, &mut problems);
    let outputs = values::outputs(spec, &names, &mut problems);
    let (errors, warnings) = problems.sorted();
    match steps {
        Some(steps) if errors.is_empty() => {
            let variables = spec.variables.clone();
            let timeout_ms = timeout.unwrap_or(RUN_TIMEOUT_MS);
            let index = crate::plan::Index::default();
            let actions = actions(&steps);
            let plan = Plan {
                version: PLAN_VERSION,
                inputs,
                variables,
                triggers: Vec::new(),
                concurrency: None,
                actions,
                steps,
                outputs,
                timeout_ms,
                index,
            };
            Ok(Compiled { plan, warnings })
        }
        _ => {
            let mut all = errors;
            all.extend(warnings);
            all.sort_by_key(|problem| position(&problem.path));
            all.truncate(PROBLEMS);
            Err(all)
        }
    }
}

/// What the actions of the steps declare.
fn actions(steps: &[PlanStep]) -> BTreeMap<String, PlanAction> {
    let names = steps.iter().filter_map(PlanStep::action);
    let known = names.filter_map(crate::action::find);
    let pinned = known.map(|action| {
        let declared = PlanAction {
            effect: action.effect,
            idempotency_key: action.idempotency_key,
            input: action.input.clone(),
            output: action.output.clone(),
            templates: BTreeMap::new(),
        };
        (action.name.to_owned(), declared)
    });
    pinned.collect()
}

/// What was found so far.
#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn error(&mut self, code: &str, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::error(code, path, message));
    }

    fn suggesting(
        &mut self,
        code: &str,
        path: impl Into<String>,
        message: impl Into<String>,
        like: Option<String>,
    ) {
        self.0.push(Problem::error(code, path, message).suggesting(like));
    }

    fn warning(&mut self, code: &str, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::warning(code, path, message));
    }

    fn sorted(mut self) -> (Vec<Problem>, Vec<Problem>) {
        self.0.sort_by_key(|problem| position(&problem.path));
        self.0.dedup();
        self.0
            .into_iter()
            .partition(|problem| problem.severity == Severity::Error)
    }
}

/// Where a path stands in a manifest: part of the spec, then number of the entry.
pub(crate) fn position(path: &str) -> (usize, usize) {
    const PARTS: [&str; 9] = [
        "title",
        "description",
        "inputs",
        "variables",
        "triggers",
        "concurrency",
        "timeout",
        "steps",
        "outputs",
    ];
    let inner = path.strip_prefix("spec.").unwrap_or(path);
    let end = inner.find(['.', '[']).unwrap_or(inner.len());
    let part = PARTS.iter().position(|part| *part == &inner[..end]).unwrap_or(0);
    let number = inner[end..]
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next()?.parse().ok());
    (part, number.unwrap_or(0))
}
