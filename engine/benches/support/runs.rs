//! Runs whose actions answer at once.

use std::sync::Arc;

use flowpilot_crds::WorkflowSpec;
use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::journal::{Event, RunMode};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Command, Facts, Run};
use jiff::Timestamp;
use serde_json::{Map, json};

pub const THREE_STEPS: &str = "
steps:
- {id: a, uses: core/log@1, with: {message: x}}
- {id: b, needs: [a], set: {x: \"$(1 + 1)\"}}
- {id: c, needs: [b], uses: core/log@1, with: {message: \"sum $(steps.b.output.x)\"}}";

/// A loop over that many items, ten at a time, two steps each.
pub fn items(count: usize) -> String {
    format!(
        "
steps:
- {{id: each, forEach: {{items: \"$(lists.range({count}))\", maxParallel: 10, maxItems: 10000, result: \"$(steps.b.output.x)\"}}}}
- {{id: a, in: each, uses: core/log@1, with: {{message: \"item $(item)\"}}}}
- {{id: b, in: each, needs: [a], set: {{x: \"$(item * 2)\"}}}}"
    )
}

pub fn plan(text: &str) -> Arc<Plan> {
    let spec: WorkflowSpec = serde_saphyr::from_str(text).unwrap();
    Arc::new(compile(&spec, &Context::default()).unwrap().plan)
}

pub fn facts() -> Facts {
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

/// Runs to the end.
pub fn run(plan: &Arc<Plan>) -> (Run, Vec<Event>) {
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
