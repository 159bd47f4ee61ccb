//! What it takes to run: events of the journal per second, and taking a run up again.

#![expect(clippy::unwrap_used, reason = "a bench stops where something is wrong")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flowpilot_crds::WorkflowSpec;
use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::journal::{Event, RunMode};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Command, Facts, Run};
use jiff::Timestamp;
use serde_json::{Map, json};

const THREE_STEPS: &str = "
steps:
- {id: a, uses: core/log@1, with: {message: x}}
- {id: b, needs: [a], set: {x: \"$(1 + 1)\"}}
- {id: c, needs: [b], uses: core/log@1, with: {message: \"$(steps.b.output.x)\"}}";

fn items(count: usize) -> String {
    format!(
        "
steps:
- {{id: each, forEach: {{items: \"$(lists.range({count}))\", maxParallel: 10, maxItems: 10000, result: \"$(steps.b.output.x)\"}}}}
- {{id: a, in: each, uses: core/log@1, with: {{message: \"$(item)\"}}}}
- {{id: b, in: each, needs: [a], set: {{x: \"$(item * 2)\"}}}}"
    )
}

fn plan(text: &str) -> Arc<Plan> {
    let spec: WorkflowSpec = serde_saphyr::from_str(text).unwrap();
    Arc::new(compile(&spec, &Context::default()).unwrap().plan)
}

fn facts() -> Facts {
    Facts {
        run: uuid::Uuid::nil(),
        tenant: "acme".to_owned(),
        workflow: "bench".to_owned(),
        revision: "sha256:0".to_owned(),
        url: String::new(),
        started_by: "ann".to_owned(),
        attempt: 1,
        jitter: false,
    }
}

/// Runs to the end, every action answering at once.
fn run(plan: &Arc<Plan>) -> (Run, Vec<Event>) {
    let at = Timestamp::UNIX_EPOCH;
    let start = Event::RunStarted {
        at,
        inputs: Map::new(),
        vars: Map::new(),
        mode: RunMode::Run,
    };
    let mut run = Run::resume(plan.clone(), facts(), std::slice::from_ref(&start)).unwrap();
    let mut journal = vec![start];
    let mut performed = Vec::new();
    while !run.is_finished() {
        let mut commands = run.decide(at);
        for (step, attempt) in performed.drain(..) {
            let step: String = step;
            commands.extend(run.attempt_succeeded(&step, attempt, json!({}), at));
        }
        for command in commands {
            match command {
                Command::Record(event) => journal.push(event),
                Command::Perform(perform) => performed.push((perform.step, perform.attempt)),
                _ => {}
            }
        }
    }
    (run, journal)
}

fn running(criterion: &mut Criterion) {
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

fn taking_up(criterion: &mut Criterion) {
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

criterion_group!(benches, running, taking_up);
criterion_main!(benches);
