//! Types of everything that expressions can name, found in the order in which a run would compute it.
//!
//! Each expression is checked against what is known where it stands: inputs, variables, schemas of actions, what
//! `set` computes, carried values, items. What nothing is known of is `dyn`, and is never complained about.

use std::collections::HashMap;

use serde_json::Value;

use super::Problems;
use super::kinds::Kind;
use super::place::{Spot, View};
use super::reads::Names;
use crate::expression::types::{ProblemKind, Type, TypeProblem};
use crate::expression::{Program, Tree};
use crate::plan::{PlanConcurrency, PlanStep, PlanTrigger};

mod blocks;
mod environment;
mod expected;
mod outputs;
mod scope;
mod step;

pub(super) use environment::Known;
pub(super) use scope::{Readable, outline, readable};

/// What has been compiled, and is checked here.
pub(super) struct Checked<'a> {
    pub(super) steps: &'a [Option<PlanStep>],
    pub(super) triggers: &'a [PlanTrigger],
    pub(super) concurrency: Option<&'a PlanConcurrency>,
    pub(super) outputs: Option<&'a Tree>,
}

/// Checks the types of everything, and gives what it found.
pub(super) fn check(names: &Names<'_>, checked: &Checked<'_>, problems: &mut Problems) -> Known {
    let mut walk = Checker {
        names,
        known: Known::of(names),
        schemas: HashMap::new(),
        problems,
    };
    walk.steps(checked.steps);
    if let Some(outputs) = checked.outputs {
        walk.tree(outputs, View::Outputs, "spec.outputs");
    }
    for (number, trigger) in checked.triggers.iter().enumerate() {
        walk.trigger(trigger, number);
    }
    if let Some(concurrency) = checked.concurrency {
        walk.tree(&concurrency.key, View::Concurrency, "spec.concurrency.key");
    }
    walk.known
}

/// The walk over all expressions.
struct Checker<'a, 'n> {
    names: &'a Names<'n>,
    known: Known,
    /// Output types of actions, by name.
    schemas: HashMap<String, Type>,
    problems: &'a mut Problems,
}

impl Checker<'_, '_> {
    /// Checks every text of a value; the type of the whole.
    fn tree(&mut self, tree: &Tree, view: View, path: &str) -> Type {
        let environment = self.known.seen_from(view, self.names);
        let (type_, found) = tree.check(&environment);
        for (pointer, problem) in found {
            let path = crate::schema::join(path, &pointer);
            report(&problem, &path, self.problems);
        }
        type_
    }

    /// Checks a condition, which must be a bool.
    fn condition(&mut self, program: &Program, view: View, path: &str) {
        let environment = self.known.seen_from(view, self.names);
        let (type_, found) = program.check(&environment);
        for problem in found {
            report(&problem, path, self.problems);
        }
        if !expected::may_be(&type_, &|one| *one == Type::Bool) {
            let message = format!("a condition gives true or false, and this one gives {type_}");
            self.problems.error("WrongType", path, message);
        }
    }

    fn trigger(&mut self, trigger: &PlanTrigger, number: usize) {
        let path = format!("spec.triggers[{number}]");
        let inputs = format!("{path}.inputs");
        self.tree(&trigger.inputs, View::Trigger, &inputs);
        let declared: Vec<(&str, Value)> = self
            .names
            .inputs
            .iter()
            .map(|input| (input.name.as_str(), input.full_schema()))
            .collect();
        self.given(&trigger.inputs, View::Trigger, &inputs, &|name| {
            let known = declared.iter().find(|(known, _)| *known == name);
            known.map(|(_, schema)| schema)
        });
        if let Some(key) = &trigger.dedupe_key {
            self.tree(key, View::Trigger, &format!("{path}.webhook.dedupeKey"));
        }
        if let Some(matches) = &trigger.matches {
            self.condition(matches, View::TriggerMatch, &format!("{path}.event.match"));
        }
    }

    /// Checks lone expressions of a map whose fields have schemas of their own.
    fn given<'s>(&mut self, tree: &Tree, view: View, path: &str, schema: &dyn Fn(&str) -> Option<&'s Value>) {
        let environment = self.known.seen_from(view, self.names);
        for (pointer, text) in tree.texts() {
            let name = pointer.split('/').nth(1).unwrap_or_default();
            let Some(schema) = schema(name) else { continue };
            let below = pointer.get(name.len() + 1..).unwrap_or_default();
            expected::lone(
                text,
                below,
                schema,
                &environment,
                &crate::schema::join(path, &pointer),
                self.problems,
            );
        }
    }

    /// Checks lone expressions of a value that one schema describes.
    fn fits(&mut self, tree: &Tree, view: View, path: &str, schema: &Value) {
        let environment = self.known.seen_from(view, self.names);
        for (pointer, text) in tree.texts() {
            let path = crate::schema::join(path, &pointer);
            expected::lone(text, &pointer, schema, &environment, &path, self.problems);
        }
    }
}

fn report(problem: &TypeProblem, path: &str, problems: &mut Problems) {
    let code = match problem.kind {
        ProblemKind::UnknownField => "UnknownField",
        ProblemKind::NeverThere => "MayBeAbsent",
        ProblemKind::WrongType => "WrongType",
    };
    let like = match &problem.suggestion {
        Some(like) if !problem.message.contains(like.as_str()) => format!(": there is {like}"),
        _ => String::new(),
    };
    let (spot, message) = (
        Spot::new(path, problem.position),
        format!("{}{like}", problem.message),
    );
    let like = problem.suggestion.clone();
    if problem.kind == ProblemKind::NeverThere {
        problems.warning_suggesting(code, spot, message, like);
    } else {
        problems.suggesting(code, spot, message, like);
    }
}

/// Whether a step is a block of this kind.
fn is(names: &Names<'_>, step: usize, kind: Kind) -> bool {
    names.layout.kind(step) == Some(kind)
}
