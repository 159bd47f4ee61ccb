//! What an expression may read, and what of it is certain to be there.

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::unknown_fields::nearest;

use super::certainty::{Certainty, FAILED, SUCCEEDED};
use super::graph::Graph;
use super::{Context, Problems, typed};
use crate::expression::Read;
use crate::plan::PlanInput;

/// Names that every expression of a workflow can read.
const ROOTS: [&str; 6] = ["inputs", "vars", "steps", "run", "workflow", "tenant"];
/// Names that the language has elsewhere, and what to say about them here.
const ELSEWHERE: [(&str, &str); 6] = [
    (
        "trigger",
        "a step reads inputs, so that it runs the same however the run was started",
    ),
    ("item", "it exists inside a forEach"),
    ("index", "it exists inside a forEach"),
    ("turn", "it exists inside a loop"),
    ("blocks", "it exists inside blocks"),
    ("event", "it exists in `match`"),
];
/// Fields of `steps.<id>`.
const STEP: [&str; 6] = ["output", "outcome", "error", "failures", "startedAt", "endedAt"];

/// Everything that names can mean.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) spec: &'a WorkflowSpec,
    pub(super) context: &'a Context,
    pub(super) inputs: &'a [PlanInput],
    pub(super) graph: &'a Graph,
    pub(super) certainty: &'a Certainty,
}

/// Where a read stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The step that reads; nothing in `outputs`.
    pub(super) step: Option<usize>,
    pub(super) path: &'a str,
}

impl Names<'_> {
    /// Checks what one expression or text reads.
    pub(super) fn check(&self, reads: &[Read], place: Place<'_>, problems: &mut Problems) {
        for read in reads {
            let Some(root) = read.path.first() else { continue };
            match root.as_str() {
                "inputs" => self.input(read, reads, place, problems),
                "vars" => self.variable(read, place, problems),
                "steps" => self.step(read, reads, place, problems),
                "run" => fields(read, &["id", "url", "startedAt", "attempt"], place, problems),
                "workflow" => fields(read, &["name", "revision"], place, problems),
                "tenant" => fields(read, &["name"], place, problems),
                other => {
                    let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == other);
                    let why = elsewhere.map_or(String::new(), |(_, why)| format!(": {why}"));
                    let message = format!("{other}{} is no name that can be read here{why}", at(read));
                    let like = nearest(other, ROOTS.into_iter()).filter(|_| elsewhere.is_none());
                    problems.suggesting("UnknownName", place.path, message, like);
                }
            }
        }
    }

    fn input(&self, read: &Read, all: &[Read], place: Place<'_>, problems: &mut Problems) {
        let Some(name) = read.path.get(1) else { return };
        let Some(input) = self.inputs.iter().find(|input| input.name == *name) else {
            let like = nearest(name, self.inputs.iter().map(|input| input.name.as_str()));
            let message = format!("the workflow has no input {name}{}", at(read));
            return problems.suggesting(
                "UnknownInput",
                place.path,
                message,
                like.map(|name| format!("inputs.{name}")),
            );
        };
        if !input.required && input.default.is_none() && is_plain(read, 2, all) {
            let message = format!(
                "inputs.{name}{} may be absent: it is not required and has no default",
                at(read)
            );
            let like = format!("inputs.?{name}.orValue(…)");
            problems.suggesting("MayBeAbsent", place.path, message, Some(like));
        }
        typed::check(&input.full_schema(), read, 2, place, problems);
    }

    fn variable(&self, read: &Read, place: Place<'_>, problems: &mut Problems) {
        let Some(name) = read.path.get(1) else { return };
        if self.spec.variables.contains_key(name) {
            return;
        }
        match &self.context.tenant_variables {
            Some(tenant) if tenant.contains(name) => {}
            Some(tenant) => {
                let known = tenant
                    .iter()
                    .map(String::as_str)
                    .chain(self.spec.variables.keys().map(String::as_str));
                let message = format!(
                    "neither the workflow nor the tenant has a variable {name}{}",
                    at(read)
                );
                let like = nearest(name, known).map(|name| format!("vars.{name}"));
                problems.suggesting("UnknownVariable", place.path, message, like);
            }
            None => {
                let message = format!(
                    "the workflow has no variable {name}{}: the tenant must define it",
                    at(read)
                );
                let like = nearest(name, self.spec.variables.keys().map(String::as_str));
                problems.warning("UnknownVariable", place.path, message);
                if let Some(last) = problems.0.last_mut() {
                    last.suggestion = like.map(|name| format!("vars.{name}"));
                }
            }
        }
    }

    fn step(&self, read: &Read, all: &[Read], place: Place<'_>, problems: &mut Problems) {
        let Some(id) = read.path.get(1) else {
            let message = format!("steps{} is read by a literal id: steps.<id>.output", at(read));
            return problems.error("UnknownName", place.path, message);
        };
        let steps = &self.spec.steps;
        let Some(number) = steps.iter().position(|step| step.id == *id) else {
            let message = format!("there is no step {id}{}", at(read));
            let like = nearest(id, steps.iter().map(|step| step.id.as_str()));
            return problems.suggesting(
                "UnknownStep",
                place.path,
                message,
                like.map(|id| format!("steps.{id}")),
            );
        };
        if let Some(reader) = place.step
            && !self.graph.is_ancestor(number, reader)
        {
            let own = &steps[reader].id;
            let message = if number == reader {
                format!("step {id} cannot read itself{}", at(read))
            } else {
                format!(
                    "steps.{id}{} is not an ancestor of {own}: nothing that {own} needs leads to it",
                    at(read)
                )
            };
            let like = (number != reader).then(|| format!("needs: [{id}]"));
            return problems.suggesting("NotAnAncestor", place.path, message, like);
        }
        let Some(field) = read.path.get(2) else { return };
        if !STEP.contains(&field.as_str()) {
            let message = format!(
                "steps.{id} has no field {field}{}: there are {}",
                at(read),
                STEP.join(", ")
            );
            let like = nearest(field, STEP.into_iter()).map(|field| format!("steps.{id}.{field}"));
            return problems.suggesting("UnknownName", place.path, message, like);
        }
        self.presence(read, number, all, place, problems);
        if field == "output"
            && let Some(schema) = typed::output(&steps[number])
        {
            typed::check(&schema, read, 3, place, problems);
        }
    }

    /// Whether the field is there when it is read.
    fn presence(&self, read: &Read, step: usize, all: &[Read], place: Place<'_>, problems: &mut Problems) {
        let (id, field) = (&read.path[1], read.path[2].as_str());
        let definition = &self.spec.steps[step];
        let there = match field {
            "output"
                if definition.wait.is_some() || definition.fail.is_some() || definition.stop.is_some() =>
            {
                0
            }
            "output" => SUCCEEDED,
            "error" => FAILED,
            "startedAt" => SUCCEEDED | FAILED,
            "failures" if definition.for_each.is_none() => 0,
            _ => return,
        };
        let ends = self.certainty.ends(step, place.step);
        let plain = is_plain(read, 3, all);
        let like = Some(format!("steps.{id}.?{field}"));
        if ends & there == 0 {
            let message = format!("steps.{id}.{field}{} is absent here on every path", at(read));
            if plain {
                problems.suggesting("MayBeAbsent", place.path, message, None);
            } else {
                problems.warning("MayBeAbsent", place.path, message);
            }
        } else if plain && ends & !there != 0 {
            let message = format!(
                "steps.{id}.{field}{} is not certain to be there: reading it may fail",
                at(read)
            );
            problems.warning("MayBeAbsent", place.path, message);
            if let Some(last) = problems.0.last_mut() {
                last.suggestion = like;
            }
        }
    }
}

/// The first `names` names of the path must be there, and nothing asked before whether they are.
fn is_plain(read: &Read, names: usize, all: &[Read]) -> bool {
    let covered = read.guarded && read.plain == read.path.len();
    let asked =
        |other: &Read| other.plain < names && other.path.len() >= names && read.path.starts_with(&other.path);
    let covered =
        covered || (read.guarded && all.iter().any(|other| asked(other) && other.path.len() == names));
    read.plain >= names && !covered
}

fn fields(read: &Read, known: &[&str], place: Place<'_>, problems: &mut Problems) {
    if let [root, field, ..] = read.path.as_slice()
        && !known.contains(&field.as_str())
    {
        let message = format!(
            "{root} has no field {field}{}: there are {}",
            at(read),
            known.join(", ")
        );
        let like = nearest(field, known.iter().copied()).map(|field| format!("{root}.{field}"));
        problems.suggesting("UnknownName", place.path, message, like);
    }
}

/// The place in the text.
pub(super) fn at(read: &Read) -> String {
    format!(" (at {})", read.offset)
}
