//! Values as people write them in a line of YAML.

use serde_json::{Map, Value};

/// A value in YAML's flow style: `{step: pay, at: 10s}`.
pub(crate) fn value(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// A map in flow style.
pub(crate) fn map(fields: &Map<String, Value>) -> String {
    let mut text = String::new();
    write_map(fields, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::String(word) => text.push_str(&scalar(word)),
        Value::Array(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push_str(", ");
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => write_map(fields, text),
        other => text.push_str(&other.to_string()),
    }
}

fn write_map(fields: &Map<String, Value>, text: &mut String) {
    text.push('{');
    for (number, (name, value)) in fields.iter().enumerate() {
        if number > 0 {
            text.push_str(", ");
        }
        text.push_str(&scalar(name));
        text.push_str(": ");
        write(value, text);
    }
    text.push('}');
}

/// A text, in quotes unless it can only be read as that text.
pub(crate) fn scalar(text: &str) -> String {
    const WORDS: [&str; 11] = [
        "", "null", "Null", "NULL", "~", "true", "True", "TRUE", "false", "False", "FALSE",
    ];
    let first = text.chars().next().unwrap_or(' ');
    let plain = |letter: char| letter.is_alphanumeric() || "_-./@%+ ".contains(letter);
    let safe = (first.is_alphabetic() || (first.is_ascii_digit() && is_span(text)))
        && text.chars().all(plain)
        && !text.ends_with(' ')
        && !WORDS.contains(&text)
        && !["yes", "no", "on", "off"].contains(&text.to_lowercase().as_str());
    if safe {
        text.to_owned()
    } else {
        Value::String(text.to_owned()).to_string()
    }
}

/// `90s`: begins with a digit and cannot be a number or a date.
fn is_span(text: &str) -> bool {
    text.ends_with(['s', 'm', 'h'])
        && text
            .chars()
            .all(|letter| letter.is_ascii_digit() || "hms".contains(letter))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same() {
        for original in [
            json!({"step": "pay[0].call", "at": "10s", "with": {"id": "a", "n": 1.0, "big": 9_007_199_254_740_993_i64}}),
            json!([
                "yes",
                "no",
                "",
                "null",
                "1",
                "1e3",
                "0x1",
                "a: b",
                "a #b",
                "- x",
                "line\nline",
                "ü",
                "2026-01-01",
                "12:30"
            ]),
            json!({"a b": [], "c.d": {}, "$any": true, "e": null, "on": "off", "~": "~"}),
        ] {
            let text = value(&original);
            let read: Value = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(read, original, "{text}");
        }
        assert_eq!(
            value(&json!({"at": "1h30m", "step": "pay"})),
            "{at: 1h30m, step: pay}"
        );
    }
}
