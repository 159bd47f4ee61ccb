//! Random graphs, random ends, random takeovers: a run always ends, starts nothing whose needs are not met, and is
//! the same after a replay.

#![expect(clippy::format_push_string, reason = "manifests are put together here, once")]

use proptest::prelude::*;

use super::world::{Answer, Mocks, World, facts, fails, gives};
use crate::journal::{Event, SkipReason};
use crate::plan::{Edge, Need};
use crate::run::{Run, StepState, StepView};
use serde_json::json;

const EDGES: [&str; 4] = ["", ".failed", ".done", "+"];

#[derive(Clone, Debug)]
struct Step {
    needs: Vec<(prop::sample::Index, usize)>,
    kind: usize,
    when: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let needs = prop::collection::vec((any::<prop::sample::Index>(), 0..EDGES.len()), 0..4);
    (needs, 0..12_usize, 0..6_usize).prop_map(|(needs, kind, when)| Step { needs, kind, when })
}

fn manifest(steps: &[Step]) -> String {
    let mut text = String::from("timeout: 1h\nsteps:\n");
    for (number, step) in steps.iter().enumerate() {
        let mut needs: Vec<String> = Vec::new();
        for (needed, edge) in step.needs.iter().filter(|_| number > 0) {
            let needed = needed.index(number);
            let edges = match EDGES[*edge] {
                "+" => vec![format!("s{needed}"), format!("s{needed}.failed")],
                edge => vec![format!("s{needed}{edge}")],
            };
            for edge in edges {
                if !needs.contains(&edge) {
                    needs.push(edge);
                }
            }
        }
        let work = match step.kind {
            0..=4 => "uses: core/log@1, with: {message: x}, retry: {attempts: 2, backoff: 1s}",
            5..=6 => "uses: core/http@1, with: {url: x, method: POST}, timeout: 20s",
            7..=8 => "set: {x: 1}",
            9 => "wait: {duration: 30s}",
            10 => "fail: {code: No}",
            _ => "stop: {status: Succeeded}",
        };
        let when = ["", "", "", "", ", when: 'true'", ", when: 'false'"][step.when];
        text.push_str(&format!(
            "- {{id: s{number}, needs: [{}], {work}{when}}}\n",
            needs.join(", ")
        ));
    }
    text
}

fn answer(number: usize) -> Answer {
    let answer = match number % 4 {
        0 | 1 => gives(json!({})),
        2 => fails("Unavailable"),
        _ => fails("BadRequest"),
    };
    answer.after([0, 1, 30, 500][number / 4 % 4])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_ends_and_its_journal_says_how(
        steps in prop::collection::vec(step(), 1..12),
        answers in prop::collection::vec(0..16_usize, 12),
        cancel in prop::option::of(0..100_i64),
        takeover in 0..30_usize,
    ) {
        let mocks = Mocks(answers.iter().enumerate().map(|(step, number)| (format!("s{step}"), vec![answer(*number)])).collect());
        let mut world = World::new(&manifest(&steps), mocks);
        if let Some(second) = cancel {
            world = world.cancel_at(second);
        }
        let mut moments = 0;
        while world.step() {
            moments += 1;
            prop_assert!(moments < 10_000, "stuck: {:?}", world.run.view());
            let mut replayed = Run::resume(world.plan.clone(), facts(), &world.journal).unwrap();
            prop_assert_eq!(replayed.view(), world.run.view());
            prop_assert_eq!(replayed.running(), world.run.running());
            if moments == takeover {
                world.doing.clear();
                let commands = replayed.recover(world.now);
                world.run = replayed;
                world.take(commands);
            }
        }
        let view = world.run.view();
        prop_assert!(view.steps.iter().all(|step| step.ended_at.is_some()));
        let replayed = Run::resume(world.plan.clone(), facts(), &world.journal).unwrap();
        prop_assert_eq!(&replayed.view(), &view);
        let finished = matches!(world.journal.last(), Some(Event::RunFinished { .. }));
        prop_assert!(finished);
        for (number, step) in view.steps.iter().enumerate().filter(|(_, step)| step.started_at.is_some()) {
            let needs = &world.plan.steps[number].needs;
            let met = needs.iter().filter(|need| is_met(need, &view.steps)).count();
            // A need that is not met is excused by another one that is: a step never runs on nothing.
            prop_assert!(needs.is_empty() || met > 0, "{} ran without a need: {:?}", step.step, view.steps);
            for need in needs {
                let needed = &view.steps[need.step];
                prop_assert!(needed.ended_at.is_some_and(|ended| Some(ended) <= step.started_at));
            }
        }
    }
}

fn is_met(need: &Need, steps: &[StepView]) -> bool {
    let step = &steps[need.step];
    need.edges.iter().any(|edge| match edge {
        Edge::Succeeded => step.state == StepState::Succeeded || step.reason == Some(SkipReason::Condition),
        Edge::Failed => step.state == StepState::Failed,
        Edge::Done => true,
        Edge::Named { .. } => false,
    })
}
