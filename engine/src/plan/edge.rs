//! Edges: which end of a step lets another one go on.

use serde::{Deserialize, Serialize};

/// What a step needs of one other step: an end that matches any of the edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// As an index into the steps of the plan.
    pub step: usize,
    /// At least one.
    pub edges: Vec<Edge>,
}

/// An end of a step that lets another one go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Edge {
    /// It succeeded in any way, or was passed over.
    Succeeded,
    /// It failed in any way.
    Failed,
    /// It ended in any way.
    Done,
    /// It ended with this named outcome, which refines a success or a failure.
    Named {
        /// Such as a case of a switch.
        name: String,
        /// It refines a failure.
        failure: bool,
    },
}

impl Edge {
    /// The word behind the step's id in `needs`; `succeeded` may be left out there.
    #[must_use]
    pub fn outcome(&self) -> &str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::Named { name, .. } => name,
        }
    }

    /// Only failures meet it.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::Named { failure: true, .. })
    }
}
