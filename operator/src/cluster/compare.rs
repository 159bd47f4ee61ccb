//! Whether an object already is as it is wanted.
//!
//! The API server adds defaults, so the object holds more than was applied: what was applied must be contained in
//! it. A field that is not wanted any more would not be seen that way, so the digest of what was applied is kept in
//! an annotation and compared with the rest.

use flowpilot_engine::digest::digest_of;
use serde_json::{Value, json};

use super::APPLIED_ANNOTATION;

/// The object with the digest of itself as an annotation.
pub(super) fn stamped(mut object: Value) -> Value {
    let digest = digest_of(&object);
    let annotations = &mut object["metadata"]["annotations"];
    if annotations.is_null() {
        *annotations = json!({});
    }
    annotations[APPLIED_ANNOTATION] = Value::String(digest);
    object
}

/// Whether everything of `wanted` stands in `found`.
pub(super) fn covers(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (_, Value::Null) => true,
        (Value::Null, wanted) => is_empty(wanted),
        (Value::Object(found), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| covers(found.get(key).unwrap_or(&Value::Null), value)),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| covers(found, wanted))
        }
        (Value::String(found), Value::String(wanted)) => found == wanted || same_quantity(found, wanted),
        _ => found == wanted,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The API server writes quantities its own way: `1000m` comes back as `1`.
fn same_quantity(found: &str, wanted: &str) -> bool {
    quantity(found).is_some_and(|found| Some(found) == quantity(wanted))
}

/// A quantity in thousandths; `None` for any other text.
fn quantity(text: &str) -> Option<i128> {
    let digits = text.len()
        - text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    let (number, suffix) = text.split_at(digits);
    let factor: i128 = match suffix {
        "m" => 1,
        "" => 1000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // More digits than any quantity has; longer numbers are texts.
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 9 {
        return None;
    }
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    Some((whole.parse::<i128>().ok()? * scale + fraction) * factor / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_that_were_added_are_no_difference() {
        let wanted = stamped(json!({"spec": {"a": 1, "list": [{"x": "1000m"}], "none": {}, "absent": null}}));
        let mut found = wanted.clone();
        found["spec"]["defaulted"] = json!(true);
        found["spec"]["list"] = json!([{"x": "1", "more": 2}]);
        found["spec"].as_object_mut().unwrap().remove("none");
        assert!(covers(&found, &wanted));
    }

    #[test]
    fn every_drift_is_one() {
        let wanted = stamped(json!({"spec": {"a": 1, "list": [{"x": "1"}], "map": {"k": "v"}}}));
        for (path, value) in [
            ("/spec/a", json!(2)),
            ("/spec/list", json!([])),
            ("/spec/list", json!([{"x": "1"}, {"x": "2"}])),
            ("/spec/map", Value::Null),
            ("/metadata/annotations", json!({})),
        ] {
            let mut found = wanted.clone();
            *found.pointer_mut(path).unwrap() = value;
            assert!(!covers(&found, &wanted), "{path}");
        }
    }

    #[test]
    fn a_field_that_is_not_wanted_any_more_shows_in_the_digest() {
        let before = stamped(json!({"spec": {"nodeSelector": {"gpu": "yes"}}}));
        assert!(!covers(&before, &stamped(json!({"spec": {}}))));
    }

    #[test]
    fn quantities_are_numbers() {
        for (left, right) in [("500m", "0.5"), ("1", "1000m"), ("1Gi", "1024Mi"), ("1k", "1000")] {
            assert!(same_quantity(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("1Gi", "1G"),
            ("v1", "v01"),
            ("1x", "1.0x"),
            ("sha256:1", "sha256:01"),
        ] {
            assert!(!same_quantity(left, right), "{left} {right}");
        }
    }
}
