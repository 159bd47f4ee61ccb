//! Random workflows with blocks, random ends, random takeovers: a run always ends, starts nothing whose needs are
//! not met or whose block is over, takes back what it must, and is decided the same when it is played again.

#![expect(clippy::format_push_string, reason = "manifests are put together here, once")]

mod laws;

use proptest::prelude::*;

use super::world::{Answer, Mocks, Signal, World, facts, fails, gives, vote};
use crate::compile::{Context, compile};
use crate::journal::Event;
use crate::run::{Run, replay};
use serde_json::json;

const EDGES: [&str; 5] = ["", ".failed", ".done", "+", ""];

#[derive(Clone, Debug)]
struct Step {
    block: prop::sample::Index,
    needs: Vec<(prop::sample::Index, usize)>,
    kind: usize,
    when: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let needs = prop::collection::vec((any::<prop::sample::Index>(), 0..EDGES.len()), 0..3);
    (any::<prop::sample::Index>(), needs, 0..20_usize, 0..8_usize).prop_map(|(block, needs, kind, when)| {
        Step {
            block,
            needs,
            kind,
            when,
        }
    })
}

const BLOCKS: [&str; 7] = [
    "group: {}",
    "group: {}, retry: {attempts: 2, backoff: 1s}, timeout: 300s",
    "group: {race: true}",
    "forEach: {items: [1, 2, 3], maxParallel: 2}",
    "forEach: {items: [1, 2], onItemError: Collect, result: $(index)}",
    "loop: {while: turn.n < 2, init: {n: 0}, next: {n: $(turn.n + 1)}, delay: 5s}",
    "loop: {until: 'false', maxIterations: 2}, timeout: 400s",
];
const UNDO: &str = "undo: {uses: core/log@1, with: {message: x}}";

fn work(kind: usize) -> String {
    match kind {
        0..7 => BLOCKS[kind].to_owned(),
        7..10 => {
            format!("uses: core/log@1, with: {{message: x}}, retry: {{attempts: 2, backoff: 1s}}, {UNDO}")
        }
        10..13 => format!("uses: core/http@1, with: {{url: x, method: POST}}, timeout: 20s, {UNDO}"),
        13 => "set: {x: 1}".to_owned(),
        14 => "wait: {duration: 30s}".to_owned(),
        15 => "fail: {code: No}".to_owned(),
        16 => "stop: {status: Succeeded}".to_owned(),
        17 => "stop: {status: Failed}".to_owned(),
        18 => "approval: {groups: [managers], timeout: 100s}".to_owned(),
        _ => "wait: {event: {type: e, timeout: 200s}}".to_owned(),
    }
}

fn manifest(steps: &[Step]) -> String {
    let mut text = String::from("timeout: 1h\nsteps:\n");
    let mut blocks: Vec<(usize, usize)> = Vec::new();
    let mut block_of: Vec<Option<usize>> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let choice = step.block.index(blocks.len() + 1);
        let block = blocks.get(choice).map(|(block, _)| *block);
        let depth = blocks.get(choice).map_or(0, |(_, depth)| *depth);
        let siblings: Vec<usize> = (0..number)
            .filter(|sibling| block_of[*sibling] == block)
            .collect();
        let mut needs: Vec<String> = Vec::new();
        for (needed, edge) in step.needs.iter().filter(|_| !siblings.is_empty()) {
            let needed = siblings[needed.index(siblings.len())];
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
        let kind = if depth == 3 && step.kind < 7 {
            13
        } else {
            step.kind
        };
        let place = block.map_or_else(String::new, |block| format!("in: s{block}, "));
        let when = match step.when {
            0 => ", when: 'true'",
            1 => ", when: 'false'",
            _ => "",
        };
        text.push_str(&format!(
            "- {{id: s{number}, {place}needs: [{}], {}{when}}}\n",
            needs.join(", "),
            work(kind)
        ));
        if kind < 7 {
            blocks.push((number, depth + 1));
            // A block has at least one step.
            text.push_str(&format!(
                "- {{id: t{number}, in: s{number}, {}}}\n",
                work(7 + number % 5)
            ));
        }
        block_of.push(block);
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

/// Answers by step id, whatever the item.
fn mocks(steps: usize, answers: &[usize]) -> Mocks {
    let mut mocks = Mocks(std::collections::BTreeMap::new());
    for step in 0..steps {
        let mut several: Vec<Answer> = (0..3)
            .map(|call| answer(answers[(step * 3 + call) % answers.len()]))
            .collect();
        mocks.0.insert(format!("s{step}"), several.clone());
        several.reverse();
        mocks.0.insert(format!("t{step}"), several);
    }
    mocks
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_ends_and_its_journal_says_how(
        steps in prop::collection::vec(step(), 1..14),
        answers in prop::collection::vec(0..16_usize, 17),
        cancel in prop::option::of(0..100_i64),
        takeover in 0..40_usize,
    ) {
        let text = manifest(&steps);
        let spec: flowpilot_crds::WorkflowSpec = serde_saphyr::from_str(&text).unwrap();
        // Some graphs are refused; those that are not must run.
        let Ok(compiled) = compile(&spec, &Context::default()) else { return Ok(()) };
        let mut world = World::of(compiled.plan.into(), json!({}), mocks(steps.len(), &answers));
        world.answers_by_id = true;
        world.is_slow = steps.len() % 2 == 0;
        for second in [1, 3, 50] {
            world = world.signal_at(second, Signal::Event("e".to_owned(), json!({})));
        }
        for number in 0..steps.len() {
            world = world.vote_at(40, &format!("s{number}"), vote("bob", number % 3 > 0));
        }
        if let Some(second) = cancel {
            world = world.cancel_at(second);
        }
        let mut moments = 0;
        while world.step() {
            moments += 1;
            prop_assert!(moments < 10_000, "stuck: {:?}\n{}", world.run.view(), text);
            let mut replayed = Run::resume(world.plan.clone(), facts(), &world.journal).unwrap();
            prop_assert_eq!(replayed.view(), world.run.view(), "{}", text);
            prop_assert_eq!(replayed.running(), world.run.running());
            let snapshot = serde_json::to_string(&world.run.snapshot()).unwrap();
            let restored = Run::restore(world.plan.clone(), facts(), serde_json::from_str(&snapshot).unwrap()).unwrap();
            prop_assert_eq!(restored.view(), world.run.view());
            prop_assert_eq!(restored.next_timer(), world.run.next_timer());
            prop_assert_eq!(serde_json::to_string(&restored.snapshot()).unwrap().len(), snapshot.len());
            if moments == takeover {
                if takeover % 2 == 0 {
                    replayed = restored;
                }
                world.doing.clear();
                let commands = replayed.recover(world.now);
                world.run = replayed;
                world.take(commands);
            }
        }
        let replayed = Run::resume(world.plan.clone(), facts(), &world.journal).unwrap();
        prop_assert_eq!(&replayed.view(), &world.run.view());
        let finished = matches!(world.journal.last(), Some(Event::RunFinished { .. }));
        prop_assert!(finished);
        for length in (1..world.journal.len()).step_by(7) {
            let prefix = Run::resume(world.plan.clone(), facts(), &world.journal[..length]);
            prop_assert!(prefix.is_ok(), "{:?}", prefix.err());
        }
        let played = replay(&world.plan, &facts(), &world.journal).unwrap();
        prop_assert_eq!(&played.difference, &None, "{}\n{:#?}", text, &world.journal);
        prop_assert!(played.finished && played.turns.len() == world.journal.len());
        laws::check(&world).map_err(|broken| TestCaseError::fail(format!("{broken}\n{text}\n{:#?}", world.journal)))?;
    }
}
