//! The driver's own rules; what workflows mean is shown by the tests of the language.

use std::sync::Arc;

use flowpilot_crds::WorkflowSpec;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    Answer, Attempt, News, Reply, Report, Scene, Seed, Signal, SignalKind, Simulation, Status, World,
    simulated,
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
        plan: Arc::new(simulated(plan, false)),
        workflow: "flow".to_owned(),
        revision: "sha256:0".to_owned(),
        tenant: "acme".to_owned(),
        variables: Map::new(),
        inputs: Map::new(),
        started_by: "ann".to_owned(),
        clock: Timestamp::UNIX_EPOCH,
        dry_run: false,
        seed: Seed::new(0, "test"),
        real_time: false,
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

/// Workflows that events start, and hands that answer later.
struct Tenant {
    plans: Vec<(&'static str, Arc<Plan>)>,
    wanted: Vec<(uuid::Uuid, String, u32)>,
    stopped: Vec<String>,
    told: Vec<String>,
}

impl Tenant {
    fn new(workflows: &[(&'static str, &str)]) -> Self {
        let plan = |text: &str| {
            let spec: WorkflowSpec = serde_saphyr::from_str(text).expect("readable");
            Arc::new(compile(&spec, &Context::default()).expect("a workflow").plan)
        };
        Self {
            plans: workflows.iter().map(|(name, text)| (*name, plan(text))).collect(),
            wanted: Vec::new(),
            stopped: Vec::new(),
            told: Vec::new(),
        }
    }

    fn scene(&self, real_time: bool) -> Scene {
        Scene {
            plan: self.plans[0].1.clone(),
            workflow: self.plans[0].0.to_owned(),
            revision: "sha256:0".to_owned(),
            tenant: "acme".to_owned(),
            variables: Map::new(),
            inputs: Map::new(),
            started_by: "ann".to_owned(),
            clock: Timestamp::UNIX_EPOCH,
            dry_run: false,
            seed: Seed::new(0, "test"),
            real_time,
        }
    }
}

impl World for Tenant {
    fn answer(&mut self, attempt: &Attempt<'_>) -> Answer {
        let reply = if matches!(attempt.perform.task, Task::Workflow { .. }) {
            Reply::Runs
        } else {
            self.wanted
                .push((attempt.run, attempt.perform.step.clone(), attempt.perform.attempt));
            Reply::Later
        };
        Answer {
            after: SignedDuration::ZERO,
            reply,
        }
    }

    fn workflow(&mut self, name: &str) -> Option<(Arc<Plan>, String)> {
        let found = self.plans.iter().find(|(known, _)| *known == name);
        found.map(|(_, plan)| (plan.clone(), "sha256:0".to_owned()))
    }

    fn triggered(&mut self) -> Vec<String> {
        self.plans.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn stop(&mut self, _: uuid::Uuid, step: &str) {
        self.stopped.push(step.to_owned());
    }

    fn told(&mut self, news: &News<'_>) {
        match news {
            News::Started(started) => self.told.push(format!("{}started", started.prefix)),
            News::Refused(why) => self.told.push(format!("refused: {why}")),
            News::Asked { path, .. } => self.told.push(format!("{path} asks")),
            News::Listens { path, event } => self.told.push(format!("{path} listens to {event}")),
            News::Recorded { .. } => {}
        }
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

#[test]
fn a_workflow_that_starts_itself_again_and_again_is_a_fault() {
    let text = "{triggers: [{id: t, event: {type: x}}], steps: [{id: a, emit: {type: x}}]}";
    let mut tenant = Tenant::new(&[("echo", text)]);
    let report = Simulation::new(tenant.scene(false), Vec::new(), &mut tenant)
        .expect("a run")
        .run();
    let fault = report.fault.expect("a fault");
    assert_eq!(
        fault,
        "events started more than 1000 runs: does `echo` emit what starts it again?"
    );
}

#[test]
fn an_event_that_gives_wrong_inputs_starts_nothing_and_is_told() {
    let main = "{steps: [{id: a, emit: {type: x, data: {n: many}}}]}";
    let other = "{inputs: [{name: n, type: integer, required: true}], triggers: [{id: t, event: {type: x}, inputs: {n: $(trigger.body.n)}}], steps: [{id: s, set: {n: 1}}]}";
    let mut tenant = Tenant::new(&[("main", main), ("other", other)]);
    let report = Simulation::new(tenant.scene(false), Vec::new(), &mut tenant)
        .expect("a run")
        .run();
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(report.refused.len(), 1);
    assert!(
        report.refused[0].contains("a run of other"),
        "{:?}",
        report.refused
    );
}

#[test]
fn hands_answer_later_and_only_once() {
    let text = "{steps: [{id: a, uses: x/a@1, timeout: 10s}, {id: b, uses: x/b@1}, {id: c, needs: [a.failed, b], set: {n: 1}}]}";
    let mut tenant = Tenant::new(&[("main", text)]);
    let mut simulation = Simulation::new(tenant.scene(true), Vec::new(), &mut tenant).expect("a run");
    simulation.begin();
    assert!(!simulation.waits_for_somebody() && !simulation.is_over());
    assert_eq!(simulation.next_moment(), Some(at(10)), "the timeout of a");
    let id = Seed::new(0, "test").id(&format!("run  {}", Timestamp::UNIX_EPOCH));
    // Of another attempt, of a step that does not run, of a run that is not there: nothing.
    simulation.ended(id, "b", 2, Ok(json!({})), at(1));
    simulation.ended(id, "c", 1, Ok(json!({})), at(1));
    simulation.ended(uuid::Uuid::nil(), "b", 1, Ok(json!({})), at(1));
    simulation.ended(id, "b", 1, Ok(json!({"n": 1})), at(2));
    simulation.ended(id, "b", 1, Ok(json!({"n": 2})), at(3));
    simulation.advance(at(11));
    simulation.ended(id, "a", 1, Ok(json!({"late": true})), at(12));
    assert!(simulation.is_over());
    let report = simulation.finish();
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(report.steps["b"].output, Some(json!({"n": 1})));
    assert_eq!(report.steps["a"].ended_at, Some(at(11)));
    assert_eq!(tenant.stopped, ["a"]);
    assert_eq!(tenant.wanted.len(), 2);
}

#[test]
fn a_run_that_waits_for_somebody_says_so_and_all_can_be_cancelled() {
    let main = "{steps: [{id: nap, wait: {duration: 5s}}, {id: ask, approval: {}}, {id: free, workflow: {name: other, await: false}}]}";
    let other = "{steps: [{id: hold, wait: {event: {type: x}}}]}";
    let mut tenant = Tenant::new(&[("main", main), ("other", other)]);
    let mut simulation = Simulation::new(tenant.scene(true), Vec::new(), &mut tenant).expect("a run");
    simulation.begin();
    assert!(!simulation.waits_for_somebody(), "the nap goes on by itself");
    simulation.advance(at(5));
    assert!(simulation.waits_for_somebody());
    simulation.cancel_all("ann", at(6));
    assert!(simulation.is_over(), "the detached run, too");
    let report = simulation.finish();
    assert_eq!(
        (report.status, report.ended_at),
        (Status::Cancelled, Some(SignedDuration::from_secs(6)))
    );
    assert_eq!(
        tenant.told,
        ["started", "ask asks", "free/started", "free/hold listens to x"]
    );
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
