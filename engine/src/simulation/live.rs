//! One run of a simulation: the first one, or one that it called.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Scene;
use super::patience::is_never;
use super::world::{News, Started, World};
use crate::journal::{Event, RunMode};
use crate::plan::Plan;
use crate::run::{Facts, ReplayError, Run};

/// A run, its journal, and who waits for it.
pub(super) struct Live {
    pub(super) facts: Facts,
    pub(super) run: Run,
    pub(super) plan: Arc<Plan>,
    pub(super) workflow: String,
    /// Stands before the paths of its steps: empty, or `call/`.
    pub(super) prefix: String,
    pub(super) journal: Vec<Event>,
    /// Events of the tenant before this number came before the run.
    pub(super) heard_from: usize,
    pub(super) caller: Option<Caller>,
    /// How many runs are above it.
    pub(super) depth: u32,
    pub(super) id: Uuid,
    pub(super) outputs: Option<Map<String, Value>>,
    /// Whoever called it wants it to end.
    pub(super) aborted: bool,
}

/// The attempt of another run that called this one and waits for it.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) run: usize,
    /// The step as reports name it.
    pub(super) step: String,
    pub(super) attempt: u32,
    /// Number of the call.
    pub(super) call: usize,
}

/// What is needed to start a run.
pub(super) struct Birth<'a> {
    pub(super) plan: Arc<Plan>,
    pub(super) workflow: &'a str,
    pub(super) revision: String,
    pub(super) inputs: Map<String, Value>,
    pub(super) prefix: String,
    pub(super) caller: Option<Caller>,
    pub(super) depth: u32,
    pub(super) heard_from: usize,
    pub(super) now: Timestamp,
}

impl Live {
    pub(super) fn root(scene: &Scene) -> Result<Self, ReplayError> {
        let birth = Birth {
            plan: scene.plan.clone(),
            workflow: &scene.workflow,
            revision: scene.revision.clone(),
            inputs: scene.inputs.clone(),
            prefix: String::new(),
            caller: None,
            depth: 0,
            heard_from: 0,
            now: scene.clock,
        };
        Self::start(scene, birth)
    }

    pub(super) fn start(scene: &Scene, birth: Birth<'_>) -> Result<Self, ReplayError> {
        let Birth {
            plan,
            workflow,
            revision,
            inputs,
            prefix,
            caller,
            depth,
            heard_from,
            now,
        } = birth;
        let id = scene.seed.id(&format!("run {prefix} {now}"));
        let url = if scene.real_time {
            String::new()
        } else {
            format!("http://flowpilot.test/runs/{id}")
        };
        let facts = Facts {
            run: id,
            tenant: scene.tenant.clone(),
            workflow: workflow.to_owned(),
            revision,
            url,
            started_by: scene.started_by.clone(),
            attempt: 1,
            jitter: scene.real_time,
        };
        let started = Event::RunStarted {
            at: now,
            inputs,
            vars: scene.variables.clone(),
            mode: if scene.dry_run {
                RunMode::DryRun
            } else {
                RunMode::Run
            },
        };
        let run = Run::resume(plan.clone(), facts.clone(), std::slice::from_ref(&started))?;
        Ok(Self {
            facts,
            run,
            plan,
            workflow: workflow.to_owned(),
            prefix,
            journal: vec![started],
            heard_from,
            caller,
            depth,
            id,
            outputs: None,
            aborted: false,
        })
    }

    /// Says that it began.
    pub(super) fn tell(&self, world: &mut dyn World) {
        if let Some(event) = self.journal.first() {
            world.told(&News::Started(&Started {
                facts: &self.facts,
                prefix: &self.prefix,
                event,
            }));
        }
    }

    /// When it wants to decide by itself.
    pub(super) fn timer(&self) -> Option<Timestamp> {
        self.run.next_timer().filter(|at| !is_never(*at))
    }

    /// A step's path as people see it.
    pub(super) fn shown(&self, step: &str) -> String {
        format!("{}{step}", self.prefix)
    }
}
