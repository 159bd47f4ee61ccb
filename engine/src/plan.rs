//! What the compiler makes of a workflow and the machine runs: the plan.
//!
//! Steps have numbers here, and expressions are parsed. A plan travels from the API server to runners as JSON, in
//! which expressions are their source; it can always be made anew from the spec, so its format may change with
//! [`PLAN_VERSION`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::expression::{Program, Tree};

mod action;
mod edge;
mod index;
mod input;
mod policy;
mod sound;
mod trigger;
mod work;

pub use action::PlanAction;
pub use edge::{Edge, Need};
pub(crate) use index::Index;
pub use input::PlanInput;
pub(crate) use policy::{CachePolicy, RetryPolicy, UndoAction};
pub use trigger::{PlanConcurrency, PlanTrigger};
pub(crate) use work::{
    ApprovalWork, Case, ContainerWork, EventWait, ForEachWork, FormField, LoopWork, WaitFor, Work,
};

/// Version of the format. A runner refuses a plan of another one.
pub const PLAN_VERSION: u32 = 2;

/// A compiled workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct Plan {
    /// [`PLAN_VERSION`] of the compiler that made it.
    pub version: u32,
    pub(crate) inputs: Vec<PlanInput>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) variables: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) triggers: Vec<PlanTrigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) concurrency: Option<PlanConcurrency>,
    /// What the actions of the steps declared when this was compiled, by name. A name that was not known then is
    /// absent: it only reads, and takes and gives anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) actions: BTreeMap<String, PlanAction>,
    pub(crate) steps: Vec<PlanStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outputs: Option<Tree>,
    pub(crate) timeout_ms: u64,
    #[serde(skip)]
    pub(crate) index: Index,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanStep {
    /// Its name in the manifest.
    pub id: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The block it is in; absent in the run itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) block: Option<usize>,
    /// Needs lead to steps of the same block.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) needs: Vec<Need>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Program>,
    pub(crate) work: Work,
    /// Of one attempt; of a forEach and a loop: of all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<RetryPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undo: Option<UndoAction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache: Option<CachePolicy>,
    /// Its output is hidden from people.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sensitive: bool,
    /// Money it may spend, in millionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget_micros: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) runner_class: Option<String>,
}

impl Plan {
    /// What a run is given, in the order of the manifest.
    #[must_use]
    pub fn inputs(&self) -> &[PlanInput] {
        &self.inputs
    }

    /// The workflow's own variables: they go on top of the tenant's.
    #[must_use]
    pub fn variables(&self) -> &Map<String, Value> {
        &self.variables
    }

    /// What starts runs by itself, in the order of the manifest.
    #[must_use]
    pub fn triggers(&self) -> &[PlanTrigger] {
        &self.triggers
    }

    /// The steps in the order of the manifest.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &PlanStep> {
        self.steps.iter()
    }
}

impl PlanStep {
    /// The word of the manifest that says what the step does, such as `uses` or `set`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.work.kind()
    }

    /// The action of a `uses` step.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        if let Work::Uses { action, .. } = &self.work {
            Some(action)
        } else {
            None
        }
    }

    /// The block it is in, as an index into [`Plan::steps`].
    #[must_use]
    pub fn block(&self) -> Option<usize> {
        self.block
    }

    /// What it needs of steps of the same block, in the order of the manifest.
    #[must_use]
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Other steps can be in it.
    #[must_use]
    pub fn is_block(&self) -> bool {
        self.work.is_block()
    }

    /// What its kind is about, in one word of the manifest: an action, an image, a workflow, the type of an event, a
    /// code.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match &self.work {
            Work::Uses { action: word, .. }
            | Work::Workflow { name: word, .. }
            | Work::Emit { event: word, .. }
            | Work::Fail { code: word, .. } => Some(word),
            Work::Container(container) => Some(&container.image),
            Work::Wait(WaitFor::Event(event)) => Some(&event.event),
            _ => None,
        }
    }

    /// Its own condition, as it is written.
    #[must_use]
    pub fn condition(&self) -> Option<&str> {
        self.when.as_ref().map(Program::source)
    }

    /// The action that takes it back.
    #[must_use]
    pub fn undo_action(&self) -> Option<&str> {
        self.undo.as_ref().map(|undo| undo.action.as_str())
    }

    /// How many attempts it has at most.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.retry.as_ref().map_or(1, |retry| retry.attempts)
    }

    /// The paths that its expressions read.
    pub(crate) fn read_paths(&self) -> Vec<Vec<String>> {
        let mut trees = self.work.trees();
        trees.extend(self.undo.as_ref().map(|undo| -> &Tree { &undo.with }));
        trees.extend(self.cache.as_ref().map(|cache| &cache.key));
        let mut programs = self.work.conditions();
        programs.extend(&self.when);
        let of_trees = trees.into_iter().flat_map(Tree::reads).map(|(_, read)| read.path);
        let of_programs = programs
            .into_iter()
            .flat_map(Program::reads)
            .map(|read| read.path);
        of_trees.chain(of_programs).collect()
    }
}
