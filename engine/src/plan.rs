//! What the compiler makes of a workflow and the machine runs: the plan.
//!
//! Steps have numbers here, and expressions are parsed. A plan travels from the API server to runners as JSON, in
//! which expressions are their source; it can always be made anew from the spec, so its format may change with
//! [`PLAN_VERSION`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::action::Effect;
use crate::expression::{Program, Tree};

mod index;
mod input;

pub(crate) use index::Index;
pub use input::PlanInput;

/// Version of the format. A runner refuses a plan of another one.
pub const PLAN_VERSION: u32 = 1;

/// A compiled workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// [`PLAN_VERSION`] of the compiler that made it.
    pub version: u32,
    pub(crate) inputs: Vec<PlanInput>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) variables: Map<String, Value>,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) needs: Vec<Need>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Program>,
    pub(crate) work: Work,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<RetryPolicy>,
}

/// What a step needs of one other step: an end that matches any of the edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Need {
    pub(crate) step: usize,
    pub(crate) edges: Vec<Edge>,
}

/// An end of a step that lets another one go on.
///
/// No kind of step that runs today has named outcomes; joins know them already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Edge {
    /// It succeeded in any way, or was passed over.
    Succeeded,
    /// It failed in any way.
    Failed,
    /// It ended in any way.
    Done,
    /// It ended with this named outcome, which refines a success or a failure.
    Named { name: String, failure: bool },
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum Work {
    /// Computes values.
    Set { values: Tree },
    /// Performs an action.
    #[serde(rename_all = "camelCase")]
    Uses {
        action: String,
        with: Tree,
        effect: Effect,
        idempotency_key: bool,
    },
    /// Lets time pass.
    Wait { duration: Tree },
    /// Fails on purpose.
    Fail { code: String, message: Option<Tree> },
    /// Ends the run.
    Stop { succeeded: bool, message: Option<Tree> },
}

/// When another attempt follows a failed one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetryPolicy {
    pub(crate) attempts: u32,
    pub(crate) backoff_ms: u64,
    pub(crate) factor: f64,
    pub(crate) max_backoff_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) codes: Option<Vec<String>>,
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

    /// The steps in the order of the manifest.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &PlanStep> {
        self.steps.iter()
    }
}

impl PlanStep {
    /// The word of the manifest that says what the step does, such as `uses` or `set`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.work {
            Work::Set { .. } => "set",
            Work::Uses { .. } => "uses",
            Work::Wait { .. } => "wait",
            Work::Fail { .. } => "fail",
            Work::Stop { .. } => "stop",
        }
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

    /// The ids of the steps it needs, as indexes into [`Plan::steps`].
    pub fn needs(&self) -> impl Iterator<Item = usize> {
        self.needs.iter().map(|need| need.step)
    }

    /// How many attempts it has at most.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.retry.as_ref().map_or(1, |retry| retry.attempts)
    }
}
