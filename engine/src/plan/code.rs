//! Expressions inside a plan: parsed in memory, source on the wire.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A condition: bare CEL that gives true or false.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition {
    source: String,
}

/// A JSON value whose texts may hold `$( … )`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template {
    source: Value,
}
