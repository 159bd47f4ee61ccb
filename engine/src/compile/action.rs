//! `uses`: the action exists, and what is literal in `with` fits its schema.

use flowpilot_crds::unknown_fields::nearest;
use serde_json::{Map, Value};

use super::reads::{Names, Place};
use super::{Problems, values};
use crate::action::{self, Action};
use crate::expression::Text;
use crate::plan::Work;
use crate::schema::{self, Violation};

/// Families of built-in actions: an unknown one of them will never exist.
const BUILT_IN: [&str; 2] = ["core/", "ai/"];

pub(super) fn compile(
    uses: &str,
    with: &Map<String, Value>,
    step: usize,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Work> {
    let path = format!("spec.steps[{step}].with");
    let source = Value::Object(with.clone());
    let tree = values::tree(
        &source,
        names,
        Place {
            step: Some(step),
            path: &path,
        },
        problems,
    );
    let Some(action) = action::find(uses) else {
        unknown(uses, &format!("spec.steps[{step}].uses"), problems);
        return None;
    };
    literals(action, &source, &path, problems);
    if action.name == "core/table@1" {
        table(with, &path, problems);
    }
    Some(Work::Uses {
        action: action.name.to_owned(),
        connection: None,
        with: tree?,
        effect: action.effect_of(with),
        idempotency_key: action.idempotency_key,
    })
}

fn unknown(uses: &str, path: &str, problems: &mut Problems) {
    let names: Vec<&str> = action::built_in().iter().map(|action| action.name).collect();
    let is_family = BUILT_IN.iter().any(|family| uses.starts_with(family));
    let like = nearest(uses, names.iter().copied());
    if is_family || like.is_some() || !uses.contains('/') {
        let message = format!("there is no action {uses}: there are {}", names.join(", "));
        problems.suggesting("UnknownAction", path, message, like);
    } else {
        let message = format!(
            "actions of connectors are not supported yet: {uses} is none of {}",
            names.join(", ")
        );
        problems.error("NotSupportedYet", path, message);
    }
}

/// Reports what no evaluation can make right.
fn literals(action: &Action, with: &Value, path: &str, problems: &mut Problems) {
    let Some(validator) = action::input_validator(action) else {
        return;
    };
    let mut computed = Vec::new();
    gather(with, String::new(), &mut computed);
    for violation in schema::violations(validator, with, path) {
        if is_certain(&violation, &computed) {
            let like = violation
                .unknown
                .as_deref()
                .and_then(|name| suggestion(action, &violation.pointer, name));
            problems
                .0
                .push(violation.problem("InvalidInput").suggesting(like));
        }
    }
}

/// Where an expression stands, and whether it is alone: then its value may be of any type.
struct Computed {
    pointer: String,
    lone: bool,
}

fn gather(value: &Value, pointer: String, found: &mut Vec<Computed>) {
    match value {
        Value::String(source) => {
            if let Ok(text) = Text::parse(source)
                && !text.is_literal()
            {
                let programs = text.programs();
                let length = programs
                    .iter()
                    .map(|(_, program)| program.source().len() + 3)
                    .sum::<usize>();
                found.push(Computed {
                    pointer,
                    lone: programs.len() == 1 && length == source.trim().len(),
                });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                gather(
                    field,
                    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        _ => {}
    }
}

fn is_certain(violation: &Violation, computed: &[Computed]) -> bool {
    /// These look at the value as a whole: with one part unknown they say nothing.
    const WHOLE: [&str; 8] = [
        "anyOf",
        "oneOf",
        "not",
        "if",
        "contains",
        "uniqueItems",
        "enum",
        "const",
    ];
    computed.iter().all(|computed| {
        if computed.pointer == violation.pointer {
            // Text with an expression inside is text, whatever the expression gives.
            return !computed.lone && violation.keyword == "type";
        }
        let below = computed
            .pointer
            .strip_prefix(violation.pointer.as_str())
            .is_some_and(|rest| rest.starts_with('/'));
        !(below && WHOLE.contains(&violation.keyword.as_str()))
    })
}

/// The known property that is nearest to an unknown one.
fn suggestion(action: &Action, pointer: &str, name: &str) -> Option<String> {
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let schema = parent
        .split('/')
        .skip(1)
        .try_fold(&action.input, |schema, part| schema.get("properties")?.get(part))?;
    nearest(
        name,
        schema.get("properties")?.as_object()?.keys().map(String::as_str),
    )
}

/// Expressions over rows, which the action evaluates itself.
fn table(with: &Map<String, Value>, path: &str, problems: &mut Problems) {
    if let Some(Value::String(filter)) = with.get("filter") {
        column(filter, &["row"], &format!("{path}.filter"), problems);
    }
    for (name, roots) in [
        ("select", ["row"].as_slice()),
        ("aggregate", ["rows", "key"].as_slice()),
    ] {
        for (column_name, text) in with.get(name).and_then(Value::as_object).into_iter().flatten() {
            if let Value::String(text) = text {
                column(text, roots, &format!("{path}.{name}.{column_name}"), problems);
            }
        }
    }
}

fn column(text: &str, roots: &[&str], path: &str, problems: &mut Problems) {
    let Some(program) = values::bare(text, path, problems) else {
        return;
    };
    for read in program.reads() {
        if let Some(root) = read.path.first()
            && !roots.contains(&root.as_str())
        {
            let message = format!(
                "{root} (at {}) cannot be read here: there is {}",
                read.offset,
                roots.join(" and ")
            );
            problems.suggesting("UnknownName", path, message, nearest(root, roots.iter().copied()));
        }
    }
}
