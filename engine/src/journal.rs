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
        /// Whether it really happens.
        #[serde(default)]
        mode: RunMode,
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
        /// The output is an earlier one: no attempt was made.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        cached: bool,
        /// What a `stop` step says about the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
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
        /// What it gave nevertheless: who rejected, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Value>,
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
    /// A step waits: for a time, an event or people.
    WaitStarted {
        /// Path of the step.
        step: String,
        /// When it began.
        at: Timestamp,
        /// When it ends by itself; absent if it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Somebody voted on an approval, and the vote counts.
    Voted {
        /// Path of the step.
        step: String,
        /// When.
        at: Timestamp,
        /// What was said.
        vote: Vote,
    },
    /// A forEach knows its items, or a loop what it begins with.
    IterationsOpened {
        /// Path of the block.
        step: String,
        /// When.
        at: Timestamp,
        /// Items of a forEach.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Vec<Value>>,
        /// Values that a loop carries into its first turn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carried: Option<Map<String, Value>>,
        /// There is no first turn.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        over: bool,
    },
    /// An item or a turn began.
    IterationStarted {
        /// Path of the block with the index: `pay[3]`.
        step: String,
        /// When.
        at: Timestamp,
    },
    /// An item or a turn ended.
    IterationEnded {
        /// Path of the block with the index: `pay[3]`.
        step: String,
        /// When.
        at: Timestamp,
        /// How.
        end: IterationEnd,
    },
    /// A block fails for a reason of its own, such as its timeout or its `result`: what runs in it is ended.
    BlockFailing {
        /// Path of the block or of the iteration; empty for the run.
        step: String,
        /// When.
        at: Timestamp,
        /// Why.
        error: StepError,
    },
    /// What a block completed was not undone within the time there is for that.
    UndoGivenUp {
        /// Path of the block or of the iteration; empty for the run.
        step: String,
        /// When.
        at: Timestamp,
    },
    /// Clean-up took longer than there is time for: it is ended, too.
    CleanUpTimedOut {
        /// When.
        at: Timestamp,
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
            | Self::Voted { at, .. }
            | Self::IterationsOpened { at, .. }
            | Self::IterationStarted { at, .. }
            | Self::IterationEnded { at, .. }
            | Self::BlockFailing { at, .. }
            | Self::UndoGivenUp { at, .. }
            | Self::CleanUpTimedOut { at }
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
            | Self::WaitStarted { step, .. }
            | Self::Voted { step, .. }
            | Self::IterationsOpened { step, .. }
            | Self::IterationStarted { step, .. }
            | Self::IterationEnded { step, .. }
            | Self::BlockFailing { step, .. }
            | Self::UndoGivenUp { step, .. } => Some(step),
            Self::RunStarted { .. }
            | Self::CancelRequested { .. }
            | Self::CleanUpTimedOut { .. }
            | Self::RunFinished { .. } => None,
        }
    }

    /// Its name, as the journal has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "RunStarted",
            Self::StepStarted { .. } => "StepStarted",
            Self::StepSucceeded { .. } => "StepSucceeded",
            Self::StepFailed { .. } => "StepFailed",
            Self::StepSkipped { .. } => "StepSkipped",
            Self::StepCancelled { .. } => "StepCancelled",
            Self::WaitStarted { .. } => "WaitStarted",
            Self::Voted { .. } => "Voted",
            Self::IterationsOpened { .. } => "IterationsOpened",
            Self::IterationStarted { .. } => "IterationStarted",
            Self::IterationEnded { .. } => "IterationEnded",
            Self::BlockFailing { .. } => "BlockFailing",
            Self::UndoGivenUp { .. } => "UndoGivenUp",
            Self::CleanUpTimedOut { .. } => "CleanUpTimedOut",
            Self::CancelRequested { .. } => "CancelRequested",
            Self::RunFinished { .. } => "RunFinished",
        }
    }
}

/// Whether a run really happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunMode {
    /// It does.
    #[default]
    Run,
    /// It only looks: what would change the world is answered with an example instead.
    DryRun,
}

/// What somebody says about an approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub by: String,
    /// The groups they are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Yes or no.
    pub approve: bool,
    /// Fields that they filled in.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub form: Map<String, Value>,
    /// What they added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// How an item or a turn ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum IterationEnd {
    /// Well.
    Succeeded {
        /// The `result` of an item.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Value>,
        /// Values that a loop carries from this turn into the next one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carried: Option<Map<String, Value>>,
        /// There is no next turn.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        over: bool,
        /// When the next turn begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_at: Option<Timestamp>,
    },
    /// With an error.
    Failed {
        /// Why.
        error: StepError,
    },
    /// Its block ended first.
    Cancelled,
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
