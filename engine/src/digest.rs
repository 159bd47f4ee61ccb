//! Content digests: a spec's identity.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// `sha256:` and the hex SHA-256 of the value as compact JSON with sorted keys.
#[must_use]
pub fn digest_of(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, inner)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(key.clone()).to_string());
                text.push(':');
                canonical(inner, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, inner) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                canonical(inner, text);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_lists_does() {
        assert_eq!(
            digest_of(&json!({"a": 1, "b": [1, 2]})),
            digest_of(&json!({"b": [1, 2], "a": 1}))
        );
        assert_ne!(digest_of(&json!([1, 2])), digest_of(&json!([2, 1])));
    }
}
