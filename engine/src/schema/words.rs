//! What a schema asks for, in words for whoever wrote the value.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// Words of an `enum` that are listed.
const LISTED: usize = 20;
/// How much of a value is shown.
const SHOWN: usize = 60;

/// The violation in words of ours; nothing if the validator's own are as good.
pub(super) fn of(error: &ValidationError<'_>) -> Option<String> {
    let value = error.instance();
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            let asked = asked(kind);
            Some(format!(
                "{} is asked for, and this is {}{}",
                asked.join(" or "),
                given(value),
                remedy(&asked, value)
            ))
        }
        ValidationErrorKind::Required { property } => Some(format!(
            "`{}` is required, and missing",
            property.as_str().unwrap_or_default()
        )),
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options.as_array()?.iter().map(plain).collect();
            let more = if options.len() > LISTED { ", …" } else { "" };
            let listed = options[..options.len().min(LISTED)].join(", ");
            Some(format!("{} is not one of {listed}{more}", shown(value)))
        }
        _ => None,
    }
}

/// What a text was probably meant to be, among the words of an `enum`.
pub(super) fn meant(error: &ValidationError<'_>) -> Option<String> {
    let ValidationErrorKind::Enum { options } = error.kind() else {
        return None;
    };
    let (written, options) = (error.instance().as_str()?, options.as_array()?);
    crate::compile::nearest_of(written, options.iter().filter_map(Value::as_str))
}

fn asked(kind: &TypeKind) -> Vec<&'static str> {
    let names: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect(),
    };
    names
        .iter()
        .map(|name| match name.as_str() {
            "string" => "a string",
            "integer" => "an integer",
            "number" => "a number",
            "boolean" => "a boolean",
            "array" => "an array",
            "object" => "an object",
            _ => "null",
        })
        .collect()
}

fn given(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) => format!("the string {}", shown(value)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// What to write instead, where that is clear.
fn remedy(asked: &[&str], value: &Value) -> String {
    match (asked, value) {
        (["a string"], Value::Bool(_) | Value::Number(_)) => format!(": write \"{value}\" in quotes"),
        (["an array"], Value::String(_) | Value::Number(_) | Value::Object(_)) => {
            ": write it in brackets, [ … ]".to_owned()
        }
        (_, Value::String(text)) if crate::compile::is_reference(text) => {
            format!(": for the value of that name write $({})", text.trim())
        }
        _ => String::new(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
