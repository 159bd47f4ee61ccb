//! Templates: `{template, data}` stands for a text anywhere in `with`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::template::{Target, Targets};

/// The template and its data, if a value is one.
pub(super) fn of(value: &Value) -> Option<(&str, Option<&Map<String, Value>>)> {
    let fields = value.as_object()?;
    let template = fields.get("template")?.as_str()?;
    if fields.keys().any(|name| name != "template" && name != "data") {
        return None;
    }
    match fields.get("data") {
        None => Some((template, None)),
        // Other data is an error, and no other meaning.
        Some(data) => Some((template, data.as_object())),
    }
}

/// What the texts of an action's templates are for.
pub(super) fn targets(declared: &BTreeMap<String, String>) -> Targets {
    let target = |name: &str| match name {
        "html" => Target::Html,
        "json" => Target::Json,
        _ => Target::Text,
    };
    let fields = declared.iter();
    fields.map(|(path, name)| (path.as_str(), target(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_text_with_its_data_is_a_template() {
        assert!(of(&json!({"template": "x"})).is_some());
        assert!(of(&json!({"template": "x", "data": {"a": 1}})).is_some());
        for other in [
            json!({"template": 1}),
            json!({"template": "x", "more": 1}),
            json!({"data": {}}),
            json!("x"),
        ] {
            assert!(of(&other).is_none(), "{other}");
        }
    }
}
