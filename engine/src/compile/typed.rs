//! Reads below a value whose schema is known: a misspelt field is found before anything runs.

use serde_json::{Map, Value, json};

use super::Problems;
use super::names::{listed, nearest_of};
use super::place::Place;
use super::reads::{Names, at};
use crate::expression::Read;

/// The schema of a step's output, as far as it is known.
pub(super) fn output(names: &Names<'_>, number: usize) -> Option<Value> {
    let step = &names.layout.spec.steps[number];
    if let Some(set) = &step.set {
        let fields: Map<String, Value> = set
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect();
        return Some(json!({"type": "object", "properties": fields}));
    }
    names.actions[number].as_ref().map(|action| action.output.clone())
}

/// What a literal says about its shape; texts may be anything, as they may hold an expression.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let fields: Map<String, Value> = fields
                .iter()
                .map(|(name, value)| (name.clone(), shape(value)))
                .collect();
            json!({"type": "object", "properties": fields})
        }
        _ => json!({}),
    }
}

/// Checks the names of a path from number `from` on against a schema. An object with `properties` is closed to reads
/// unless its `additionalProperties` are open.
pub(super) fn check(schema: &Value, read: &Read, from: usize, place: Place<'_>, problems: &mut Problems) {
    let mut schema = schema;
    for (number, name) in read.path.iter().enumerate().skip(from) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        if let Some(inner) = properties.get(name) {
            schema = inner;
            continue;
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => return,
            Some(inner @ Value::Object(_)) => {
                schema = inner;
                continue;
            }
            _ => {}
        }
        // What other keywords allow is not looked into.
        let open = [
            "patternProperties",
            "allOf",
            "anyOf",
            "oneOf",
            "$ref",
            "if",
            "dependentSchemas",
        ];
        if open.iter().any(|keyword| schema.get(keyword).is_some()) {
            return;
        }
        let parent = read.path[..number].join(".");
        let known = || properties.keys().map(String::as_str);
        let there = listed(name, known(), "there are", "there are none");
        let message = format!("{parent} has no field {name}{}: {there}", at(read));
        let like = nearest_of(name, known()).map(|name| format!("{parent}.{name}"));
        return problems.suggesting("UnknownField", place.path, message, like);
    }
}
