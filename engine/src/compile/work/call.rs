//! `workflow`: a call of another workflow, checked against what that one takes.
//!
//! What does not fit is a warning: the other workflow may be changed next, and what counts is its revision at the call.

use flowpilot_crds::workflow::WorkflowCall;
use serde_json::{Map, Value};

use super::Field;
use crate::compile::names::{listed, nearest_of};
use crate::compile::reads::Names;
use crate::compile::{Problems, shapes};
use crate::plan::{PlanInput, Work};

pub(super) fn compile(
    call: &WorkflowCall,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Work> {
    check_name(&call.name, &field.path("workflow.name"), problems);
    if let Some(workflows) = &names.context.workflows {
        let known = || workflows.keys().map(String::as_str);
        if let Some(interface) = workflows.get(&call.name) {
            let path = field.path("workflow.inputs");
            let mut found = Problems::default();
            inputs(&interface.inputs, &call.inputs, &path, &call.name, &mut found);
            problems.as_warnings(found);
        } else {
            let there = listed(&call.name, known(), "there are", "there are none");
            let message = format!("there is no workflow {}: {there}", call.name);
            let like = nearest_of(&call.name, known());
            problems.unresolved("UnknownWorkflow", field.path("workflow.name"), message, like);
        }
    }
    Some(Work::Workflow {
        name: call.name.clone(),
        inputs: field.map(&call.inputs, "workflow.inputs", names, problems)?,
        waits: call.await_.unwrap_or(true),
    })
}

fn check_name(name: &str, path: &str, problems: &mut Problems) {
    let edge = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    let inside = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let good = edge(name.chars().next()) && edge(name.chars().last()) && name.chars().all(inside);
    if !good || name.len() > 63 {
        let message = format!(
            "`{}` is no name of a workflow: it is literal, with lower-case letters, digits and hyphens",
            name.chars().take(80).collect::<String>()
        );
        problems.error("InvalidValue", path, message);
    }
}

/// Checks inputs that a call or a trigger maps: declared, of the right type, and none missing.
pub(in crate::compile) fn inputs(
    declared: &[PlanInput],
    given: &Map<String, Value>,
    path: &str,
    whose: &str,
    problems: &mut Problems,
) {
    let known = || declared.iter().map(|input| input.name.as_str());
    for (name, value) in given {
        let path = format!("{path}.{name}");
        let Some(input) = declared.iter().find(|input| input.name == *name) else {
            let there = listed(name, known(), "there are", "it declares none");
            let message = format!("{whose} has no input {name}: {there}");
            problems.suggesting("UnknownInput", path, message, nearest_of(name, known()));
            continue;
        };
        // null for an optional input means that it is not given.
        if value.is_null() && !input.required {
            continue;
        }
        shapes::check(&input.full_schema(), value, &path, problems);
    }
    for input in declared {
        if input.required && !given.contains_key(&input.name) {
            let message = format!("{whose} requires the input {}, and it is not given", input.name);
            problems.error("MissingInput", path, message);
        }
    }
}
