//! Conditions and values with expressions in them.

use flowpilot_crds::WorkflowSpec;
use serde_json::Value;

use super::Problems;
use super::reads::{Names, Place};
use crate::expression::{ParseError, Program, Text, Tree};
use crate::schema;

/// Bare CEL, such as `when`.
pub(super) fn condition(
    text: &str,
    names: &Names<'_>,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<Program> {
    let program = bare(text, place.path, problems)?;
    names.check(&program.reads(), place, problems);
    Some(program)
}

/// Bare CEL whose names are somebody else's to check.
pub(super) fn bare(text: &str, path: &str, problems: &mut Problems) -> Option<Program> {
    if text.contains("$(") {
        let message = "this is an expression by itself: write it without $( )";
        problems.error("InvalidExpression", path, message);
        return None;
    }
    match Program::parse(text) {
        Ok(program) => Some(program),
        Err(error) => {
            invalid(error, path, problems);
            None
        }
    }
}

/// A value whose texts may hold `$( … )`.
pub(super) fn tree(
    value: &Value,
    names: &Names<'_>,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<Tree> {
    let before = problems.0.len();
    texts(value, place.path, &mut |text, path| match Text::parse(text) {
        Ok(text) => names.check(&text.reads(), Place { path, ..place }, problems),
        Err(error) => invalid(error, path, problems),
    });
    match Tree::parse(value) {
        Ok(tree) => Some(tree),
        // Texts were reported above, each with its place; what is left is about the value as a whole.
        Err((pointer, error)) => {
            if !problems.0[before..]
                .iter()
                .any(|problem| problem.code == "InvalidExpression")
            {
                invalid(error, &schema::join(place.path, &pointer), problems);
            }
            None
        }
    }
}

pub(super) fn outputs(spec: &WorkflowSpec, names: &Names<'_>, problems: &mut Problems) -> Option<Tree> {
    if spec.outputs.is_empty() {
        return None;
    }
    let place = Place {
        step: None,
        path: "spec.outputs",
    };
    tree(&Value::Object(spec.outputs.clone()), names, place, problems)
}

fn invalid(error: ParseError, path: &str, problems: &mut Problems) {
    let message = format!("{} (at {})", error.message, error.offset);
    problems.suggesting("InvalidExpression", path, message, error.suggestion);
}

fn texts(value: &Value, path: &str, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(text, path),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(item, &format!("{path}[{index}]"), visit);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                texts(field, &format!("{path}.{name}"), visit);
            }
        }
        _ => {}
    }
}
