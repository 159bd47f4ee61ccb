//! What it takes to read, check and compile a workflow.

#![expect(clippy::unwrap_used, reason = "a bench stops where something is wrong")]

mod support;

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::manifest::{check_workflow, parse};
use support::processor_time::{ProcessorTime, criterion};

/// As in the shipped binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A workflow as people write them: calls, computed values, a switch, a block; every step reads some others.
fn manifest(steps: usize) -> String {
    let mut text = String::from(
        "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: bench, namespace: fp-acme}\nspec:\n  \
         inputs:\n  - {name: letter, type: string, required: true}\n  - {name: items, type: array, default: [], schema: \
         {items: {type: object, required: [id], properties: {id: {type: string}, amount: {type: number}}}}}\n  \
         variables: {limit: 100}\n  steps:\n",
    );
    for step in 0..steps {
        let before = step.saturating_sub(1);
        let needs = if step == 0 {
            String::new()
        } else {
            format!("s{before}")
        };
        let line = match step % 5 {
            0 => format!(
                "{{id: s{step}, needs: [{needs}], uses: core/http@1, with: {{url: \"https://x.test/$(inputs.letter)\", \
                 method: POST, json: {{n: \"$(vars.limit + {step})\"}}}}, retry: {{attempts: 3, backoff: 2s}}, timeout: 30s}}"
            ),
            1 => format!(
                "{{id: s{step}, needs: [{needs}], set: {{status: \"$(steps.s{before}.output.status)\", ok: \
                 \"$(steps.s{before}.output.status < 300)\"}}}}"
            ),
            2 => format!(
                "{{id: s{step}, needs: [{needs}], switch: {{cases: [{{name: large, when: \"steps.s{before}.output.status \
                 > vars.limit\"}}], default: small}}}}"
            ),
            3 => format!(
                "{{id: s{step}, needs: [{needs}.large], set: {{sum: \"$(inputs.items.filter(i, i.amount > 100.0).map(i, \
                 i.amount).sum())\"}}}}"
            ),
            _ => format!(
                "{{id: s{step}, needs: [{needs}, s{}.small], uses: core/log@1, with: {{message: \"step {step}: \
                 $(steps.s{}.outcome)\"}}}}",
                step - 2,
                step - 2
            ),
        };
        writeln!(text, "  - {line}").unwrap();
    }
    text.push_str("  outputs: {first: \"$(steps.s1.output.status)\"}\n");
    text
}

fn compiling(criterion: &mut Criterion<ProcessorTime>) {
    for steps in [20, 100, 500] {
        let text = manifest(steps);
        let document = parse(text.as_bytes()).unwrap().remove(0);
        let context = Context::default();
        let (spec, _) = check_workflow(&document.object, &context).unwrap();
        let mut group = criterion.benchmark_group(format!("{steps} steps"));
        group.bench_function("parse, check and compile", |bencher| {
            bencher.iter(|| {
                let document = parse(black_box(text.as_bytes())).unwrap().remove(0);
                check_workflow(&document.object, &context).unwrap()
            });
        });
        group.bench_function("parse", |bencher| {
            bencher.iter(|| parse(black_box(text.as_bytes())).unwrap());
        });
        group.bench_function("compile", |bencher| {
            bencher.iter(|| compile(black_box(&spec), &context).unwrap());
        });
        group.finish();
    }
}

criterion_group!(name = benches; config = criterion(); targets = compiling);
criterion_main!(benches);
