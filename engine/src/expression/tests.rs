//! Tests of the expression language, by area.

mod extensions;
mod extremes;
mod guards;
mod language;
mod library;
mod page;
mod reading;
mod sensitive;
mod texts;

use super::{Budget, EvaluationError, Program, Value, Variables};
use serde_json::{Value as Json, json};

fn scope() -> Variables {
    let mut scope = Variables::default();
    scope
        .set_json("inputs", &json!({
            "name": "Ada", "count": 3, "price": 2.5, "empty": [], "nothing": null, "big": 9_007_199_254_740_993_i64,
            "items": [{"id": "a", "n": 2}, {"id": "b", "n": 1}, {"id": "c", "n": 3}],
            "content-type": "text/plain", "many": {"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,"k8":8,"k9":9},
        }))
        .set_json("steps", &json!({"a": {"output": {"total": 12, "currency": "EUR"}, "outcome": "succeeded"}}));
    scope
}

fn run(source: &str) -> Result<Value, EvaluationError> {
    Program::parse(source)
        .unwrap_or_else(|error| panic!("{source}: {error} at {}", error.offset))
        .evaluate(&scope(), &mut Budget::default())
}

/// The result as JSON.
fn value(source: &str) -> Json {
    run(source)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .to_json()
        .unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// Each expression must be true.
fn all_true(sources: &[&str]) {
    for source in sources {
        assert_eq!(value(source), json!(true), "{source}");
    }
}

/// Each expression must parse and fail with a message that contains the text.
fn all_fail(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        let error = run(source)
            .map(|value| panic!("{source} gives {value:?}"))
            .unwrap_err();
        assert!(error.message.contains(expected), "{source}: {error}");
        assert_eq!(error.code, "ExpressionError", "{source}");
    }
}

/// Each expression must not parse, with a message that contains the text.
fn all_rejected(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        let error = Program::parse(source).expect_err(source);
        assert!(error.to_string().contains(expected), "{source}: {error}");
    }
}
