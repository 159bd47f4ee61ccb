//! Edges: which end of a step lets another one go on.

use serde::{Deserialize, Serialize};

/// What a step needs of one other step: an end that matches any of the edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Need {
    pub(crate) step: usize,
    pub(crate) edges: Vec<Edge>,
}

/// An end of a step that lets another one go on.
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
