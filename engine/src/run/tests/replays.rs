//! Journals played again: the same decisions, or the first that is another one.

use std::sync::Arc;

use super::world::{World, facts, fails, gives, mocks, plan, vote};
use crate::journal::Event;
use crate::run::{Command, Difference, Facts, Instead, Replayed, Run, replay};
use serde_json::json;

const STEPS: &str = "
- {id: a, uses: core/log@1, with: {message: x}, retry: {attempts: 3, backoff: 1s}}
- {id: ask, needs: [a], approval: {groups: [managers]}}
- {id: hold, needs: [ask.approved], wait: {event: {type: e}}}
- {id: b, needs: [hold], uses: core/http@1, with: {url: x}, timeout: 5s}
- {id: c, needs: [b.failed], set: {n: '$(uuid())', t: '$(now())'}}
";

fn finished() -> World {
    let a = vec![fails("Unavailable"), gives(json!({}))];
    let world = World::new(STEPS, mocks([("a", a), ("b", vec![gives(json!({})).after(9)])]));
    let world = world
        .vote_at(10, "ask", vote("bob", true))
        .event_at(20, "e", json!({"n": 1}));
    world.finish()
}

fn played(steps: &str, journal: &[Event]) -> Replayed {
    replay(&plan(steps), &facts(), journal).expect("a journal that begins well")
}

fn number(journal: &[Event], name: &str, step: &str) -> usize {
    let found = journal
        .iter()
        .position(|event| event.name() == name && event.step() == Some(step));
    found.expect("such an event")
}

#[test]
fn the_same_definition_decides_the_same_and_asks_for_the_same() {
    let world = finished();
    let played = played(STEPS, &world.journal);
    assert_eq!(
        (&played.difference, played.finished),
        (&None, true),
        "{:#?}",
        world.journal
    );
    let performed: Vec<&str> = played
        .turns
        .iter()
        .flat_map(|turn| &turn.commands)
        .filter_map(|command| match command {
            Command::Perform(perform) => Some(perform.step.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(performed, world.calls());
}

#[test]
fn a_journal_that_is_not_over_is_the_same_as_far_as_it_goes() {
    let world = finished();
    for length in 1..world.journal.len() {
        let played = played(STEPS, &world.journal[..length]);
        assert_eq!(
            (&played.difference, played.turns.len()),
            (&None, length),
            "{length}"
        );
    }
}

#[test]
fn another_definition_departs_where_it_decides_otherwise() {
    let journal = finished().journal;
    let departs = |steps: &str| played(steps, &journal).difference.expect("a difference");

    // A timeout that would not have come.
    let Difference { number: at, instead } = departs(&STEPS.replace("5s", "50s"));
    assert_eq!(
        (at, instead),
        (number(&journal, "StepFailed", "b"), Instead::Wait)
    );
    // A step that would start beside the first.
    let Difference { number: at, instead } = departs(&format!("{STEPS}- {{id: d, set: {{n: 1}}}}\n"));
    assert!(matches!(&instead, Instead::Event(event) if event.step() == Some("d")));
    assert_eq!(at, 2, "right after the start of a");
    // A vote that would not count.
    let Difference { number: at, instead } = departs(&STEPS.replace("managers", "owners"));
    assert!(matches!(instead, Instead::Refuse(_)));
    assert_eq!(at, number(&journal, "Voted", "ask"));
    // One attempt fewer.
    let Difference { number: at, instead } = departs(&STEPS.replace("attempts: 3", "attempts: 1"));
    let Instead::Event(event) = instead else {
        panic!("{instead:?}")
    };
    assert!(matches!(*event, Event::StepFailed { retry_at: None, .. }));
    assert_eq!(at, 2);
    // A run that ends earlier.
    let short = STEPS.replace(
        "- {id: c, needs: [b.failed]",
        "- {id: c, when: 'false', needs: [b.failed]",
    );
    let Difference { number: at, .. } = departs(&short);
    assert_eq!(at, number(&journal, "StepStarted", "c"));
}

#[test]
fn ids_and_pauses_are_those_of_the_run() {
    let journal = finished().journal;
    let other = Facts {
        run: uuid::Uuid::from_u128(8),
        ..facts()
    };
    let played = replay(&plan(STEPS), &other, &journal).expect("a journal");
    // The pause before the second attempt is of random length, which follows from the run's id.
    assert_eq!(played.difference.map(|difference| difference.number), Some(2));
}

/// Two ends that were told without a decision between them, as by a runner that was about to end.
#[test]
fn decisions_that_were_put_off_are_the_same_decisions() {
    let steps = "
- {id: a, uses: core/log@1, with: {message: x}}
- {id: b, uses: core/log@1, with: {message: x}}
- {id: c, needs: [a], set: {n: 1}}
";
    let world = World::new(steps, mocks([]));
    let (plan, mut journal, at) = (world.plan.clone(), world.journal, world.now);
    let mut run = Run::resume(plan.clone(), facts(), &journal).expect("a run");
    let record = |commands: Vec<Command>, journal: &mut Vec<Event>| {
        journal.extend(commands.into_iter().filter_map(|command| match command {
            Command::Record(event) => Some(event),
            _ => None,
        }));
    };
    let later = |seconds: i64| at + jiff::SignedDuration::from_secs(seconds);
    record(run.decide(at), &mut journal);
    record(run.attempt_succeeded("a", 1, json!({}), later(1)), &mut journal);
    record(run.attempt_succeeded("b", 1, json!({}), later(2)), &mut journal);
    let put_off = number(&journal, "StepSucceeded", "b");
    record(run.decide(later(3)), &mut journal);
    assert!(run.is_finished());
    let played = replay(&plan, &facts(), &journal).expect("a journal");
    assert_eq!((played.difference, played.finished), (None, true));

    // If they do not come at all, that is where the journal departs.
    journal.truncate(put_off + 1);
    let at = later(4);
    journal.push(Event::StepSkipped {
        step: "c".to_owned(),
        at,
        reason: crate::journal::SkipReason::Condition,
    });
    let played = replay(&Arc::clone(&plan), &facts(), &journal).expect("a journal");
    assert_eq!(
        played.difference.map(|difference| difference.number),
        Some(put_off)
    );
}

#[test]
fn events_after_the_end_and_journals_without_a_beginning_are_refused() {
    let mut journal = finished().journal;
    let last = journal.last().cloned().expect("an end");
    journal.push(last);
    let difference = played(STEPS, &journal).difference.expect("a difference");
    assert_eq!(
        (difference.number, difference.instead),
        (journal.len() - 1, Instead::Over)
    );
    assert!(replay(&plan(STEPS), &facts(), &journal[1..]).is_err());
    assert!(replay(&plan(STEPS), &facts(), &[]).is_err());
}
