//! Work per event does not grow with the workflow: what the machine looks at is counted, not timed.

use std::sync::Arc;

use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::journal::{Event, RunMode};
use flowpilot_engine::run::{Command, Run};
use jiff::Timestamp;
use serde_json::{Map, json};

use crate::world::facts;

/// Decisions of a run of so many steps, one after another or all at once, each answered by itself.
fn decisions(steps: usize, chain: bool) -> u64 {
    let list: Vec<_> = (0..steps)
        .map(|step| {
            let needs = if chain && step > 0 {
                vec![format!("s{}", step - 1)]
            } else {
                Vec::new()
            };
            json!({"id": format!("s{step}"), "needs": needs, "uses": "core/log@1", "with": {"message": "x"}})
        })
        .collect();
    let spec = serde_json::from_value(json!({"steps": list})).unwrap();
    let plan = Arc::new(compile(&spec, &Context::default()).unwrap().plan);
    let now = Timestamp::UNIX_EPOCH;
    let started = Event::RunStarted {
        at: now,
        inputs: Map::new(),
        vars: Map::new(),
        mode: RunMode::Run,
    };
    let mut run = Run::resume(plan, facts(), &[started]).unwrap();
    let mut open = run.decide(now);
    while let Some(command) = open.pop() {
        if let Command::Perform(perform) = command {
            open.extend(run.attempt_succeeded(&perform.step, 1, json!({}), now));
            open.extend(run.decide(now));
        }
    }
    assert!(run.is_finished());
    run.decisions()
}

#[test]
fn a_run_ten_times_as_long_decides_ten_times_as_much() {
    for chain in [true, false] {
        let (short, long) = (decisions(40, chain), decisions(400, chain));
        assert!(
            short > 40 && long <= 10 * short,
            "chain: {chain}: {short} decisions, then {long}"
        );
    }
}
