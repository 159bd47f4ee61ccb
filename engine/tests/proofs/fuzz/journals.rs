//! Journals and snapshots that were cut, mixed up or damaged: taken up or refused, and what is taken up goes on.

use std::sync::Arc;

use flowpilot_engine::journal::Event;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Run, Snapshot};
use jiff::Timestamp;
use serde_json::Value;

use super::{fuzz, mutate};
use crate::random::Random;
use crate::seeds;
use crate::world::facts;

/// A plan, the journal of a run of it, and its state somewhere on the way.
struct Sample {
    plan: Arc<Plan>,
    journal: Vec<Event>,
    text: String,
    snapshot: String,
}

fn sample(seed: u64) -> Option<Sample> {
    let (plan, journal) = seeds::journal(seed)?;
    let part = &journal[..=usize::try_from(seed).unwrap_or_default() % journal.len()];
    let run = Run::resume(plan.clone(), facts(), part).ok()?;
    let snapshot = serde_json::to_string(&run.snapshot()).ok()?;
    let text = serde_json::to_string(&journal).ok()?;
    Some(Sample {
        plan,
        journal,
        text,
        snapshot,
    })
}

#[test]
fn journals() {
    let samples: Vec<Sample> = (0..60).filter_map(sample).collect();
    let texts: Vec<String> = samples.iter().map(|sample| sample.text.clone()).collect();
    fuzz("journals", |random, show| {
        let sample = random.of(&samples);
        match random.below(3) {
            0 => {
                let text = mutate::text(random, &sample.text, &texts);
                show(&text);
                if let Ok(journal) = serde_json::from_str::<Vec<Event>>(&text) {
                    take_up(&sample.plan, &journal, random);
                }
                let _ = serde_json::from_slice::<Event>(&mutate::bytes(random, &text, &texts));
            }
            1 => {
                let journal = mixed(random, sample, &samples);
                show(&serde_json::to_string(&journal).unwrap());
                take_up(&sample.plan, &journal, random);
            }
            _ => {
                let text = damaged(random, &sample.snapshot);
                show(&text);
                let Ok(snapshot) = serde_json::from_str::<Snapshot>(&text) else {
                    return;
                };
                if let Ok(run) = Run::restore(sample.plan.clone(), facts(), snapshot) {
                    go_on(run, random, &sample.journal);
                }
            }
        }
    });
}

/// Events are dropped, doubled, moved, changed, or come from another run.
fn mixed(random: &mut Random, sample: &Sample, others: &[Sample]) -> Vec<Event> {
    let mut journal = sample.journal.clone();
    for _ in 0..=random.below(4) {
        let place = random.below(journal.len().max(1));
        match random.below(6) {
            0 if place < journal.len() => drop(journal.remove(place)),
            1 if place < journal.len() => {
                let event = journal[place].clone();
                journal.insert(random.below(journal.len()), event);
            }
            2 if place < journal.len() => {
                let other = random.below(journal.len());
                journal.swap(place, other);
            }
            3 => {
                let other = random.of(others);
                journal.insert(place, random.of(&other.journal).clone());
            }
            4 => journal.truncate(place.max(1)),
            _ if place < journal.len() => {
                let text = serde_json::to_string(&journal[place]).unwrap();
                let changed = mutate::text(random, &text, &[]);
                if let Ok(event) = serde_json::from_str(&changed) {
                    journal[place] = event;
                }
            }
            _ => {}
        }
    }
    journal
}

/// A text that is mostly JSON still: numbers and words change.
pub(crate) fn damaged(random: &mut Random, text: &str) -> String {
    if random.chance(40) {
        return mutate::text(random, text, &[]);
    }
    let mut value: Value = serde_json::from_str(text).unwrap();
    for _ in 0..=random.below(3) {
        damage(random, &mut value);
    }
    value.to_string()
}

fn damage(random: &mut Random, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let name = fields.keys().nth(random.below(fields.len())).unwrap().clone();
            if random.chance(3) {
                fields.remove(&name);
            } else {
                damage(random, &mut fields[&name]);
            }
        }
        Value::Array(values) if !values.is_empty() => {
            let place = random.below(values.len());
            match random.below(12) {
                0 => drop(values.remove(place)),
                1 => values.push(values[place].clone()),
                _ => damage(random, &mut values[place]),
            }
        }
        Value::Number(_) => *value = Value::from(*random.of(&[0_u64, 1, 2, 3, 7, 50, u64::MAX])),
        Value::Bool(flag) => *flag = !*flag,
        Value::Null => *value = Value::from(random.below(3)),
        _ => *value = Value::Null,
    }
}

fn take_up(plan: &Arc<Plan>, journal: &[Event], random: &mut Random) {
    let cut = random.below(journal.len() + 1);
    if let Ok(run) = Run::resume(plan.clone(), facts(), &journal[..cut]) {
        go_on(run, random, &journal[cut..]);
    }
}

/// Whatever fits is folded, and then the run decides.
pub(crate) fn go_on(mut run: Run, random: &mut Random, rest: &[Event]) {
    for event in rest {
        let _ = run.apply(event);
    }
    let mut now = Timestamp::from_second(i64::try_from(random.below(100_000)).unwrap()).unwrap();
    let _ = run.recover(now);
    for _ in 0..20 {
        let _ = run.decide(now);
        let Some(next) = run.next_timer() else { break };
        now = now.max(next);
    }
    let _ = (run.cancel("ann", now), run.decide(now), run.view(), run.running());
    let text = serde_json::to_string(&run.snapshot()).unwrap();
    let _ = serde_json::from_str::<Snapshot>(&text).unwrap();
}
