//! Expressions as runs evaluate them: parsed before, on data that is there already. The `cel` crate evaluates the same
//! expressions on the same data in the same process, for comparison.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use flowpilot_engine::expression::{Budget, Program, Tree, Value, Variables};
use serde_json::{Value as Json, json};
use std::hint::black_box;
use support::processor_time::{ProcessorTime, criterion};

/// As in the shipped binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FILTER: &str = "items.filter(i, i.amount > 100 && i.country in allowed)";
const CONDITION: &str = "steps.a.output.total > 10";

/// Fifty orders of six fields, of which about a third pass.
fn items() -> Json {
    let countries = ["AT", "DE", "CH", "FR", "IT", "ES", "PL"];
    (0..50)
        .map(|index| {
            json!({
                "id": format!("order-{index}"), "customer": "Ada", "amount": 13 * index % 300,
                "country": countries[index % countries.len()], "paid": index % 2 == 0, "note": null,
            })
        })
        .collect()
}

fn data() -> Json {
    json!({
        "items": items(), "allowed": ["AT", "DE", "CH"],
        "steps": {"a": {"output": {"id": "x", "total": 12, "currency": "EUR"}, "outcome": "succeeded"}},
    })
}

fn evaluations(criterion: &mut Criterion<ProcessorTime>) {
    let mut scope = Variables::default();
    let data = data();
    for (name, value) in data.as_object().expect("an object") {
        scope.set_json(name.as_str(), value);
    }
    let mut group = criterion.benchmark_group("expression");
    for (name, source) in [
        ("filter 50 items", FILTER),
        ("condition", CONDITION),
        (
            "map 50 items",
            "items.map(i, {'id': i.id, 'gross': i.amount * 12 / 10})",
        ),
        ("sort 50 items", "items.sortBy(i, i.amount).map(i, i.id)"),
        (
            "text",
            "'Order ' + steps.a.output.id + ': ' + string(steps.a.output.total)",
        ),
        ("optional", "steps.?b.output.?total.orValue(0) == 0"),
        ("duration", "timestamp('2026-01-31T08:00:00Z') + duration('36h')"),
    ] {
        let program = Program::parse(source).expect("an expression");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                program
                    .evaluate(black_box(&scope), &mut Budget::default())
                    .expect("a value")
            });
        });
    }
    let tree = json!({"url": "https://shop.example/orders/$(steps.a.output.id)", "total": "$(steps.a.output.total)", "fixed": [1, 2]});
    let tree = Tree::parse(&tree).expect("a tree");
    group.bench_function("tree", |bencher| {
        bencher.iter(|| {
            tree.evaluate(black_box(&scope), &mut Budget::default())
                .expect("a value")
        });
    });
    group.bench_function("parse the filter", |bencher| {
        bencher.iter(|| Program::parse(black_box(FILTER)).expect("an expression"));
    });
    group.bench_function("items from JSON", |bencher| {
        bencher.iter(|| Value::from_json(black_box(&data["items"])));
    });
    group.finish();
}

/// The same by the `cel` crate.
fn comparison(criterion: &mut Criterion<ProcessorTime>) {
    let mut context = cel::Context::default();
    let data = data();
    for (name, value) in data.as_object().expect("an object") {
        let value = cel::to_value(value).expect("a value");
        context.add_variable_from_value(name.as_str(), value);
    }
    let mut group = criterion.benchmark_group("cel crate");
    for (name, source) in [("filter 50 items", FILTER), ("condition", CONDITION)] {
        let program = cel::Program::compile(source).expect("an expression");
        group.bench_function(name, |bencher| {
            bencher.iter(|| program.execute(black_box(&context)).expect("a value"));
        });
    }
    group.finish();
}

criterion_group!(name = benches; config = criterion(); targets = evaluations, comparison);
criterion_main!(benches);
