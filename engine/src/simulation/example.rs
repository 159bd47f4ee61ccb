//! An example of what a schema describes: what a dry run answers for what it does not do.

use serde_json::{Map, Value, json};

/// How deep examples nest: schemas may be deeper than anybody reads.
const DEPTH: usize = 16;

/// A value that fits: the first of `examples`, else `default`, `const`, the first of `enum`, else the empty value of
/// the type, of an object with an example of each property.
#[must_use]
pub fn example(schema: &Value) -> Value {
    of(schema, 0)
}

fn of(schema: &Value, depth: usize) -> Value {
    let given = [
        schema.pointer("/examples/0"),
        schema.get("default"),
        schema.get("const"),
        schema.pointer("/enum/0"),
    ];
    if let Some(value) = given.into_iter().flatten().next() {
        return value.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str).unwrap_or("object"),
        _ => "object",
    };
    match kind {
        "string" => json!(""),
        "integer" => json!(0),
        "number" => json!(0.0),
        "boolean" => json!(false),
        "array" => json!([]),
        "null" => Value::Null,
        _ if depth == DEPTH => json!({}),
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let properties = properties.into_iter().flatten();
            Value::Object(
                properties
                    .map(|(name, inner)| (name.clone(), of(inner, depth + 1)))
                    .collect::<Map<_, _>>(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_wins_over_what_is_empty() {
        assert_eq!(example(&json!({"type": "string", "examples": ["a", "b"], "default": "c"})), json!("a"));
        assert_eq!(example(&json!({"type": "string", "default": "c", "enum": ["d"]})), json!("c"));
        assert_eq!(example(&json!({"enum": ["d", "e"]})), json!("d"));
        assert_eq!(
            example(&json!({"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"},
                "l": {"type": "array", "items": {"type": "string"}}}})),
            json!({"n": 0, "s": "", "l": []})
        );
        assert_eq!(example(&json!({})), json!({}));
    }
}
