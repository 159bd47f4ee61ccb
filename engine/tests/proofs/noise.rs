//! Reports that come late, twice, or about nothing: none may change anything.

use flowpilot_engine::journal::{Event, StepError, Vote};
use flowpilot_engine::run::IncomingEvent;
use serde_json::{Map, json};

use crate::oracle::{State, Verdict, check};
use crate::replay::{same, state};
use crate::world::World;

/// Says several things that mean nothing.
pub(crate) fn make(world: &mut World<'_>) -> Verdict {
    world.counts.noise += 1;
    let before = state(&world.run)?;
    let now = world.now;
    for _ in 0..4 {
        let (step, attempt) = target(world);
        let error = || StepError {
            code: "Unavailable".to_owned(),
            ..StepError::default()
        };
        let run = &mut world.run;
        let said = match world.random.below(8) {
            0 => run.attempt_succeeded(&step, attempt, json!({"late": true}), now),
            1 => run.attempt_failed(&step, attempt, error(), now),
            2 => run.attempt_cancelled(&step, attempt, now),
            3 => run.attempt_cached(&step, attempt, json!({}), now),
            4 => {
                let unknown = IncomingEvent {
                    id: "nothing".to_owned(),
                    event: "nobody.waits".to_owned(),
                    source: None,
                    time: now,
                    data: json!({"good": true}),
                };
                run.deliver(&unknown, now)
            }
            5 => {
                let vote = Vote {
                    by: "eve".to_owned(),
                    groups: Vec::new(),
                    approve: true,
                    form: Map::new(),
                    comment: None,
                };
                run.vote(&step, vote, now).unwrap_or_default()
            }
            6 => {
                let unfit = [
                    Event::StepStarted {
                        step: step.clone(),
                        at: now,
                        attempt: attempt + 70,
                    },
                    Event::IterationStarted {
                        step: format!("{step}[70]"),
                        at: now,
                    },
                    Event::StepSucceeded {
                        step: "nowhere".to_owned(),
                        at: now,
                        attempt,
                        output: None,
                        named: None,
                        cached: false,
                        message: None,
                    },
                ];
                for event in unfit {
                    check(run.apply(&event).is_err(), || format!("{event:?} fits"))?;
                }
                Vec::new()
            }
            _ if run.is_finished() => run.cancel("eve", now),
            _ => Vec::new(),
        };
        check(said.is_empty(), || {
            format!("a late report about attempt {attempt} of {step} is answered with {said:?}")
        })?;
    }
    let after = state(&world.run)?;
    same(&before, &after, "noise changed the state")
}

/// An attempt that is not under way.
fn target(world: &mut World<'_>) -> (String, u32) {
    let dead: Vec<(String, u32)> = world
        .ghosts
        .iter()
        .filter(|(step, attempt)| !is_running(world, step, *attempt))
        .cloned()
        .collect();
    if !dead.is_empty() && world.random.chance(70) {
        return world.random.of(&dead).clone();
    }
    let unknown = [
        "",
        "nowhere",
        "s0[99]",
        "s0[9].s1",
        "s0.undo.undo",
        "s0.s1",
        ".",
        "s0[",
        "[0]",
        "s0[-1].s0",
        "s1[18446744073709551616]",
    ];
    ((*world.random.of(&unknown)).to_owned(), 1)
}

/// The attempt is under way, as far as LANGUAGE goes.
pub(crate) fn is_running(world: &World<'_>, step: &str, attempt: u32) -> bool {
    let undo = step
        .strip_suffix(".undo")
        .and_then(|step| world.oracle.undos.get(step));
    let record = world.oracle.records.get(step);
    undo.is_some_and(|undo| undo.running && undo.attempts == attempt)
        || record.is_some_and(|record| record.state == State::Running && record.attempts == attempt)
}
