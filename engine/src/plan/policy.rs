//! What stands beside a step's work: more attempts, taking it back, reuse.

use serde::{Deserialize, Serialize};

use crate::expression::Tree;
use crate::template::With;

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

impl RetryPolicy {
    /// What a manifest without numbers means: three attempts, the second after about a second. Undo steps have it,
    /// too.
    pub(crate) fn standard() -> Self {
        Self {
            attempts: 3,
            backoff_ms: 1000,
            factor: 2.0,
            max_backoff_ms: 60_000,
            codes: None,
        }
    }
}

/// The action that takes a step back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UndoAction {
    pub(crate) action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connection: Option<String>,
    pub(crate) with: With,
}

/// Reuse of an earlier output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CachePolicy {
    pub(crate) key: Tree,
    pub(crate) ttl_ms: u64,
}
