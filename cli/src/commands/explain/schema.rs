//! A JSON Schema in lines that people read: each field with what it takes.

use serde_json::Value;

/// How deep fields inside fields are shown.
const DEPTH: usize = 3;

/// A row per field: its path, what it is, what else there is to say.
pub(super) fn rows(schema: &Value, path: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    fields(schema, path, DEPTH, &mut rows);
    rows
}

fn fields(schema: &Value, path: &str, depth: usize, rows: &mut Vec<Vec<String>>) {
    let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let mut notes = Vec::new();
        if required.contains(&name.as_str()) {
            notes.push("required".to_owned());
        }
        if let Some(default) = field.get("default") {
            notes.push(format!("default {default}"));
        }
        notes.extend(field["description"].as_str().map(str::to_owned));
        rows.push(vec![path.clone(), what(field), notes.join(", ")]);
        if depth > 1 {
            fields(field, &path, depth - 1, rows);
        }
    }
}

/// What a schema takes, in a few words.
fn what(schema: &Value) -> String {
    let values: Vec<String> = list(schema, "enum").map(plain).collect();
    if !values.is_empty() {
        return format!("one of {}", values.join(", "));
    }
    let several: Vec<String> = ["anyOf", "oneOf"]
        .iter()
        .flat_map(|word| list(schema, word))
        .map(what)
        .collect();
    if !several.is_empty() {
        return several.join(" or ");
    }
    let items = || match &schema["items"] {
        Value::Object(_) => format!("array of {}", what(&schema["items"])),
        _ => "array".to_owned(),
    };
    match &schema["type"] {
        Value::String(word) if word == "array" => items(),
        Value::String(word) => word.clone(),
        Value::Array(words) => words.iter().map(plain).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    }
}

fn list<'a>(schema: &'a Value, word: &str) -> impl Iterator<Item = &'a Value> {
    schema[word].as_array().into_iter().flatten()
}

/// A text without its quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_is_a_line() {
        let schema = json!({"type": "object", "required": ["url"], "properties": {
            "url": {"type": "string", "description": "where"},
            "method": {"enum": ["GET", "PUT"], "default": "GET"},
            "rows": {"type": "array", "items": {"type": ["string", "null"]}},
            "expect": {"type": "object", "properties": {"status": {"anyOf": [{"type": "integer"}, {}]}}},
        }});
        let rows: Vec<String> = rows(&schema, "with").iter().map(|row| row.join("|")).collect();
        assert_eq!(
            rows,
            [
                "with.url|string|required, where",
                "with.method|one of GET, PUT|default \"GET\"",
                "with.rows|array of string or null|",
                "with.expect|object|",
                "with.expect.status|integer or anything|",
            ]
        );
    }
}
