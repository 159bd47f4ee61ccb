//! Expressions: read or refused, checked, and evaluated within what they may cost.

use flowpilot_engine::expression::types::{Environment, Type};
use flowpilot_engine::expression::{Budget, Program, Text, Tree, Variables};
use serde_json::{Map, Value, json};

use super::corpus::EXPRESSIONS;
use super::{fuzz, mutate};
use crate::random::Random;

const NAMES: [&str; 9] = [
    "inputs", "vars", "steps", "item", "index", "turn", "event", "run", "a",
];
/// What one evaluation may cost here.
const STEPS: u64 = 20_000;
const BYTES: u64 = 1 << 20;

/// Nothing is known of half the names.
struct Known;

impl Environment for Known {
    fn lookup(&self, name: &str) -> Option<Type> {
        match name {
            "inputs" => Some(Type::of_json(&json!({"a": 1, "b": {"c": ["x"]}}))),
            "index" => Some(Type::Int),
            name if NAMES.contains(&name) => Some(Type::Dyn),
            _ => None,
        }
    }
}

#[test]
fn expressions() {
    assert!(!EXPRESSIONS.is_empty(), "read before the time begins");
    fuzz("expressions", |random, show| {
        let mut source = random.of(&EXPRESSIONS).clone();
        if random.chance(50) {
            // Without what is around it: a lone expression.
            source = source
                .trim()
                .trim_start_matches("$(")
                .trim_end_matches(')')
                .to_owned();
        }
        source = words(random, &source);
        if random.chance(60) {
            source = mutate::text(random, &source, &EXPRESSIONS);
        }
        show(&source);
        let mut scope = Variables::default();
        for name in NAMES {
            scope.set_json(name, &data(random, 4));
        }
        if let Ok(program) = Program::parse(&source) {
            let _ = (program.reads(), program.compared(), program.check(&Known));
            let mut budget = Budget::new(STEPS, BYTES);
            let before = program.evaluate(&scope, &mut budget);
            assert!(budget.steps <= STEPS && budget.bytes <= BYTES, "the budget grew");
            let again = program.evaluate(&scope, &mut Budget::new(STEPS, BYTES));
            assert_eq!(
                format!("{before:?}"),
                format!("{again:?}"),
                "it says something else the second time"
            );
            if let Ok(value) = before {
                let _ = (value.to_json(), value.to_text());
            }
            let printed = Program::parse(program.source()).unwrap();
            assert_eq!(printed.source(), program.source());
        }
        if let Ok(text) = Text::parse(&source) {
            let _ = (text.reads(), text.check(&Known));
            let _ = text.evaluate(&scope, &mut Budget::new(STEPS, BYTES));
        }
        let tree = json!({"x": [source, {"y": format!("$({source})")}]});
        if let Ok(tree) = Tree::parse(&tree) {
            let _ = (tree.reads(), tree.check(&Known));
            let _ = tree.evaluate(&scope, &mut Budget::new(STEPS, BYTES));
        }
    });
}

/// Some words of an expression become those of others.
fn words(random: &mut Random, source: &str) -> String {
    let split = |text: &str| -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for letter in text.chars() {
            let joins = |word: &String| {
                word.chars()
                    .last()
                    .is_some_and(|last| last.is_alphanumeric() && letter.is_alphanumeric())
            };
            match words.last_mut() {
                Some(word) if joins(word) => word.push(letter),
                _ => words.push(letter.to_string()),
            }
        }
        words
    };
    let (mut words, other) = (split(source), split(random.of::<String>(&EXPRESSIONS)));
    for _ in 0..random.below(5) {
        let place = random.below(words.len() + 1);
        let from = random.below(other.len() + 1);
        let to = (from + 1 + random.below(12)).min(other.len());
        let end = (place + random.below(6)).min(words.len());
        words.splice(place..end, other[from..to].iter().cloned());
    }
    words.concat()
}

/// Any data.
pub(crate) fn data(random: &mut Random, depth: usize) -> Value {
    let kinds = if depth == 0 { 7 } else { 10 };
    match random.below(kinds) {
        0 => Value::Null,
        1 => json!(random.chance(50)),
        2 => json!(random.next().cast_signed()),
        3 => json!(random.below(5)),
        4 => json!(f64::from_bits(random.next())),
        5 => json!(*random.of::<&str>(&["", "a", "2026-01-31T08:00:00Z", "1h", "ä😀", "[1]", "x,y"])),
        6 => json!("x".repeat(random.below(300))),
        7 => (0..random.below(5)).map(|_| data(random, depth - 1)).collect(),
        _ => {
            let names = ["a", "b", "c", "output", "x", "y", "outcome", "error", "id"];
            let mut fields = Map::new();
            for _ in 0..random.below(5) {
                let name = *random.of::<&str>(&names);
                fields.insert(name.to_owned(), data(random, depth - 1));
            }
            Value::Object(fields)
        }
    }
}
