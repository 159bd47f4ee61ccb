//! The shape of objects: what the API server's schema would refuse, for texts that do not pass through one.

use std::sync::OnceLock;

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
    let mut problems = unknown(kind, object);
    let Some(spec) = object.get("spec") else {
        problems.push(Problem::error("InvalidValue", "spec", "`spec` is missing"));
        return problems;
    };
    if let Some(validator) = validator(kind) {
        let found = schema::violations(validator, spec, "spec");
        problems.extend(
            found
                .into_iter()
                .map(|violation| violation.problem("InvalidValue")),
        );
    }
    problems
}

fn unknown(kind: &str, object: &Value) -> Vec<Problem> {
    let found = match kind {
        "Tenant" => flowpilot_crds::unknown_fields::unknown_fields::<Tenant>(object),
        "RunnerClass" => flowpilot_crds::unknown_fields::unknown_fields::<RunnerClass>(object),
        "Connector" => flowpilot_crds::unknown_fields::unknown_fields::<Connector>(object),
        "Connection" => flowpilot_crds::unknown_fields::unknown_fields::<Connection>(object),
        "WorkflowRun" => flowpilot_crds::unknown_fields::unknown_fields::<WorkflowRun>(object),
        _ => flowpilot_crds::unknown_fields::unknown_fields::<Workflow>(object),
    };
    let say = |field: flowpilot_crds::unknown_fields::UnknownField| {
        let name = field.path.rsplit('.').next().unwrap_or_default().to_owned();
        Problem::error(
            "UnknownField",
            field.path,
            format!("there is no field {name} here"),
        )
        .suggesting(field.suggestion)
    };
    found.into_iter().map(say).collect()
}

/// The schema of a kind's spec, made when it is first asked for: it is generated from the types.
fn validator(kind: &str) -> Option<&'static Validator> {
    static VALIDATORS: [OnceLock<Option<Validator>>; KINDS.len()] = [const { OnceLock::new() }; KINDS.len()];
    let number = KINDS.iter().position(|known| *known == kind)?;
    VALIDATORS[number].get_or_init(|| build(kind)).as_ref()
}

fn build(kind: &str) -> Option<Validator> {
    let mut definitions = flowpilot_crds::definitions().into_iter();
    let definition = definitions.find(|definition| definition.spec.names.kind == kind)?;
    let version = definition.spec.versions.into_iter().next()?;
    let schema = serde_json::to_value(version.schema?.open_api_v3_schema?).ok()?;
    let spec = schema.get("properties")?.get("spec")?;
    jsonschema::options()
        .offline()
        .should_validate_formats(false)
        .build(spec)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_that_compiles() {
        for kind in KINDS {
            assert!(validator(kind).is_some(), "{kind}");
        }
    }
}
