//! Plans that were damaged on their way: read and run, or refused.

use std::sync::Arc;

use flowpilot_engine::journal::{Event, RunMode};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::Run;
use jiff::Timestamp;
use serde_json::Map;

use super::fuzz;
use super::journals::{damaged, go_on};
use crate::seeds;
use crate::world::facts;

#[test]
fn plans() {
    let samples: Vec<(String, Vec<Event>)> = (0..60)
        .filter_map(seeds::journal)
        .map(|(plan, journal)| (serde_json::to_string(&*plan).unwrap(), journal))
        .collect();
    fuzz("plans", |random, show| {
        let (text, journal) = random.of(&samples);
        let text = damaged(random, text);
        show(&text);
        let Ok(plan) = serde_json::from_str::<Plan>(&text) else {
            return;
        };
        let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(plan, again);
        let started = Event::RunStarted {
            at: Timestamp::UNIX_EPOCH,
            inputs: plan.check_inputs(&Map::new()).unwrap_or_default(),
            vars: Map::new(),
            mode: RunMode::Run,
        };
        if let Ok(run) = Run::resume(Arc::new(plan), facts(), &[started]) {
            go_on(run, random, &journal[1..]);
        }
    });
}
