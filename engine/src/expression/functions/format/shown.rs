//! What `%s` and `%d` show: texts bare, lists as `[a, b]`, maps as `{key: value}` by the text of their keys.

use super::super::super::{
    Budget, VALUE_DEPTH_LIMIT, Value,
    error::{Fault, Outcome},
    print,
};

/// A value as `%s` shows it.
pub(super) fn write(value: &Value, out: &mut String, budget: &mut Budget, depth: usize) -> Outcome<()> {
    if depth > VALUE_DEPTH_LIMIT {
        return Err(Fault::limit(format!(
            "the value nests deeper than {VALUE_DEPTH_LIMIT} levels"
        )));
    }
    budget.step(1)?;
    match value {
        Value::Null => out.push_str("null"),
        Value::String(text) => {
            budget.allocate(text.len())?;
            out.push_str(text);
        }
        Value::Bytes(bytes) => {
            budget.allocate(bytes.len())?;
            let text = std::str::from_utf8(bytes);
            out.push_str(text.map_err(|_| Fault::new("%s: the bytes are no UTF-8 text"))?);
        }
        Value::Double(number) => {
            let text = double(*number);
            budget.allocate(text.len())?;
            out.push_str(&text);
        }
        Value::Type(kind) => out.push_str(kind.name()),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                budget.allocate(2)?;
                out.push_str(if index > 0 { ", " } else { "" });
                write(item, out, budget, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            budget.allocate_entries(map.len())?;
            let mut entries: Vec<_> = map.iter().map(|(key, item)| (key.to_string(), item)).collect();
            budget.step(entries.len())?;
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            out.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                budget.allocate(key.len() + 4)?;
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(&key);
                out.push_str(": ");
                write(item, out, budget, depth + 1)?;
            }
            out.push('}');
        }
        other => {
            let text = print::scalar(other)
                .ok_or_else(|| Fault::new("%s: an optional cannot be shown: write .orValue(…) behind it"))?;
            budget.allocate(text.len())?;
            out.push_str(&text);
        }
    }
    Ok(())
}

/// A double with all its digits and no exponent.
pub(super) fn double(number: f64) -> String {
    match number {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        number => number.to_string(),
    }
}
