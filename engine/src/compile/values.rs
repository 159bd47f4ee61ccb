//! Conditions and values with expressions in them.

use serde_json::Value;

use super::Problems;
use super::place::{Place, View};
use super::reads::Names;
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
    match Program::parse(text) {
        Ok(program) => Some(program),
        Err(_) if text.contains("$(") => {
            let message = "this is an expression by itself: write it without $( )";
            problems.error("InvalidExpression", path, message);
            None
        }
        Err(error) => {
            invalid(error, path, problems);
            None
        }
    }
}

/// A text that may hold `$( … )`.
pub(super) fn text(text: &str, names: &Names<'_>, place: Place<'_>, problems: &mut Problems) -> Option<Tree> {
    tree(&Value::String(text.to_owned()), names, place, problems)
}

/// A value whose texts may hold `$( … )`.
pub(super) fn tree(
    value: &Value,
    names: &Names<'_>,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<Tree> {
    match Tree::parse(value) {
        Ok(tree) => {
            for (pointer, text) in tree.texts() {
                let path = schema::join(place.path, &pointer);
                names.check(
                    &text.reads(),
                    Place {
                        path: &path,
                        view: place.view,
                    },
                    problems,
                );
            }
            Some(tree)
        }
        Err((pointer, error)) => {
            // Every text, not only the first that is wrong.
            let before = problems.count();
            texts(value, place.path, &mut |text, path| match Text::parse(text) {
                Ok(text) => names.check(
                    &text.reads(),
                    Place {
                        path,
                        view: place.view,
                    },
                    problems,
                ),
                Err(error) => invalid(error, path, problems),
            });
            // What is left is about the value as a whole.
            if !problems.has_since(before, "InvalidExpression") {
                invalid(error, &schema::join(place.path, &pointer), problems);
            }
            None
        }
    }
}

pub(super) fn outputs(names: &Names<'_>, problems: &mut Problems) -> Option<Tree> {
    let outputs = &names.layout.spec.outputs;
    if outputs.is_empty() {
        return None;
    }
    let place = Place {
        view: View::Outputs,
        path: "spec.outputs",
    };
    tree(&Value::Object(outputs.clone()), names, place, problems)
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
