//! JSON Schema, as far as tenants may write it: linear time, nothing fetched, nothing recursive.
//!
//! A schema comes from somebody who is not trusted, and is applied by processes that everybody shares. So patterns
//! run on an engine without backtracking, references stay inside the schema, and what a schema unfolds to is
//! counted before it is compiled.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Number, Value};

use crate::problem::Problem;

mod cost;
mod words;

/// The largest schema of one input, in bytes of JSON.
pub(crate) const SCHEMA_BYTES: usize = 64 * 1024;
/// Problems that one check of a value reports: more help nobody.
const PROBLEMS: usize = 50;
/// How much of a message of the validator is shown: it repeats values.
const MESSAGE: usize = 300;

/// Compiles a schema, or says why it cannot be used.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    if crate::size::json_size(schema) > SCHEMA_BYTES {
        return Err(format!("the schema is larger than {SCHEMA_BYTES} bytes"));
    }
    cost::check(schema)?;
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(schema)
        .map_err(|error| format!("not a valid JSON Schema: {}", shortened(&error.to_string())))
}

/// What a value violates, with paths below `path`.
pub(crate) fn violations(validator: &Validator, value: &Value, path: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for error in validator.iter_errors(value).take(PROBLEMS) {
        let keyword = error.kind().keyword().to_owned();
        let mut pointer = error.instance_path().as_str().to_owned();
        let mut message = words::of(&error).unwrap_or_else(|| shortened(&error.to_string()));
        let suggestion = words::meant(&error);
        let mut unknown = None;
        if let jsonschema::error::ValidationErrorKind::AdditionalProperties { unexpected } = error.kind()
            && let Some(name) = unexpected.first()
        {
            message = format!("{name} is not known here");
            pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            unknown = Some(name.clone());
        }
        found.push(Violation {
            path: join(path, &pointer),
            pointer,
            keyword,
            message,
            suggestion,
            unknown,
        });
    }
    found
}

/// One way in which a value does not fit its schema.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    /// Where, as manifests write it.
    pub(crate) path: String,
    /// Where in the value, as a JSON pointer.
    pub(crate) pointer: String,
    /// The keyword of JSON Schema that is not satisfied.
    pub(crate) keyword: String,
    /// In words.
    pub(crate) message: String,
    /// What was probably meant.
    pub(crate) suggestion: Option<String>,
    /// The property that a closed schema does not know.
    pub(crate) unknown: Option<String>,
}

impl Violation {
    /// The finding for people.
    pub(crate) fn problem(self, code: &str) -> Problem {
        Problem::error(code, self.path, self.message).suggesting(self.suggestion)
    }
}

/// `base` and a JSON pointer, as manifests write paths: `with.list[2].name`.
pub(crate) fn join(base: &str, pointer: &str) -> String {
    let mut path = base.to_owned();
    for part in pointer.split('/').skip(1) {
        if !part.is_empty() && part.bytes().all(|letter| letter.is_ascii_digit()) {
            path.push('[');
            path.push_str(part);
            path.push(']');
        } else {
            path.push('.');
            path.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    path
}

/// Gives numbers a fraction where the schema says `number`, and takes one of zero away where it says `integer`, so
/// that a value keeps its type on every way.
pub(crate) fn type_numbers(schema: &Value, value: &mut Value) {
    match value {
        Value::Number(number) if schema.get("type").and_then(Value::as_str) == Some("number") => {
            if !number.is_f64()
                && let Some(double) = number.as_f64().and_then(Number::from_f64)
            {
                *number = double;
            }
        }
        Value::Number(number) if schema.get("type").and_then(Value::as_str) == Some("integer") => {
            if let Some(whole) = whole(number) {
                *number = Number::from(whole);
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    type_numbers(schema, item);
                }
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let known = schema
                    .get("properties")
                    .and_then(|properties| properties.get(name));
                if let Some(schema) = known.or_else(|| schema.get("additionalProperties")) {
                    type_numbers(schema, field);
                }
            }
        }
        _ => {}
    }
}

/// A value as the schema shows it: an example, the default, the first of several, or an empty value of its type.
pub(crate) fn example(schema: &Value) -> Value {
    let first = |name: &str| {
        schema
            .get(name)
            .and_then(Value::as_array)
            .and_then(|all| all.first())
    };
    if let Some(value) = first("examples")
        .or_else(|| schema.get("default"))
        .or_else(|| first("enum"))
    {
        return value.clone();
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("string") => Value::from(""),
        Some("integer") => Value::from(0),
        Some("number") => Value::from(0.0),
        Some("boolean") => Value::from(false),
        Some("array") => Value::Array(Vec::new()),
        Some("null") => Value::Null,
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let fields = properties.into_iter().flatten();
            Value::Object(
                fields
                    .map(|(name, schema)| (name.clone(), example(schema)))
                    .collect(),
            )
        }
    }
}

/// A double without fraction, as an integer.
fn whole(number: &Number) -> Option<i64> {
    /// Below 2^63, where every double without fraction is an `i64`.
    const LARGEST: f64 = 9.2e18;
    let double = number.as_f64().filter(|_| number.is_f64())?;
    if double.fract() != 0.0 || double.abs() > LARGEST {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole, and in the range of the type"
    )]
    Some(double as i64)
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(MESSAGE) {
        None => message.to_owned(),
        Some((end, _)) => format!("{}…", &message[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_violation_has_a_path_as_manifests_write_it() {
        let schema = json!({"type": "object", "additionalProperties": false, "properties": {
            "list": {"type": "array", "items": {"type": "object", "required": ["id"]}}}});
        let validator = compile(&schema).unwrap();
        let found = violations(&validator, &json!({"list": [{"id": 1}, {}], "lsit": 1}), "with");
        let paths: Vec<_> = found.iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths.len(), 2);
        assert!(
            paths.contains(&"with.list[1]") && paths.contains(&"with.lsit"),
            "{paths:?}"
        );
    }

    #[test]
    fn nothing_is_fetched_and_nothing_recurses() {
        for bad in [
            json!({"$ref": "https://example.com/x.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"$ref": "#"}),
            json!({"properties": {"x": {"$ref": "#"}}}),
            json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
            json!({"$dynamicRef": "#x"}),
            json!({"type": "strnig"}),
            json!({"pattern": "("}),
            json!({"pattern": "(a)\\1"}),
        ] {
            assert!(compile(&bad).is_err(), "{bad}");
        }
        assert!(
            compile(&json!({"$defs": {"a": {"type": "string"}}, "items": {"$ref": "#/$defs/a"}})).is_ok()
        );
    }

    #[test]
    fn a_schema_that_unfolds_without_end_is_refused_before_it_is_compiled() {
        let mut defs = serde_json::Map::new();
        for level in 0..18 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            defs.insert(format!("d{level}"), json!({"anyOf": [next, next]}));
        }
        defs.insert("d18".to_owned(), json!({"type": "string"}));
        let error = compile(&json!({"$defs": defs, "$ref": "#/$defs/d0"})).unwrap_err();
        assert!(error.contains("unfolds"), "{error}");
        let deep = (0..200).fold(json!({}), |inner, _| json!({"properties": {"x": inner}}));
        assert!(compile(&deep).is_err());
        assert!(compile(&json!({"enum": [vec!["x"; SCHEMA_BYTES]]})).is_err());
    }

    #[test]
    fn a_number_keeps_its_type() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "integer"},
            "c": {"type": "array", "items": {"type": "number"}}}});
        let mut value = json!({"a": 1, "b": 1, "c": [1, 2.5]});
        type_numbers(&schema, &mut value);
        assert_eq!(value.to_string(), r#"{"a":1.0,"b":1,"c":[1.0,2.5]}"#);
        let mut value = json!({"b": 3.0});
        type_numbers(&schema, &mut value);
        assert_eq!(value.to_string(), r#"{"b":3}"#);
    }
}
