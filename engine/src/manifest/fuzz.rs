//! Texts and objects of any kind: each is read or refused with a position, and nothing panics or hangs.
//!
//! `PROPTEST_CASES=100000` makes it as long as wanted.

use std::time::{Duration, Instant};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{check, check_workflow, parse};
use crate::compile::{Context, Support};

/// More than any case takes, on a busy machine and unoptimised.
const LIMIT: Duration = Duration::from_secs(20);

/// Words of the language, right and wrong, so that many cases get far.
const WORDS: [&str; 64] = [
    "a",
    "b",
    "c",
    "loop",
    "in",
    "index",
    "a.failed",
    "a.done",
    "b.x",
    "c.partial",
    "id",
    "needs",
    "when",
    "uses",
    "with",
    "set",
    "script",
    "source",
    "input",
    "container",
    "image",
    "workflow",
    "name",
    "inputs",
    "switch",
    "cases",
    "default",
    "forEach",
    "items",
    "result",
    "onItemError",
    "Collect",
    "group",
    "race",
    "wait",
    "duration",
    "until",
    "event",
    "type",
    "match",
    "approval",
    "form",
    "emit",
    "data",
    "fail",
    "code",
    "stop",
    "status",
    "Succeeded",
    "timeout",
    "retry",
    "attempts",
    "undo",
    "cache",
    "key",
    "ttl",
    "1h30m",
    "0s",
    "core/http@1",
    "x/y@1",
    "template",
    "string",
    "true",
    "required",
];
const EXPRESSIONS: [&str; 20] = [
    "$(steps.a.output.x)",
    "$(steps.b.?output.orValue(1))",
    "$(item.x + index)",
    "$(turn.a)",
    "$(blocks.a.item)",
    "$(inputs.a)",
    "$(vars.a.b)",
    "$(1 + 'a')",
    "$(",
    "$$(",
    "text $(run.id) text",
    "steps.a.outcome == 'failed'",
    "has(inputs.a) && inputs.a > 1",
    "true",
    "$(trigger.body)",
    "{{ a }}",
    "{% for x in a %}",
    "$([1, 2].map(x, x * 2))",
    "$(now())",
    "\u{feff}\u{0}ä𝄞",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        2 => prop::sample::select(&EXPRESSIONS[..]).prop_map(str::to_owned),
        1 => ".{0,20}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![any::<i64>(), -2_i64..5].prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(text(), inner, 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A step with one of the kinds, and anything else.
fn step() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        value().prop_map(|value| ("set", json!({"x": value}))),
        value().prop_map(|value| ("with", json!({"url": value}))),
        value().prop_map(|value| ("forEach", json!({"items": value, "result": "$(item)"}))),
        value().prop_map(|value| ("loop", json!({"while": "turn.a", "init": {"a": value}}))),
        Just(("group", json!({}))),
        text().prop_map(|when| ("switch", json!({"cases": [{"name": "x", "when": when}]}))),
        text().prop_map(|text| ("wait", json!({"duration": text}))),
        Just(("approval", json!({"timeout": "1h"}))),
        text().prop_map(|text| ("fail", json!({"code": "X", "message": text}))),
        Just(("stop", json!({"status": "Succeeded"}))),
        (text(), value()).prop_map(|(name, value)| (WORDS[name.len() % WORDS.len()], value)),
    ];
    let id = prop::sample::select(&["a", "b", "c", "d"][..]);
    let needs = vec(
        prop::sample::select(&["a", "b", "c.done", "d.failed", "a.x", "b.partial"][..]),
        0..3,
    );
    let block = prop::option::of(prop::sample::select(&["a", "b", "c"][..]));
    let more = btree_map(prop::sample::select(&WORDS[..]), value(), 0..2);
    (id, needs, block, kind, more, prop::option::of(text())).prop_map(
        |(id, needs, block, (kind, content), more, when)| {
            let mut step = Map::new();
            step.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
            step.insert("id".to_owned(), json!(id));
            step.insert("needs".to_owned(), json!(needs));
            if let Some(block) = block {
                step.insert("in".to_owned(), json!(block));
            }
            if let Some(when) = when {
                step.insert("when".to_owned(), json!(when));
            }
            if kind == "with" {
                step.insert("uses".to_owned(), json!("core/http@1"));
            }
            step.insert(kind.to_owned(), content);
            Value::Object(step)
        },
    )
}

fn workflow(spec: &Value) -> Value {
    json!({"apiVersion": "flowpilot.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "x"}, "spec": spec})
}

fn contexts() -> [Context; 2] {
    let server = Context {
        support: Support::Server,
        ..Context::default()
    };
    [Context::default(), server]
}

/// Checks an object in every way; every problem has a code and a path.
fn bears(object: &Value) {
    let begin = Instant::now();
    for context in contexts() {
        let problems = match check_workflow(object, &context) {
            Ok((_, compiled)) => compiled.findings(),
            Err(problems) => {
                assert!(!problems.is_empty());
                problems
            }
        };
        for problem in problems {
            assert!(
                !problem.code.is_empty() && !problem.message.is_empty(),
                "{problem:?}"
            );
        }
    }
    assert!(begin.elapsed() < LIMIT, "{object}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(bytes in vec(any::<u8>(), 0..200), words in vec(text(), 0..30)) {
        let _ = parse(&bytes);
        let joined = format!("kind: Workflow\nmetadata: {{name: x}}\nspec:\n  steps:\n  - {}", words.join(": "));
        for text in [joined.as_str(), &words.join("\n- "), &words.join(", ")] {
            match parse(text.as_bytes()) {
                Ok(documents) => {
                    for document in documents {
                        for problem in check(&document, &Context::default()) {
                            assert!(document.position(&problem.path).is_some());
                        }
                    }
                }
                Err(problems) => {
                    assert!(problems.iter().all(|problem| problem.line > 0 && problem.column > 0));
                }
            }
        }
    }

    #[test]
    fn any_object_is_checked(spec in value()) {
        bears(&workflow(&spec));
        bears(&spec);
    }

    #[test]
    fn any_steps_are_checked(steps in vec(step(), 0..8), inputs in vec(value(), 0..2), outputs in value()) {
        bears(&workflow(&json!({"steps": steps, "inputs": inputs, "outputs": {"x": outputs}})));
        bears(&workflow(&json!({"steps": steps})));
    }
}

#[test]
fn what_is_huge_or_deep_is_refused_with_a_position() {
    let refused = |text: &str| {
        let begin = Instant::now();
        let problems = parse(text.as_bytes()).expect_err("too much");
        assert!(problems[0].line > 0 && begin.elapsed() < LIMIT);
    };
    refused(&"[".repeat(10_000));
    refused(&"{a: ".repeat(10_000));
    refused(&"- ".repeat(10_000));
    refused(&format!("a: \"{}\"", "x".repeat(1024 * 1024)));
    refused(&format!("a: {}", "&a ".repeat(10_000)));
    let long = "x".repeat(400_000);
    bears(&workflow(
        &json!({"steps": [{"id": "a", "set": {"x": long, "y": format!("$({long}")}}]}),
    ));
    let nested = "(".repeat(4000);
    bears(&workflow(
        &json!({"steps": [{"id": "a", "when": nested, "set": {"x": format!("$({nested}")}}]}),
    ));
}
