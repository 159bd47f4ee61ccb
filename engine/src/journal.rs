//! What happened in a run, as it is stored: the journal.
//!
//! A run's state is a function of its plan and these events. The first one is written by the API server when the
//! run starts, the last one says how it ended; everything between comes from the run's runner. Unknown fields are
//! ignored and unknown events refused, so that an older runner never continues a run it does not understand.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The run was accepted: sequence number 0.
    RunStarted {
        /// When.
        at: Timestamp,
        /// Inputs, checked and completed with defaults.
        inputs: Map<String, Value>,
        /// Tenant's variables with the workflow's on top, as they stood then.
        #[serde(default)]
        vars: Map<String, Value>,
    },
    /// An attempt of a step began.
    StepStarted {
        /// Path of the step.
        step: String,
        /// When.
        at: Timestamp,
        /// 1 for the first attempt.
        attempt: u32,
    },
    /// A step ended well.
    StepSucceeded {
        /// Path of the step.
        step: String,
        /// When.
        at: Timestamp,
        /// The attempt that succeeded.
        attempt: u32,
        /// What it gave; absent where the kind has no output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Value>,
        /// The named outcome, where the kind has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        named: Option<String>,
    },
    /// An attempt of a step failed.
    StepFailed {
        /// Path of the step.
        step: String,
        /// When.
        at: Timestamp,
        /// The attempt that failed.
        attempt: u32,
        /// Why.
        error: StepError,
        /// When the next attempt starts; absent if the step failed for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        /// The named outcome, where the kind has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        named: Option<String>,
    },
    /// A step will not run.
    StepSkipped {
        /// Path of the step.
        step: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: SkipReason,
    },
    /// A running step was ended because its block or run ended first.
    StepCancelled {
        /// Path of the step.
        step: String,
        /// When.
        at: Timestamp,
    },
    /// A step waits until a time.
    WaitStarted {
        /// Path of the step.
        step: String,
        /// When it began.
        at: Timestamp,
        /// When it ends.
        until: Timestamp,
    },
    /// Somebody wants the run to end.
    CancelRequested {
        /// When.
        at: Timestamp,
        /// Who: a user, or `timeout`.
        by: String,
    },
    /// The run ended.
    RunFinished {
        /// When.
        at: Timestamp,
        /// How.
        outcome: RunOutcome,
        /// What `outputs` gave, of a run that succeeded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outputs: Option<Map<String, Value>>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
        /// The message of the `stop` step that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
}

impl Event {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::RunStarted { at, .. }
            | Self::StepStarted { at, .. }
            | Self::StepSucceeded { at, .. }
            | Self::StepFailed { at, .. }
            | Self::StepSkipped { at, .. }
            | Self::StepCancelled { at, .. }
            | Self::WaitStarted { at, .. }
            | Self::CancelRequested { at, .. }
            | Self::RunFinished { at, .. } => *at,
        }
    }

    /// The step it is about, if any.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::StepStarted { step, .. }
            | Self::StepSucceeded { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepSkipped { step, .. }
            | Self::StepCancelled { step, .. }
            | Self::WaitStarted { step, .. } => Some(step),
            Self::RunStarted { .. } | Self::CancelRequested { .. } | Self::RunFinished { .. } => None,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// Well.
    Succeeded,
    /// With an error.
    Failed,
    /// On request.
    Cancelled,
}

/// Why a step was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SkipReason {
    /// Its own `when` was false.
    Condition,
    /// A need failed and nothing excused it.
    UpstreamFailed,
    /// The flow took another way.
    NotTaken,
    /// Its block or run ended first.
    Cancelled,
}

/// Why a step or a run failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepError {
    /// One word for the cause, such as `Timeout`.
    pub code: String,
    /// What happened, in words.
    pub message: String,
    /// Path of the step that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The attempt that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// More, in a shape of the action's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// The effect may have happened although no answer was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_have_happened: bool,
    /// What the action says about another attempt: true, false, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// What the other side asked to wait before another attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
