//! A run as people see it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Run;
use super::record::{Phase, Record};
use crate::journal::{RunOutcome, SkipReason, StepError};
use crate::plan::PlanStep;

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// How it ended; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RunOutcome>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
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
    /// The word of the manifest that says what it does, such as `uses`.
    pub kind: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
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

impl Run {
    /// The state for people.
    #[must_use]
    pub fn view(&self) -> RunView {
        let finished = self.finished.as_ref();
        RunView {
            outcome: finished.map(|finished| finished.outcome),
            error: finished.and_then(|finished| finished.error.clone()),
            message: finished.and_then(|finished| finished.message.clone()),
            steps: self
                .plan
                .steps
                .iter()
                .zip(&self.records)
                .map(|(step, record)| view(step, record))
                .collect(),
        }
    }
}

fn view(step: &PlanStep, record: &Record) -> StepView {
    let (state, reason) = match record.phase {
        Phase::Pending => (StepState::Pending, None),
        Phase::Running => (StepState::Running, None),
        Phase::Waiting => (StepState::Waiting, None),
        Phase::Retrying => (StepState::Retrying, None),
        Phase::Succeeded => (StepState::Succeeded, None),
        Phase::Failed => (StepState::Failed, None),
        Phase::Skipped(reason) => (StepState::Skipped, Some(reason)),
        Phase::Cancelled => (StepState::Cancelled, None),
    };
    StepView {
        step: step.id.clone(),
        kind: step.kind().to_owned(),
        title: step.title.clone(),
        state,
        named: record.named.as_deref().map(str::to_owned),
        reason,
        attempts: record.attempts,
        started_at: record.started_at,
        ended_at: record.ended_at,
        until: record
            .timer
            .filter(|_| matches!(record.phase, Phase::Waiting | Phase::Retrying)),
        error: record.error.as_deref().cloned(),
    }
}
