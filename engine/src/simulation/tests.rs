//! The driver's own rules; what workflows mean is shown by the tests of the language.

use std::sync::Arc;

use flowpilot_crds::WorkflowSpec;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    Answer, Attempt, Reply, Report, Scene, Seed, Signal, SignalKind, Simulation, Status, World, simulated,
};
use crate::compile::{Context, compile};
use crate::plan::Plan;
use crate::run::Task;

/// Every attempt answers after so many seconds as its step's name ends in.
struct ByName;

impl World for ByName {
    fn answer(&mut self, attempt: &Attempt<'_>) -> Answer {
        if matches!(attempt.perform.task, Task::Workflow { .. }) {
            return Answer {
                after: SignedDuration::ZERO,
                reply: Reply::Runs,
            };
        }
        let seconds = attempt.id.trim_start_matches(char::is_alphabetic);
        let mut answer = Answer::now(json!({"v": 1}));
        answer.after = SignedDuration::from_secs(seconds.parse().unwrap_or(0));
        answer
    }

    fn workflow(&mut self, _: &str) -> Option<(Arc<Plan>, String)> {
        None
    }
}

fn run(steps: &str, signals: Vec<Signal>) -> Report {
    let spec: WorkflowSpec = serde_saphyr::from_str(&format!("steps:\n{steps}")).expect("readable");
    let plan = compile(&spec, &Context::default()).expect("a workflow").plan;
    let scene = Scene {
        plan: Arc::new(simulated(plan)),
        workflow: "flow".to_owned(),
        revision: "sha256:0".to_owned(),
        tenant: "acme".to_owned(),
        variables: Map::new(),
        inputs: Map::new(),
        started_by: "ann".to_owned(),
        clock: Timestamp::UNIX_EPOCH,
        dry_run: false,
        seed: Seed::new(0, "test"),
    };
    Simulation::new(scene, signals, &mut ByName).expect("a run").run()
}

fn called(report: &Report) -> Vec<&str> {
    report.calls.iter().map(|call| call.step.as_str()).collect()
}

#[test]
fn answers_of_one_moment_are_seen_in_the_order_of_their_calls() {
    let report = run(
        "- {id: a2, uses: x/a@1}\n- {id: b2, uses: x/b@1}\n- {id: d, needs: [b2], uses: x/d@1}\n- {id: c, needs: [a2], uses: x/c@1}\n",
        Vec::new(),
    );
    assert_eq!(called(&report), ["a2", "b2", "c", "d"]);
}

#[test]
fn a_signal_comes_after_what_happens_at_its_moment() {
    let cancel = Signal {
        at: SignedDuration::from_secs(2),
        what: SignalKind::Cancel { by: "ann".to_owned() },
    };
    let report = run("- {id: a2, uses: x/a@1}\n", vec![cancel]);
    assert_eq!(report.status, Status::Succeeded, "it had ended by then");
}

#[test]
fn the_thirty_days_of_every_run_do_not_pass() {
    let report = run("- {id: hold, wait: {event: {type: x.y}}}\n", Vec::new());
    assert_eq!((report.status, report.ended_at), (Status::Waiting, None));
}

#[test]
fn a_called_workflow_that_is_not_there_fails_its_step() {
    let report = run("- {id: call, workflow: {name: nowhere}}\n", Vec::new());
    let error = report.error.expect("an error");
    assert_eq!((error.code.as_str(), report.status), ("NotFound", Status::Failed));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let steps = "- {id: a, set: {id: \"$(uuid())\", r: \"$(random())\"}}\n";
    let output = |report: &Report| -> Option<Value> { report.steps["a"].output.clone() };
    let (first, second) = (run(steps, Vec::new()), run(steps, Vec::new()));
    assert_eq!(output(&first), output(&second));
    assert!(output(&first).is_some());
}

#[test]
fn a_wait_takes_the_first_matching_event_since_the_run_started() {
    let steps = "- {id: hold, wait: {duration: 5s}}\n- {id: say, needs: [hold], emit: {type: a.b, data: {n: 2}}}\n- {id: hear, needs: [hold], wait: {event: {type: a.b}}}\n";
    let first = Signal {
        at: SignedDuration::from_secs(1),
        what: SignalKind::Event {
            event: "a.b".to_owned(),
            source: String::new(),
            data: Map::from_iter([("n".to_owned(), json!(1))]),
        },
    };
    let report = run(steps, vec![first]);
    assert_eq!(
        report.steps["hear"].output.as_ref().expect("an event")["data"],
        json!({"n": 1})
    );
}
