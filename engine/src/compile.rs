//! From a spec to a plan, with everything that one manifest can be checked for.
//!
//! ```text
//! spec ──► inputs, variables ──────────────┐
//!      ──► layout (blocks) ──► needs ──► graph ──► certainty ──► reads of every expression ──► plan
//!      ──► kinds, actions ─────────────────┘
//! ```
//!
//! Nothing stops at the first problem: each part reports what it finds and goes on with what is left. What other
//! objects decide (a tenant's variables, an action of a connector, a called workflow, a connection) is apart in
//! [`Compiled::unresolved`], so that a folder can be applied in any order.

use flowpilot_crds::WorkflowSpec;

use crate::plan::{PLAN_VERSION, Plan, PlanStep};
use crate::problem::{Problem, Severity};
use crate::size::json_size;

mod advice;
mod blocks;
mod certainty;
mod context;
mod cron;
mod excuses;
mod explain;
mod graph;
mod identifiers;
mod inputs;
mod kinds;
mod layout;
mod limits;
mod names;
mod needs;
mod outcomes;
mod place;
mod policies;
mod presence;
mod reads;
mod shapes;
mod steps;
mod templates;
mod triggers;
mod types;
mod unsupported;
mod values;
mod work;

#[cfg(test)]
mod tests;

pub use context::{Context, Support, WorkflowInterface};
pub use explain::{Attempts, Called, Explanation, Limit, Link, Name, Scope, StepPlace, explain, places};

/// Steps of one workflow.
pub const STEPS: usize = 500;
/// A spec in bytes of JSON.
pub const SPEC_BYTES: usize = 512 * 1024;
/// Problems that one answer lists: admission answers must stay readable, and small.
pub const PROBLEMS: usize = 200;
/// The timeout of a run that names none: 30 days.
pub(crate) const RUN_TIMEOUT_MS: u64 = 30 * 24 * 3_600_000;

/// A plan, and what somebody should look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// What runs.
    pub plan: Plan,
    /// Findings that reject nothing.
    pub warnings: Vec<Problem>,
    /// What depends on other objects that are not there, or not yet: a warning when the workflow is applied, and it is
    /// not ready until they are.
    pub unresolved: Vec<Problem>,
    /// What whoever writes it may want to know; nobody else.
    pub advice: Vec<Problem>,
}

impl Compiled {
    /// Everything that rejects nothing, without advice, in the order of the manifest.
    #[must_use]
    pub fn findings(&self) -> Vec<Problem> {
        let mut all: Vec<Problem> = self.warnings.iter().chain(&self.unresolved).cloned().collect();
        all.sort_by_key(|problem| position(&problem.path));
        all
    }
}

/// Compiles a spec. Every problem at once, errors and warnings, in the order of the manifest.
pub fn compile(spec: &WorkflowSpec, context: &Context) -> Result<Compiled, Vec<Problem>> {
    let mut problems = Problems::default();
    if json_size(spec) > SPEC_BYTES {
        let message = format!("the spec is larger than {SPEC_BYTES} bytes: split it into several workflows");
        return Err(vec![Problem::error("LimitExceeded", "spec", message)]);
    }
    let plan = plan(spec, context, &mut problems, |_| {});
    let Problems {
        found,
        unresolved,
        advice,
    } = problems;
    let (errors, warnings) = sorted(found);
    let (_, unresolved) = sorted(unresolved);
    match plan {
        Some(plan) if errors.is_empty() => Ok(Compiled {
            plan,
            warnings,
            unresolved,
            advice,
        }),
        _ => {
            let mut all = errors;
            all.extend(warnings);
            all.extend(unresolved);
            all.sort_by_key(|problem| position(&problem.path));
            all.truncate(PROBLEMS);
            Err(all)
        }
    }
}

/// What the compiler knows of a workflow, whether or not it is right.
struct Knowledge<'a> {
    names: &'a reads::Names<'a>,
    types: &'a types::Known,
    steps: &'a [Option<PlanStep>],
}

/// The plan, if all of it is right; `look` is shown what there is in any case.
fn plan(
    spec: &WorkflowSpec,
    context: &Context,
    problems: &mut Problems,
    look: impl FnOnce(&Knowledge<'_>),
) -> Option<Plan> {
    limits::steps(spec, problems);
    unsupported::check(spec, context.support, problems);
    let inputs = inputs::compile(spec, problems);
    inputs::variables(spec, problems);
    let timeout = spec.timeout.as_deref();
    let timeout = timeout.and_then(|text| limits::duration(text, "spec.timeout", problems));
    identifiers::steps(spec, problems);
    let layout = layout::Layout::build(spec, problems);
    let needs = needs::compile(&layout, problems);
    let graph = graph::Graph::build(&layout, &needs, problems);
    advice::keys(&layout, problems);
    advice::clean_up(&layout, &needs, &graph, problems);
    let certainty = certainty::Certainty::build(&layout, &needs, &graph, problems);
    let mut declared = |uses: Option<&String>, number: usize, field: &str| {
        let path = format!("spec.steps[{number}].{field}");
        work::action::declared(uses?, &path, context, problems)
    };
    let steps = spec.steps.iter().enumerate();
    let actions: Vec<_> = steps
        .clone()
        .map(|(number, step)| declared(step.uses.as_ref(), number, "uses"))
        .collect();
    let undo_actions: Vec<_> = steps
        .map(|(number, step)| declared(step.undo.as_ref().map(|undo| &undo.uses), number, "undo.uses"))
        .collect();
    let read = std::cell::RefCell::new(vec![false; spec.steps.len()]);
    let names = reads::Names {
        layout: &layout,
        context,
        inputs: &inputs,
        graph: &graph,
        certainty: &certainty,
        actions: &actions,
        undo_actions: &undo_actions,
        read: &read,
    };
    let steps = steps::compile(needs, &names, problems);
    let triggers = triggers::compile(&names, problems);
    let concurrency = triggers::concurrency(&names, problems);
    let outputs = values::outputs(&names, problems);
    let checked = types::Checked {
        steps: &steps,
        triggers: triggers.as_deref().unwrap_or_default(),
        concurrency: concurrency.as_ref().and_then(Option::as_ref),
        outputs: outputs.as_ref(),
    };
    let types = types::check(&names, &checked, problems);
    look(&Knowledge {
        names: &names,
        types: &types,
        steps: &steps,
    });
    advice::habits(&names, &mut problems.advice);
    let actions = steps::actions(&names);
    let steps: Option<Vec<_>> = steps.into_iter().collect();
    Some(Plan {
        version: PLAN_VERSION,
        variables: spec.variables.clone(),
        triggers: triggers?,
        concurrency: concurrency?,
        actions,
        steps: steps?,
        outputs,
        timeout_ms: timeout.unwrap_or(RUN_TIMEOUT_MS),
        index: crate::plan::Index::default(),
        inputs,
    })
}

/// What was found so far.
#[derive(Debug, Default)]
struct Problems {
    found: Vec<Problem>,
    unresolved: Vec<Problem>,
    advice: Vec<Problem>,
}

impl Problems {
    fn error(&mut self, code: &str, path: impl Into<String>, message: impl Into<String>) {
        self.found.push(Problem::error(code, path, message));
    }

    fn suggesting(
        &mut self,
        code: &str,
        path: impl Into<String>,
        message: impl Into<String>,
        like: Option<String>,
    ) {
        self.found
            .push(Problem::error(code, path, message).suggesting(like));
    }

    fn warning(&mut self, code: &str, path: impl Into<String>, message: impl Into<String>) {
        self.found.push(Problem::warning(code, path, message));
    }

    fn warning_suggesting(
        &mut self,
        code: &str,
        path: impl Into<String>,
        message: impl Into<String>,
        like: Option<String>,
    ) {
        self.found
            .push(Problem::warning(code, path, message).suggesting(like));
    }

    /// Something that another object decides.
    fn unresolved(&mut self, code: &str, path: &str, message: impl Into<String>, like: Option<String>) {
        self.unresolved
            .push(Problem::warning(code, path, message).suggesting(like));
    }

    /// What another object decides does not reject.
    fn as_warnings(&mut self, found: Problems) {
        self.found.extend(found.found.into_iter().map(|problem| Problem {
            severity: Severity::Warning,
            ..problem
        }));
    }

    /// The same for all but the first `before` findings.
    fn soften_since(&mut self, before: usize) {
        for problem in &mut self.found[before..] {
            problem.severity = Severity::Warning;
        }
    }

    fn extend(&mut self, found: Vec<Problem>) {
        self.found.extend(found);
    }

    fn count(&self) -> usize {
        self.found.len()
    }
}

/// Errors and warnings, each in the order of the manifest.
fn sorted(mut found: Vec<Problem>) -> (Vec<Problem>, Vec<Problem>) {
    found.sort_by_key(|problem| position(&problem.path));
    found.dedup();
    found
        .into_iter()
        .partition(|problem| problem.severity == Severity::Error)
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
