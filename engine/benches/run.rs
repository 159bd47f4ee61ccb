//! What it takes to run: events of the journal per second, and taking a run up again.

#![expect(clippy::unwrap_used, reason = "a bench stops where something is wrong")]

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flowpilot_engine::run::Run;
use support::processor_time::{ProcessorTime, criterion};
use support::runs::{THREE_STEPS, facts, items, plan, run};

/// As in the shipped binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn running(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("run");
    for (name, text) in [
        ("three steps", THREE_STEPS.to_owned()),
        ("forEach of 1000", items(1000)),
        ("forEach of 10000", items(10_000)),
    ] {
        let plan = plan(&text);
        let (_, journal) = run(&plan);
        group.throughput(Throughput::Elements(journal.len() as u64));
        group.sample_size(10);
        group.bench_function(name, |bencher| bencher.iter(|| run(black_box(&plan))));
        group.bench_function(format!("{name}: replay"), |bencher| {
            bencher.iter(|| Run::resume(plan.clone(), facts(), black_box(&journal)).unwrap());
        });
    }
    group.finish();
}

fn taking_up(criterion: &mut Criterion<ProcessorTime>) {
    let plan = plan(&items(5000));
    let (_, journal) = run(&plan);
    let early = &journal[..10_000];
    let snapshot = Run::resume(plan.clone(), facts(), early).unwrap().snapshot();
    let text = serde_json::to_string(&snapshot).unwrap();
    criterion.bench_function("restore after 10000 events", |bencher| {
        bencher.iter(|| {
            let snapshot = serde_json::from_str(black_box(&text)).unwrap();
            Run::restore(plan.clone(), facts(), snapshot).unwrap()
        });
    });
}

criterion_group!(name = benches; config = criterion(); targets = running, taking_up);
criterion_main!(benches);
