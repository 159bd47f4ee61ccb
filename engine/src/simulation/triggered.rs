//! Runs that events of the tenant start.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Simulation;
use super::live::{Birth, Live};
use super::performing::in_words;
use super::trigger::{self, Around};
use crate::plan::Plan;

/// Runs that events start in one simulation.
const TRIGGERED_RUNS: usize = 1_000;

impl Simulation<'_> {
    /// Starts the runs that an event of the tenant starts.
    pub(super) fn trigger(&mut self, number: usize) {
        for name in self.world.triggered() {
            let Some((plan, revision)) = self.world.workflow(&name) else {
                continue;
            };
            let around = Around {
                variables: &self.scene.variables,
                tenant: &self.scene.tenant,
                workflow: &name,
                revision: &revision,
            };
            for inputs in trigger::started_by(&plan, &self.events[number], around) {
                let checked = inputs
                    .map_err(|error| format!("{}: {error}", error.path))
                    .and_then(|inputs| plan.check_inputs(&inputs).map_err(|problems| in_words(&problems)));
                match checked {
                    Ok(inputs) => self.start_triggered(&name, plan.clone(), revision.clone(), inputs),
                    Err(why) => self.refuse(format!("a run of {name} that an event would start: {why}")),
                }
            }
        }
    }

    fn start_triggered(&mut self, name: &str, plan: Arc<Plan>, revision: String, inputs: Map<String, Value>) {
        self.triggered += 1;
        if self.triggered > TRIGGERED_RUNS {
            let why = format!(
                "events started more than {TRIGGERED_RUNS} runs: does `{name}` emit what starts it again?"
            );
            self.fault.get_or_insert(why);
            return;
        }
        let is_taken = |prefix: &String| self.runs.iter().any(|live| live.prefix == *prefix);
        let mut numbered = (1..).map(|number| format!("{name}[{number}]/"));
        let first = Some(format!("{name}/")).filter(|prefix| !is_taken(prefix));
        let prefix = first.or_else(|| numbered.find(|prefix| !is_taken(prefix)));
        let birth = Birth {
            plan,
            workflow: name,
            revision,
            inputs,
            prefix: prefix.unwrap_or_default(),
            caller: None,
            depth: 0,
            heard_from: self.events.len(),
            now: self.now,
        };
        match Live::start(&self.scene, birth) {
            Ok(live) => self.join(live),
            Err(error) => self.refuse(format!("a run of {name} that an event would start: {error}")),
        }
    }
}
