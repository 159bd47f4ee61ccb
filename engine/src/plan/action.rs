//! What a plan keeps of an action: enough to run without asking anybody.

use std::collections::BTreeMap;

use flowpilot_crds::connector::Effect;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An action as it was declared when the plan was compiled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanAction {
    /// What it does to the world, at worst.
    pub effect: Effect,
    /// It passes an idempotency key on.
    #[serde(default)]
    pub idempotency_key: bool,
    /// JSON Schema of its input.
    pub input: Value,
    /// JSON Schema of its output.
    pub output: Value,
    /// Fields of the input that are templates, with what they are rendered for: `text`, `html` or `json`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
}
