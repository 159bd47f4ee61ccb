//! Conditions and values with expressions in them.

use serde_json::Value;

use super::place::{Place, Spot, View};
use super::reads::Names;
use super::{Problems, templates};
use crate::expression::{ParseError, Program, Tree};
use crate::schema;
use crate::template::{Targets, With};

/// Bare CEL, such as `when`.
pub(super) fn condition(
    text: &str,
    names: &Names<'_>,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<Program> {
    let program = bare(text, place.path, problems)?;
    names.check(&program.reads(), place, problems);
    names.check_outcomes(&program, 0, place, problems);
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
            invalid("InvalidExpression", error, path, problems);
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
            check_names(&tree, names, place, problems);
            Some(tree)
        }
        Err((pointer, error)) => {
            each_wrong(value, None, place.path, (pointer, error), problems);
            None
        }
    }
}

/// Input of an action: the same, and templates stand for texts.
pub(super) fn with(
    value: &Value,
    targets: &Targets,
    names: &Names<'_>,
    place: Place<'_>,
    problems: &mut Problems,
) -> Option<With> {
    match With::parse(value, targets.clone()) {
        Ok(with) => {
            check_names(&with, names, place, problems);
            Some(with)
        }
        Err((pointer, error)) => {
            each_wrong(value, Some(targets), place.path, (pointer, error), problems);
            None
        }
    }
}

fn check_names(tree: &Tree, names: &Names<'_>, place: Place<'_>, problems: &mut Problems) {
    for (pointer, text) in tree.texts() {
        let path = schema::join(place.path, &pointer);
        let view = place.view;
        let place = Place { view, path: &path };
        names.check(&text.reads(), place, problems);
        for (base, program) in text.programs() {
            names.check_outcomes(program, base, place, problems);
        }
    }
}

/// Every text that is wrong, not only the first.
fn each_wrong(
    value: &Value,
    targets: Option<&Targets>,
    path: &str,
    first: (String, ParseError),
    problems: &mut Problems,
) {
    let before = problems.count();
    leaves(value, targets.is_some(), path, &mut |leaf, path| {
        let (code, parsed) = match targets {
            Some(targets) if leaf.is_object() => {
                ("InvalidTemplate", Tree::parse_with_templates(leaf, targets))
            }
            _ => ("InvalidExpression", Tree::parse(leaf)),
        };
        if let Err((pointer, error)) = parsed {
            invalid(code, error, &schema::join(path, &pointer), problems);
        }
    });
    // What is left is about the value as a whole.
    if problems.count() == before {
        let (pointer, error) = first;
        invalid(
            "InvalidExpression",
            error,
            &schema::join(path, &pointer),
            problems,
        );
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

fn invalid(code: &str, error: ParseError, path: &str, problems: &mut Problems) {
    problems.suggesting(
        code,
        Spot::new(path, error.offset),
        error.message,
        error.suggestion,
    );
}

/// Texts, and templates where they stand for texts.
fn leaves(value: &Value, with_templates: bool, path: &str, visit: &mut dyn FnMut(&Value, &str)) {
    match value {
        Value::String(_) => visit(value, path),
        Value::Object(_) if with_templates && templates::of(value).is_some() => visit(value, path),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, with_templates, &format!("{path}[{index}]"), visit);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                leaves(field, with_templates, &format!("{path}.{name}"), visit);
            }
        }
        _ => {}
    }
}
