//! Whether a value is what was expected: exact, with a few matchers.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Number, Value};

/// Values that were bound by `$bind`, by name.
pub(crate) type Bound = BTreeMap<String, Value>;

/// Where two values differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mismatch {
    pub(crate) path: String,
    pub(crate) expected: Value,
    /// Nothing: it is absent.
    pub(crate) actual: Option<Value>,
}

/// Compares a value with what was expected. Bindings are made on the way.
pub(crate) fn compare(
    expected: &Value,
    actual: Option<&Value>,
    path: &str,
    bound: &mut Bound,
) -> Result<(), Box<Mismatch>> {
    let differs = || {
        Err(Box::new(Mismatch {
            path: path.to_owned(),
            expected: expected.clone(),
            actual: actual.cloned(),
        }))
    };
    let Some(actual) = actual else { return differs() };
    if let Some(matcher) = matcher(expected) {
        return if matcher.holds(actual, path, bound) {
            Ok(())
        } else {
            differs()
        };
    }
    match (expected, actual) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                compare(value, right.get(name), &super::fields::join(path, name), bound)?;
            }
            match right.iter().find(|(name, _)| !left.contains_key(*name)) {
                None => Ok(()),
                Some((name, extra)) => Err(Box::new(Mismatch {
                    path: super::fields::join(path, name),
                    expected: Value::Null,
                    actual: Some(extra.clone()),
                })),
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let mut pairs = left.iter().zip(right).enumerate();
            pairs.try_for_each(|(number, (left, right))| {
                compare(left, Some(right), &format!("{path}[{number}]"), bound)
            })
        }
        (Value::Number(left), Value::Number(right)) if same_number(left, right) => Ok(()),
        _ if expected == actual => Ok(()),
        _ => differs(),
    }
}

/// A matcher of a document.
enum Matcher<'a> {
    Any,
    Contains(&'a Value),
    Regex(&'a str),
    Not(&'a Value),
    Bind(&'a str),
}

fn matcher(value: &Value) -> Option<Matcher<'_>> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let (name, value) = fields.iter().next()?;
    match (name.as_str(), value) {
        ("$any", Value::Bool(true)) => Some(Matcher::Any),
        ("$contains", value) => Some(Matcher::Contains(value)),
        ("$regex", Value::String(text)) => Some(Matcher::Regex(text)),
        ("$not", value) => Some(Matcher::Not(value)),
        ("$bind", Value::String(name)) => Some(Matcher::Bind(name)),
        _ => None,
    }
}

impl Matcher<'_> {
    fn holds(&self, actual: &Value, path: &str, bound: &mut Bound) -> bool {
        match (self, actual) {
            (Self::Any, _) => true,
            (Self::Contains(Value::String(part)), Value::String(text)) => text.contains(part.as_str()),
            (Self::Contains(part), Value::Array(items)) => items
                .iter()
                .any(|item| compare(part, Some(item), path, &mut bound.clone()).is_ok()),
            (Self::Regex(pattern), Value::String(text)) => {
                Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
            }
            (Self::Contains(_) | Self::Regex(_), _) => false,
            (Self::Not(value), _) => compare(value, Some(actual), path, &mut bound.clone()).is_err(),
            (Self::Bind(name), _) => {
                let known = bound
                    .entry((*name).to_owned())
                    .or_insert_with(|| actual.clone())
                    .clone();
                compare(&known, Some(actual), path, bound).is_ok()
            }
        }
    }
}

/// 1 and 1.0 are the same; whole numbers are compared digit by digit.
fn same_number(left: &Number, right: &Number) -> bool {
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        return left == right;
    }
    left.as_f64() == right.as_f64()
}

fn whole(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(expected: &Value, actual: &Value) -> bool {
        compare(expected, Some(actual), "", &mut Bound::new()).is_ok()
    }

    #[test]
    fn numbers_are_equal_by_value_and_never_to_texts() {
        assert!(holds(&json!(1), &json!(1.0)));
        assert!(!holds(&json!("1"), &json!(1)));
        assert!(!holds(
            &json!(9_007_199_254_740_993_i64),
            &json!(9_007_199_254_740_992_i64)
        ));
        assert!(holds(&json!([1, {"a": 2.0}]), &json!([1.0, {"a": 2}])));
    }

    #[test]
    fn maps_are_exact() {
        assert!(!holds(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
        assert!(!holds(&json!({"a": 1, "b": 2}), &json!({"a": 1})));
        let found = compare(
            &json!({"a": {"b": 1}}),
            Some(&json!({"a": {"b": 2}})),
            "x",
            &mut Bound::new(),
        );
        assert_eq!(found.unwrap_err().path, "x.a.b");
    }

    #[test]
    fn matchers_stand_anywhere() {
        assert!(holds(&json!({"a": [{"$any": true}]}), &json!({"a": [null]})));
        assert!(!holds(&json!({"a": {"$any": true}}), &json!({})));
        assert!(holds(&json!({"$contains": "el"}), &json!("hello")));
        assert!(!holds(&json!({"$contains": "el"}), &json!(5)));
        assert!(holds(&json!({"$regex": "^h.*o$"}), &json!("hello")));
        assert!(holds(&json!({"$not": {"$contains": "x"}}), &json!("hello")));
        assert!(!holds(&json!({"$not": 1}), &json!(1.0)));
        assert!(holds(
            &json!([{"$bind": "k"}, {"$bind": "k"}]),
            &json!(["a", "a"])
        ));
        assert!(!holds(
            &json!([{"$bind": "k"}, {"$bind": "k"}]),
            &json!(["a", "b"])
        ));
    }
}
