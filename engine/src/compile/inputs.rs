//! Inputs and variables.

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::workflow::Input;
use serde_json::Value;

use super::{Problems, identifiers};
use crate::plan::PlanInput;
use crate::schema;

pub(super) fn compile(spec: &WorkflowSpec, problems: &mut Problems) -> Vec<PlanInput> {
    let names = spec.inputs.iter().map(|input| input.name.as_str());
    identifiers::list(
        "DuplicateName",
        names,
        |number| format!("spec.inputs[{number}].name"),
        problems,
    );
    spec.inputs
        .iter()
        .enumerate()
        .map(|(number, input)| one(input, number, problems))
        .collect()
}

fn one(input: &Input, number: usize, problems: &mut Problems) -> PlanInput {
    let path = format!("spec.inputs[{number}]");
    let mut plan = PlanInput {
        name: input.name.clone(),
        type_: input.type_,
        title: input.title.clone(),
        description: input.description.clone(),
        required: input.required.unwrap_or(false),
        default: None,
        schema: input.schema.clone(),
    };
    let usable = check_schema(&plan, &path, problems);
    if let Some(default) = &input.default {
        let path = format!("{path}.default");
        literal(default, &path, problems);
        if plan.required {
            problems.error(
                "FieldNotAllowed",
                &path,
                "a required input has no default: remove one of the two",
            );
        } else if usable {
            match plan.check(default, &path) {
                Ok(value) => plan.default = Some(value),
                Err(found) => problems.extend(found),
            }
        }
    }
    plan
}

/// Whether values can be checked against the input's schema.
fn check_schema(plan: &PlanInput, path: &str, problems: &mut Problems) -> bool {
    let Some(schema) = &plan.schema else { return true };
    let path = format!("{path}.schema");
    if !schema.is_object() {
        problems.error("InvalidSchema", path, "a schema is a map");
        return false;
    }
    if let Some(named) = schema.get("type").and_then(Value::as_str)
        && named != plan.type_.as_str()
    {
        let message = format!(
            "the schema says {named}, the input's type {}",
            plan.type_.as_str()
        );
        problems.error("InvalidSchema", format!("{path}.type"), message);
        return false;
    }
    match schema::compile(&plan.full_schema()) {
        Ok(_) => true,
        Err(why) => {
            problems.error("InvalidSchema", path, why);
            false
        }
    }
}

pub(super) fn variables(spec: &WorkflowSpec, problems: &mut Problems) {
    for (name, value) in &spec.variables {
        let path = format!("spec.variables.{name}");
        identifiers::check(name, &path, problems);
        literal(value, &path, problems);
    }
}

/// Values that nothing evaluates must not look as if something did.
fn literal(value: &Value, path: &str, problems: &mut Problems) {
    match value {
        Value::String(text) if text.contains("$(") => {
            problems.error(
                "NotLiteral",
                path,
                "this value is literal: compute it in a `set` step instead of $( )",
            );
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                literal(item, &format!("{path}[{index}]"), problems);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                literal(field, &format!("{path}.{name}"), problems);
            }
        }
        _ => {}
    }
}
