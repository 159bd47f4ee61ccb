//! Runs as answers.

use flowpilot_engine::journal::StepError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::problem::{Code, Problem};
use crate::store::journal::JournalRow;
use crate::store::runs::{Run, RunError, State};

/// What is happening to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RunState)]
pub enum StateView {
    /// Waits for a runner.
    Queued,
    /// A runner has it.
    Running,
    /// Waits for a time or a message.
    Waiting,
    /// Lost its runner too often and waits for a person.
    Held,
    /// Ended well.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl From<State> for StateView {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Running => Self::Running,
            State::Waiting => Self::Waiting,
            State::Held => Self::Held,
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

/// How soon a run gets a runner, against others of its tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before everything else.
    Critical,
    /// Before the rest.
    High,
    /// As usual.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

impl Priority {
    /// As it is stored.
    #[must_use]
    pub fn number(self) -> i16 {
        match self {
            Self::Critical => 0,
            Self::High => 1,
            Self::Normal => 2,
            Self::Low => 3,
        }
    }

    fn of(number: i16) -> Self {
        match number {
            ..=0 => Self::Critical,
            1 => Self::High,
            2 => Self::Normal,
            3.. => Self::Low,
        }
    }
}

/// A run without its data.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// Its id.
    pub id: Uuid,
    /// Name of its workflow.
    pub workflow: String,
    /// Digest of the revision that it follows to its end.
    pub revision: String,
    /// What is happening to it.
    pub state: StateView,
    /// How soon it gets a runner.
    pub priority: Priority,
    /// What started it.
    pub trigger: TriggerView,
    /// Who started it.
    pub actor: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When a runner first took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When its earliest timer is due, of a waiting run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Timestamp>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

/// What started a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TriggerView {
    /// `api` or `resource` (a WorkflowRun object).
    pub kind: &'static str,
    /// Of a resource: the UID of the WorkflowRun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Why a run or a step failed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorView {
    /// One word for the cause.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The step that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// More, in a shape of the action's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<Value>,
    /// The effect may have happened although no answer was seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_have_happened: bool,
}

/// A run with its data.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// What lists show.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// What it was given, completed with defaults.
    #[schema(value_type = Object)]
    pub inputs: Map<String, Value>,
    /// What it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub outputs: Option<Box<RawValue>>,
    /// The message of the `stop` step that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its steps in the order of the manifest; absent if this version cannot read the run's history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepView>>,
    /// Number of events in its journal.
    pub events: i32,
    /// How often it lost its runner.
    pub crashes: i16,
}

/// A step of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Path of the step: its id.
    pub path: String,
    /// Where it stands: `pending`, `running`, `waiting`, `retrying`, `succeeded`, `failed`, `skipped`, `cancelled`.
    #[schema(value_type = String)]
    pub state: flowpilot_engine::run::StepState,
    /// The named outcome, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// Why it was skipped: `Condition`, `UpstreamFailed`, `NotTaken`, `Cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<flowpilot_engine::journal::SkipReason>,
    /// Attempts so far.
    pub attempts: u32,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When its wait ends or its next attempt begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Error of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

impl From<Run> for RunSummary {
    fn from(run: Run) -> Self {
        let kind = if run.trigger_kind == 5 { "resource" } else { "api" };
        Self {
            id: run.run_id,
            workflow: run.workflow,
            revision: run.revision,
            state: run.state.into(),
            priority: Priority::of(run.priority),
            trigger: TriggerView {
                kind,
                id: run.trigger_id,
            },
            actor: run.actor,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            wake_at: run.wake_at,
            error: run.error.map(ErrorView::from),
        }
    }
}

impl From<RunError> for ErrorView {
    fn from(error: RunError) -> Self {
        Self {
            code: error.code,
            message: error.message.unwrap_or_default(),
            step: error.step,
            details: None,
            may_have_happened: false,
        }
    }
}

impl From<StepError> for ErrorView {
    fn from(error: StepError) -> Self {
        let StepError {
            code,
            message,
            step,
            details,
            may_have_happened,
            ..
        } = error;
        Self {
            code,
            message,
            step,
            details,
            may_have_happened,
        }
    }
}

impl From<flowpilot_engine::run::StepView> for StepView {
    fn from(view: flowpilot_engine::run::StepView) -> Self {
        Self {
            path: view.step,
            state: view.state,
            named: view.named,
            reason: view.reason,
            attempts: view.attempts,
            started_at: view.started_at,
            ended_at: view.ended_at,
            until: view.until,
            error: view.error.map(ErrorView::from),
        }
    }
}

/// An event with its number.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// Number of the event in its run, from 0.
    pub seq: i32,
    /// The event as it is stored, with `seq` as its first member.
    pub text: Box<RawValue>,
}

/// The events of commits, numbered, those above `after`.
pub fn numbered(rows: &[JournalRow], after: i32) -> Result<Vec<Numbered>, Problem> {
    let mut events = Vec::new();
    for row in rows {
        let body: Vec<&RawValue> =
            serde_json::from_str(&row.body).map_err(|error| Problem::internal(&error))?;
        for (seq, event) in (row.seq..).zip(body).filter(|(seq, _)| *seq > after) {
            // Every event is an object with a type, so a member can be put before its others.
            let members = event.get().trim_start().trim_start_matches('{');
            let text = RawValue::from_string(format!("{{\"seq\":{seq},{members}"));
            events.push(Numbered {
                seq,
                text: text.map_err(|error| Problem::internal(&error))?,
            });
        }
    }
    Ok(events)
}

/// The state of a word in a filter.
pub fn parse_state(word: &str) -> Result<State, Problem> {
    let known = State::ALL.into_iter().find(|state| state.as_str() == word);
    known.ok_or_else(|| {
        let words: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        Problem::new(
            Code::MalformedRequest,
            format!("no state `{word}`; there are `{}`", words.join("`, `")),
        )
    })
}
