//! What is sensitive stands in no error.

use super::*;
use crate::expression::{Scope, Text, Tree};

const SECRET: &str = "hunter2";

struct Guarded(Variables);

impl Scope for Guarded {
    fn get(&self, root: &str) -> Option<Value> {
        self.0.get(root)
    }

    fn is_sensitive(&self, path: &[&str]) -> bool {
        let sensitive = ["steps", "login", "output"];
        path.iter().zip(sensitive).all(|(name, other)| *name == other)
    }
}

fn guarded() -> Guarded {
    let mut scope = Variables::default();
    scope
        .set_json("steps", &json!({
            "login": {"output": {"token": SECRET, "hunter2": 1, "many": [SECRET], "n": 4711}, "outcome": "succeeded"},
            "other": {"output": "plain"},
        }))
        .set_json("inputs", &json!({"name": "Ada"}));
    Guarded(scope)
}

#[test]
fn errors_on_sensitive_values_say_nothing_of_them() {
    for source in [
        "steps.login.output.token + 1",
        "steps.login.output.missing",
        "steps.login.output.token.substring(99)",
        "int(steps.login.output.token)",
        "steps.login.output.many.map(t, t + 1)",
        "steps.login.output.many.all(t, t)",
        "steps.login.output.n / 0",
        "steps.login.output.n.size()",
        "steps.login.map(k, steps.login[k]).sum()",
        "inputs.name + [steps.login.output.token][0].size()",
        "time.parse(steps.login.output.token, '%Y')",
        "'a'.matches(steps.login.output.token + '(')",
        "timestamp(0).getHours(steps.login.output.token)",
        "json.parse(steps.login.output.token)",
        "steps.other.output.matches('(' + steps.login.output.token)",
    ] {
        let error = Program::parse(source)
            .unwrap()
            .evaluate(&guarded(), &mut Budget::default())
            .expect_err(source);
        assert!(
            !error.message.contains(SECRET) && !error.message.contains("4711"),
            "{source}: {error}"
        );
        assert!(error.message.contains("is sensitive"), "{source}: {error}");
        assert_eq!(error.code, "ExpressionError");
    }
}

#[test]
fn errors_on_other_values_show_them() {
    let error = Program::parse("steps.other.output + 1")
        .unwrap()
        .evaluate(&guarded(), &mut Budget::default())
        .unwrap_err();
    assert!(error.message.contains("\"plain\""), "{error}");
    let error =
        Program::parse("lists.range(10000).all(x, lists.range(10000).all(y, steps.login.output.n > 1))")
            .unwrap()
            .evaluate(&guarded(), &mut Budget::default())
            .unwrap_err();
    assert!(error.message.contains("too many steps"), "{error}");
}

#[test]
fn so_do_errors_of_what_is_made_of_them() {
    let mut budget = Budget::default();
    for source in [
        "Bearer $([steps.login.output.token, b'x'].first())",
        "n: $({steps.login.output.token: 1.0 / 0.0})",
    ] {
        let error = Text::parse(source)
            .unwrap()
            .evaluate(&guarded(), &mut budget)
            .expect_err(source);
        assert!(error.message.contains("is sensitive"), "{source}: {error}");
    }
    let tree =
        json!({"a": "$({1: 'x', '1': steps.login.output.token, steps.login.output.token: 1.0 / 0.0})"});
    let error = Tree::parse(&tree)
        .unwrap()
        .evaluate(&guarded(), &mut budget)
        .unwrap_err();
    assert!(error.message.contains("is sensitive"), "{error}");
}
