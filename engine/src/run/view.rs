//! A run as people see it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::journal::{RunOutcome, SkipReason, StepError};

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// How it ended; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RunOutcome>,
    /// The message of the `stop` step that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its steps in the order of the manifest.
    pub steps: Vec<StepView>,
}

/// A step of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Path of the step.
    pub step: String,
    /// Where it stands.
    pub state: StepState,
    /// The named outcome, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SkipReason>,
    /// Attempts so far.
    pub attempts: u32,
    /// When its first attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When its wait ends or its next attempt begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Error of the last attempt, if that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Not decided yet.
    Pending,
    /// An attempt is under way.
    Running,
    /// It waits for a time.
    Waiting,
    /// An attempt failed and another one follows.
    Retrying,
    /// It ended well.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It did not run.
    Skipped,
    /// It was ended because its run ended first.
    Cancelled,
}
