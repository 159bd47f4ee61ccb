//! Values with expressions in them against a schema: what no evaluation can make right is reported.

use jsonschema::Validator;
use serde_json::Value;

use super::names::{listed, nearest_of};
use super::{Problems, templates};
use crate::expression::Text;
use crate::schema::{self, Violation};

/// Checks a value against a schema that is compiled for it.
pub(super) fn check(schema: &Value, value: &Value, path: &str, problems: &mut Problems) {
    if let Ok(validator) = schema::compile(schema) {
        check_with(&validator, schema, value, path, problems);
    }
}

/// Checks a value against a compiled schema.
pub(super) fn check_with(
    validator: &Validator,
    schema: &Value,
    value: &Value,
    path: &str,
    problems: &mut Problems,
) {
    let mut computed = Vec::new();
    let mut filled = None;
    gather(value, String::new(), &mut computed);
    if computed.iter().any(|computed| computed.is_template) {
        filled = Some(without_templates(value));
    }
    for violation in schema::violations(validator, filled.as_ref().unwrap_or(value), path) {
        if is_certain(&violation, &computed) {
            if let Some(name) = &violation.unknown {
                let (message, like) = unknown(schema, &violation.pointer, name);
                problems.suggesting("UnknownField", violation.path, message, like);
            } else {
                problems.suggesting(
                    "InvalidInput",
                    violation.path,
                    violation.message,
                    violation.suggestion,
                );
            }
        }
    }
}

/// Where a value is computed, and whether it is an expression alone: then it may be of any type.
struct Computed {
    pointer: String,
    lone: bool,
    is_template: bool,
}

fn gather(value: &Value, pointer: String, found: &mut Vec<Computed>) {
    if templates::of(value).is_some() {
        found.push(Computed {
            pointer,
            lone: false,
            is_template: true,
        });
        return;
    }
    match value {
        Value::String(source) if source.contains('$') => {
            // What cannot be parsed was reported, and may be anything.
            let lone = match Text::parse(source) {
                Ok(text) if text.is_literal() => return,
                Ok(text) => text.is_lone(),
                Err(_) => true,
            };
            found.push(Computed {
                pointer,
                lone,
                is_template: false,
            });
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                gather(field, format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// A template is a text, whatever it is rendered to.
fn without_templates(value: &Value) -> Value {
    if let Some((template, _)) = templates::of(value) {
        return Value::String(template.to_owned());
    }
    match value {
        Value::Array(items) => Value::Array(items.iter().map(without_templates).collect()),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, field)| (name.clone(), without_templates(field)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn is_certain(violation: &Violation, computed: &[Computed]) -> bool {
    /// These look at the value as a whole: with one part unknown they say nothing.
    const WHOLE: [&str; 10] = [
        "anyOf",
        "oneOf",
        "not",
        "if",
        "contains",
        "uniqueItems",
        "enum",
        "const",
        "minProperties",
        "minItems",
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

/// What to say about a property that a closed schema does not know.
fn unknown(schema: &Value, pointer: &str, name: &str) -> (String, Option<String>) {
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let schema = parent.split('/').skip(1).try_fold(schema, |schema, part| {
        schema
            .get("properties")
            .and_then(|properties| properties.get(part))
            .or_else(|| schema.get("items"))
    });
    let properties = schema
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object);
    let known = || properties.into_iter().flatten().map(|(name, _)| name.as_str());
    let there = listed(name, known(), "there are", "there are none");
    (
        format!("{name} is not known here: {there}"),
        nearest_of(name, known()),
    )
}
