//! The shape of objects: what the API server's schema would refuse, for texts that do not pass through one.

use std::sync::OnceLock;

use flowpilot_crds::unknown_fields::{UnknownField, schema_of, unknown_to};
use flowpilot_crds::{Connection, Connector, RunnerClass, Tenant, Workflow, WorkflowRun};
use jsonschema::Validator;
use serde_json::Value;

use crate::problem::Problem;
use crate::schema;

/// Kinds of the group.
pub(super) const KINDS: [&str; 6] = [
    "Tenant",
    "RunnerClass",
    "Connector",
    "Connection",
    "Workflow",
    "WorkflowRun",
];

/// Unknown fields, wrong types, lengths, patterns and ranges of an object's spec.
pub(super) fn check(kind: &str, object: &Value) -> Vec<Problem> {
    let Some(shape) = shape(kind) else {
        return Vec::new();
    };
    let found = unknown_to(&shape.schema, object).into_iter();
    let mut problems: Vec<Problem> = found.map(|field| unknown(field, &shape.schema)).collect();
    let Some(spec) = object.get("spec") else {
        problems.push(Problem::error("InvalidValue", "spec", "`spec` is missing"));
        return problems;
    };
    if let Some(validator) = &shape.validator {
        let found = schema::violations(validator, spec, "spec");
        problems.extend(
            found
                .into_iter()
                .map(|violation| duration_without_unit(violation.problem("InvalidValue"), spec)),
        );
    }
    problems
}

/// A bare number where a duration is asked for.
fn duration_without_unit(problem: Problem, spec: &Value) -> Problem {
    const DURATIONS: [&str; 9] = [
        "timeout",
        "backoff",
        "maxBackoff",
        "duration",
        "delay",
        "ttl",
        "within",
        "retention",
        "gracePeriod",
    ];
    let name = problem.path.rsplit('.').next().unwrap_or_default();
    let pointer = problem.pointer();
    let number = pointer
        .strip_prefix("/spec")
        .and_then(|below| spec.pointer(below))
        .and_then(Value::as_u64);
    match number {
        Some(number) if DURATIONS.contains(&name) => Problem {
            message: format!("a duration has a unit, such as {number}s"),
            suggestion: Some(format!("{number}s")),
            ..problem
        },
        _ => problem,
    }
}

fn unknown(field: UnknownField, schema: &Value) -> Problem {
    let (parent, name) = field.path.rsplit_once('.').unwrap_or(("", &field.path));
    let there = known(schema, parent).unwrap_or_default();
    let message = match &field.suggestion {
        Some(near) => format!("there is no field {name} here, but {near}"),
        None if there.is_empty() => format!("there is no field {name} here"),
        None => format!("there is no field {name} here: there are {}", there.join(", ")),
    };
    Problem::error("UnknownField", field.path, message).suggesting(field.suggestion)
}

/// The fields that a schema has at a path.
fn known(schema: &Value, path: &str) -> Option<Vec<String>> {
    let mut schema = schema;
    for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
        schema = match part.strip_suffix(']') {
            Some(_) => schema.get("items")?,
            None => schema
                .get("properties")
                .and_then(|known| known.get(part))
                .or_else(|| schema.get("additionalProperties"))?,
        };
    }
    let names = schema.get("properties")?.as_object()?.keys();
    Some(names.cloned().collect())
}

/// What is known of the objects of a kind.
struct Shape {
    schema: Value,
    /// Of the spec.
    validator: Option<Validator>,
}

/// Made when it is first asked for: it is generated from the types.
fn shape(kind: &str) -> Option<&'static Shape> {
    static SHAPES: [OnceLock<Shape>; KINDS.len()] = [const { OnceLock::new() }; KINDS.len()];
    let number = KINDS.iter().position(|known| *known == kind)?;
    Some(SHAPES[number].get_or_init(|| build(kind)))
}

fn build(kind: &str) -> Shape {
    let schema = match kind {
        "Tenant" => schema_of::<Tenant>(),
        "RunnerClass" => schema_of::<RunnerClass>(),
        "Connector" => schema_of::<Connector>(),
        "Connection" => schema_of::<Connection>(),
        "WorkflowRun" => schema_of::<WorkflowRun>(),
        _ => schema_of::<Workflow>(),
    };
    let validator = jsonschema::options()
        .offline()
        .should_validate_formats(false)
        .build(&schema["properties"]["spec"])
        .ok();
    Shape { schema, validator }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_that_compiles() {
        for kind in KINDS {
            assert!(
                shape(kind).is_some_and(|shape| shape.validator.is_some()),
                "{kind}"
            );
        }
    }
}
