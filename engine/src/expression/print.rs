//! Values as text: `string()`, compact JSON with sorted keys, and the short previews in error messages.

use super::{
    Budget, VALUE_DEPTH_LIMIT, Value,
    error::{Fault, Outcome},
};
use base64::Engine as _;
use jiff::SignedDuration;
use std::fmt::Write as _;

/// How much of a value an error message shows.
const PREVIEW: usize = 80;

/// The text of a number, truth value, time or duration; nothing for other values.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Uint(value) => Some(value.to_string()),
        Value::Double(value) => Some(double(*value)),
        Value::Timestamp(time) => Some(time.to_string()),
        Value::Duration(span) => Some(duration(*span)),
        _ => None,
    }
}

/// A double without needless digits: plain up to 21 digits, with an exponent beyond.
pub(super) fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return if text.contains("e-") {
            text
        } else {
            text.replace('e', "e+")
        };
    }
    value.to_string()
}

/// A duration in seconds: `90s`, `-1.5s`.
pub(super) fn duration(span: SignedDuration) -> String {
    let nanoseconds = span.as_nanos();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let size = nanoseconds.unsigned_abs();
    let (seconds, rest) = (size / 1_000_000_000, size % 1_000_000_000);
    if rest == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{rest:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// The text that stands in JSON for a value that JSON has no type for.
pub(super) fn json_scalar(value: &Value, budget: &mut Budget) -> Outcome<String> {
    match value {
        Value::Bytes(bytes) => {
            budget.allocate(bytes.len() / 3 * 4 + 4)?;
            Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        other => {
            budget.allocate(32)?;
            Ok(scalar(other).unwrap_or_default())
        }
    }
}

/// A value as compact JSON, keys sorted.
pub(super) fn json(value: &Value, budget: &mut Budget) -> Outcome<String> {
    let mut out = Vec::new();
    write_json(value, &mut out, budget, 0)?;
    String::from_utf8(out).map_err(|_| Fault::new("the value is no valid text"))
}

fn write_json(value: &Value, out: &mut Vec<u8>, budget: &mut Budget, depth: usize) -> Outcome<()> {
    if depth > VALUE_DEPTH_LIMIT {
        return Err(Fault::limit(format!(
            "the value nests deeper than {VALUE_DEPTH_LIMIT} levels"
        )));
    }
    budget.step(1)?;
    budget.allocate(2)?;
    match value {
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_json(item, out, budget, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Map(map) => {
            budget.allocate_entries(map.len())?;
            out.push(b'{');
            for (index, (key, item)) in map.iter_sorted().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(&key.to_string(), out, budget)?;
                out.push(b':');
                write_json(item, out, budget, depth + 1)?;
            }
            out.push(b'}');
        }
        Value::String(text) => write_text(text, out, budget)?,
        scalar => {
            let scalar = scalar.to_json_within(budget)?.to_string();
            budget.allocate(scalar.len())?;
            out.extend_from_slice(scalar.as_bytes());
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>, budget: &mut Budget) -> Outcome<()> {
    budget.allocate(text.len() + 2)?;
    serde_json::to_writer(out, text).map_err(|error| Fault::new(format!("failed to write a text: {error}")))
}

/// A value as an error message shows it: close to how it would be written, cut to a readable length. Looks at no
/// more of the value than it shows.
pub(super) fn preview(value: &Value) -> String {
    let mut out = Short {
        text: String::new(),
        left: PREVIEW,
    };
    if write_preview(value, &mut out, 0).is_err() {
        out.text.push('…');
    }
    out.text
}

struct Short {
    text: String,
    left: usize,
}

impl std::fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(std::fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}

fn write_preview(value: &Value, out: &mut Short, depth: usize) -> std::fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Uint(number) => write!(out, "{number}u"),
        Value::Double(number) if number.is_finite() && number.fract() == 0.0 && number.abs() < 1e15 => {
            write!(out, "{number:.1}")
        }
        Value::String(text) => {
            out.write_char('"')?;
            for character in text.chars() {
                match character {
                    '"' => out.write_str("\\\"")?,
                    '\n' => out.write_str("\\n")?,
                    other => out.write_char(other)?,
                }
            }
            out.write_char('"')
        }
        Value::Bytes(bytes) => write!(out, "{} bytes", bytes.len()),
        Value::Type(kind) => out.write_str(kind.name()),
        Value::Optional(None) => out.write_str("optional.none()"),
        Value::Optional(Some(_)) | Value::List(_) | Value::Map(_) if depth > PREVIEW => Err(std::fmt::Error),
        Value::Optional(Some(inner)) => {
            out.write_str("optional.of(")?;
            write_preview(inner, out, depth + 1)?;
            out.write_char(')')
        }
        Value::List(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.write_str(", ")?;
                }
                write_preview(item, out, depth + 1)?;
            }
            out.write_char(']')
        }
        Value::Map(map) => {
            out.write_char('{')?;
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.write_str(", ")?;
                }
                write!(out, "{key}: ")?;
                write_preview(item, out, depth + 1)?;
            }
            out.write_char('}')
        }
        other => out.write_str(&scalar(other).unwrap_or_default()),
    }
}
