//! Everything that one object can be checked for.

use flowpilot_crds::unknown_fields::nearest;
use flowpilot_crds::{GROUP, RunnerClassSpec, TenantSpec, Unsupported, VERSION, WorkflowSpec};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Document;
use super::shape::{self, KINDS};
use crate::compile::{Compiled, Context, compile, position};
use crate::problem::{Problem, Severity};

/// Documents that are no objects of a cluster.
const TEST: &str = "WorkflowTest";

/// Everything that one Workflow object can be checked for: unknown fields, shape, and the compiler.
pub fn check_workflow(object: &Value, context: &Context) -> Result<(WorkflowSpec, Compiled), Vec<Problem>> {
    let mut problems = identity(object);
    problems.extend(shape::check("Workflow", object));
    let spec: WorkflowSpec = match typed(object, &mut problems) {
        Some(spec) => spec,
        None => return Err(without_echoes(problems)),
    };
    match compile(&spec, context) {
        Ok(compiled) if problems.is_empty() => Ok((spec, compiled)),
        Ok(compiled) => Err(merged(problems, compiled.findings())),
        Err(found) => Err(merged(problems, found)),
    }
}

/// Checks an object of any of the six kinds; others are not ours to judge. `context` is what is known of the world:
/// what other objects do not offer is an error here, since whoever checks a folder wants to know before it is applied.
#[must_use]
pub fn check(document: &Document, context: &Context) -> Vec<Problem> {
    let object = &document.object;
    let group = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .and_then(|version| version.split('/').next());
    // Tests stand beside what they test; `flowpilot test` reads them.
    if document.kind == TEST {
        return Vec::new();
    }
    if group != Some(GROUP) && !KINDS.contains(&document.kind.as_str()) {
        return Vec::new();
    }
    match document.kind.as_str() {
        "Workflow" => match check_workflow(object, context) {
            Ok((_, compiled)) => {
                let missing = compiled.unresolved.iter().cloned().map(|problem| Problem {
                    severity: Severity::Error,
                    ..problem
                });
                let advice = compiled.advice.iter().cloned();
                sorted(
                    compiled
                        .warnings
                        .iter()
                        .cloned()
                        .chain(missing)
                        .chain(advice)
                        .collect(),
                )
            }
            Err(problems) => problems,
        },
        "Tenant" => with_unsupported(object, "Tenant", TenantSpec::unsupported),
        "RunnerClass" => with_unsupported(object, "RunnerClass", RunnerClassSpec::unsupported),
        "WorkflowRun" => {
            let mut problems = identity(object);
            problems.extend(shape::check("WorkflowRun", object));
            problems
        }
        // A file beside the manifests, for `flowpilot test`; never an object of a cluster.
        "WorkflowTest" => Vec::new(),
        kind @ ("Connector" | "Connection") => {
            vec![Problem::error(
                "NotSupportedYet",
                "kind",
                format!("{kind}s are not supported yet: remove the object"),
            )]
        }
        kind => {
            let message = format!("{GROUP} has no kind {kind}: there are {}", KINDS.join(", "));
            vec![Problem::error("UnknownKind", "kind", message).suggesting(nearest(kind, KINDS.into_iter()))]
        }
    }
}

fn with_unsupported<S: DeserializeOwned>(
    object: &Value,
    kind: &str,
    unsupported: impl Fn(&S) -> Vec<Unsupported>,
) -> Vec<Problem> {
    let mut problems = identity(object);
    problems.extend(shape::check(kind, object));
    if let Some(spec) = typed::<S>(object, &mut problems) {
        let found = unsupported(&spec).into_iter();
        problems.extend(found.map(|field| Problem::error("NotSupportedYet", field.path, field.message)));
    }
    problems
}

/// `apiVersion` and `metadata.name`.
fn identity(object: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let expected = format!("{GROUP}/{VERSION}");
    match object.get("apiVersion").and_then(Value::as_str) {
        Some(version) if version == expected => {}
        Some(version) => {
            let message = format!("{version} is not known: this version speaks {expected}");
            problems.push(Problem::error("UnknownVersion", "apiVersion", message).suggesting(Some(expected)));
        }
        None => problems.push(Problem::error(
            "UnknownVersion",
            "apiVersion",
            format!("write apiVersion: {expected}"),
        )),
    }
    if let Some(name) = object
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
        .and_then(Value::as_str)
    {
        let edge = |letter: Option<char>| {
            letter.is_some_and(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        };
        let inside = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let good = edge(name.chars().next()) && edge(name.chars().last()) && name.chars().all(inside);
        if !good || name.len() > 63 {
            let message = "a name has lower-case letters, digits and hyphens, at most 63, a letter or digit at both ends";
            problems.push(Problem::error("InvalidIdentifier", "metadata.name", message));
        }
    }
    problems
}

/// The spec as its type. If its shape is wrong, that was said, or is said here.
fn typed<S: DeserializeOwned>(object: &Value, problems: &mut Vec<Problem>) -> Option<S> {
    let spec = object.get("spec")?;
    match S::deserialize(spec) {
        Ok(spec) => Some(spec),
        Err(error) => {
            if problems.iter().all(|problem| problem.severity != Severity::Error) {
                problems.push(Problem::error("InvalidValue", "spec", error.to_string()));
            }
            None
        }
    }
}

/// What the compiler says about a place is said better than by the schema.
fn merged(shape: Vec<Problem>, compiled: Vec<Problem>) -> Vec<Problem> {
    let said_better = |problem: &Problem| {
        problem.code == "InvalidValue"
            && compiled
                .iter()
                .any(|better| better.path.starts_with(&problem.path) && better.severity == Severity::Error)
    };
    let mut all: Vec<Problem> = shape
        .into_iter()
        .filter(|problem| !said_better(problem))
        .collect();
    all.extend(compiled);
    sorted(without_echoes(all))
}

/// Without what follows from a field's name that is misspelt: that the right one is missing.
fn without_echoes(problems: Vec<Problem>) -> Vec<Problem> {
    let misspelt: Vec<(String, String)> = problems
        .iter()
        .filter(|problem| problem.code == "UnknownField")
        .filter_map(|problem| {
            let (parent, _) = problem.path.rsplit_once('.')?;
            Some((parent.to_owned(), problem.suggestion.clone()?))
        })
        .collect();
    let is_echo = |problem: &Problem| {
        misspelt.iter().any(|(parent, name)| match problem.code.as_str() {
            "NoKind" => problem.path == *parent,
            "InvalidValue" => {
                problem.path == *parent && problem.message == format!("`{name}` is required, and missing")
            }
            "InvalidInput" => {
                problem.path == format!("{parent}.{name}")
                    && problem.message.ends_with("is required, and missing")
            }
            _ => false,
        })
    };
    problems.into_iter().filter(|problem| !is_echo(problem)).collect()
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| position(&problem.path));
    problems
}
