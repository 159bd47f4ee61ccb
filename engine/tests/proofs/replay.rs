//! A journal means one state: taken up whole, from a snapshot with the rest, or through its text.

use std::sync::Arc;

use flowpilot_engine::journal::Event;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Command, Run, Snapshot, UndoState};
use serde_json::Value;

use crate::oracle::{Oracle, State, Verdict, check};
use crate::world::{World, facts};

/// What is decided, not recorded: queues, and what was asked of attempts that belong to one runner.
const DECIDED: [&str; 9] = [
    "dirty", "sweeps", "settling", "ready", "timers", "timer", "aborted", "results", "digest",
];

pub(crate) fn from_journal(world: &World<'_>) -> Result<Run, String> {
    let text = serde_json::to_string(&world.journal).map_err(|error| error.to_string())?;
    let journal: Vec<Event> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    check(journal == world.journal, || {
        "the journal is another one after it was written and read".to_owned()
    })?;
    Run::resume(world.plan.clone(), facts(), &journal)
        .map_err(|error| format!("the journal is not replayed: {error}"))
}

pub(crate) fn from_snapshot(world: &World<'_>) -> Result<Run, String> {
    restore(&world.plan, &encode(&world.run)?)
}

fn restore(plan: &Arc<Plan>, text: &str) -> Result<Run, String> {
    let snapshot: Snapshot =
        serde_json::from_str(text).map_err(|error| format!("the snapshot is not read: {error}"))?;
    Run::restore(plan.clone(), facts(), snapshot).map_err(|error| error.to_string())
}

fn encode(run: &Run) -> Result<String, String> {
    serde_json::to_string(&run.snapshot()).map_err(|error| error.to_string())
}

/// The state of a run.
pub(crate) fn state(run: &Run) -> Result<Value, String> {
    serde_json::to_value(run.snapshot()).map_err(|error| error.to_string())
}

fn recorded(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !DECIDED.contains(&name.as_str()));
            // Who waited for a type of events once, waits in an empty list.
            if let Some(Value::Object(listening)) = fields.get_mut("listening") {
                listening.retain(|_, waits| waits.as_array().is_none_or(|waits| !waits.is_empty()));
            }
            fields.values_mut().for_each(recorded);
        }
        Value::Array(values) => values.iter_mut().for_each(recorded),
        _ => {}
    }
}

fn recorded_state(run: &Run) -> Result<Value, String> {
    let mut value = state(run)?;
    recorded(&mut value);
    Ok(value)
}

pub(crate) fn same(left: &Value, right: &Value, what: &str) -> Verdict {
    check(left == right, || {
        let mut all = Vec::new();
        differences(left, right, "", &mut all);
        format!("{what}: {}", all.join("; "))
    })
}

/// Where two values differ.
fn differences(left: &Value, right: &Value, path: &str, all: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            for name in left
                .keys()
                .chain(right.keys().filter(|name| !left.contains_key(*name)))
            {
                let of =
                    |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                differences(&of(left), &of(right), &format!("{path}.{name}"), all);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (number, (left, right)) in left.iter().zip(right).enumerate() {
                differences(left, right, &format!("{path}[{number}]"), all);
            }
        }
        _ if left == right => {}
        _ => all.push(format!("{path} is {left} and {right}")),
    }
}

/// At a quiet moment.
pub(crate) fn check_state(world: &mut World<'_>) -> Verdict {
    world.counts.replays += 1;
    let mut replayed = from_journal(world)?;
    let text = encode(&world.run)?;
    let mut restored = restore(&world.plan, &text)?;
    same(
        &state(&restored)?,
        &state(&world.run)?,
        "a snapshot that is taken up is another one",
    )?;
    same(
        &recorded_state(&replayed)?,
        &recorded_state(&world.run)?,
        "the journal gives another state",
    )?;
    check(replayed.view() == world.run.view(), || {
        "the journal gives another view".to_owned()
    })?;
    check(restored.view() == world.run.view(), || {
        "the snapshot gives another view".to_owned()
    })?;
    check(replayed.running() == world.run.running(), || {
        "another number of attempts runs".to_owned()
    })?;
    check(restored.next_timer() == world.run.next_timer(), || {
        "the snapshot wakes at another time".to_owned()
    })?;
    let said = restored.decide(world.now);
    check(said.is_empty(), || {
        format!("nothing happened, and the snapshot says {said:?}")
    })?;
    rest(world, &replayed)?;
    world.kept = Some((text, world.journal.len()));
    view_agrees(&world.oracle, &world.run)?;
    // Both go on in the same way.
    let one = go_on(&mut replayed, world);
    let other = go_on(&mut restored, world);
    check(one == other, || {
        let only = |these: &[Command], those: &[Command]| -> Vec<String> {
            these
                .iter()
                .filter(|command| !those.contains(command))
                .map(|command| format!("{command:?}"))
                .collect()
        };
        format!(
            "a new runner is told {:?} after a replay, {:?} after a snapshot",
            only(&one, &other),
            only(&other, &one)
        )
    })
}

/// What a new runner is told.
fn go_on(run: &mut Run, world: &World<'_>) -> Vec<Command> {
    let mut commands = run.recover(world.now);
    commands.extend(run.decide(world.now));
    commands
}

/// A snapshot of an earlier moment with the events since then is the whole.
fn rest(world: &World<'_>, whole: &Run) -> Verdict {
    let Some((text, length)) = &world.kept else {
        return Ok(());
    };
    let mut run = restore(&world.plan, text)?;
    for event in &world.journal[*length..] {
        run.apply(event)
            .map_err(|error| format!("a snapshot and the rest: {error}"))?;
    }
    same(
        &recorded_state(&run)?,
        &recorded_state(whole)?,
        "a snapshot and the rest are not the whole",
    )
}

/// People see what the journal says.
fn view_agrees(oracle: &Oracle<'_>, run: &Run) -> Verdict {
    use flowpilot_engine::run::StepState;
    let view = run.view();
    for step in view
        .steps
        .iter()
        .filter(|step| step.step.strip_suffix(".undo").is_none())
    {
        let expected = match oracle.state(&step.step) {
            None => StepState::Pending,
            Some(State::Running) => StepState::Running,
            Some(State::Waiting) => StepState::Waiting,
            Some(State::Retrying) => StepState::Retrying,
            Some(State::Succeeded) => StepState::Succeeded,
            Some(State::Failed) => StepState::Failed,
            Some(State::Skipped(_)) => StepState::Skipped,
            Some(State::Cancelled) => StepState::Cancelled,
        };
        check(step.state == expected, || {
            format!("{} is shown as {:?} but is {expected:?}", step.step, step.state)
        })?;
    }
    let incomplete = view.undo == UndoState::Incomplete;
    check(incomplete == oracle.incomplete, || {
        format!("the undo is shown as {:?}", view.undo)
    })
}

/// When the run is over.
pub(crate) fn check_whole(world: &mut World<'_>) -> Verdict {
    let replayed = from_journal(world)?;
    check(replayed.view() == world.run.view(), || {
        "the journal gives another view".to_owned()
    })?;
    view_agrees(&world.oracle, &world.run)?;
    // A state is large, and what it says was mostly compared on the way.
    if !world.random.chance(20) {
        return Ok(());
    }
    same(
        &recorded_state(&replayed)?,
        &recorded_state(&world.run)?,
        "the journal gives another state",
    )?;
    rest(world, &replayed)?;
    for length in (1..world.journal.len()).step_by(world.journal.len() / 3 + 1) {
        let beginning = Run::resume(world.plan.clone(), facts(), &world.journal[..length]);
        check(beginning.is_ok(), || {
            format!("{length} events are not replayed: {:?}", beginning.err())
        })?;
    }
    Ok(())
}
