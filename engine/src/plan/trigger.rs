//! What starts runs by itself, and which runs must not go on together.

use serde::{Deserialize, Serialize};

use crate::expression::{Program, Tree};

/// A trigger: how what happened becomes the inputs of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanTrigger {
    /// Its name.
    pub id: String,
    /// `webhook`, `schedule` or `event`.
    pub kind: String,
    pub(crate) inputs: Tree,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dedupe_key: Option<Tree>,
    /// Of an event trigger: the type it listens to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_type: Option<String>,
    /// Of an event trigger: which events start a run.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub(crate) matches: Option<Program>,
}

/// Runs with the same key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanConcurrency {
    pub(crate) key: Tree,
    /// How many of them go on at the same moment.
    pub max: u32,
}
