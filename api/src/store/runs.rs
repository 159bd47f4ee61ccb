//! Runs as people see them: the living and the finished, as one list.

mod list;

use flowpilot_engine::journal::RunOutcome;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    TenantTx,
    error::{Result, classify},
};

pub use list::{Filter, Page, list};

/// What is happening to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for a runner.
    Queued,
    /// A runner has it.
    Running,
    /// Waits for a time or a message.
    Waiting,
    /// Lost its runner too often: waits for a person.
    Held,
    /// Ended well.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl State {
    /// Every state, in the order of a run's life.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Held,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word for it in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the run has ended.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// From a word of the database's or of an answer's.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "ready" | "queued" => Self::Queued,
            "leased" | "running" => Self::Running,
            "parked" | "waiting" => Self::Waiting,
            "held" => Self::Held,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }
}

impl From<RunOutcome> for State {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Succeeded => Self::Succeeded,
            RunOutcome::Failed => Self::Failed,
            RunOutcome::Cancelled => Self::Cancelled,
        }
    }
}

/// Why a run failed, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    /// One word for the cause.
    pub code: String,
    /// The step that failed it.
    pub step: Option<String>,
    /// What happened.
    pub message: Option<String>,
}

/// A run without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub run_id: Uuid,
    /// UID of its workflow.
    pub workflow_id: Uuid,
    /// Name of its workflow.
    pub workflow: String,
    /// Digest of its revision.
    pub revision: String,
    /// What is happening to it.
    pub state: State,
    /// 0 critical to 3 low.
    pub priority: i16,
    /// What started it: 0 api, 5 resource.
    pub trigger_kind: i16,
    /// Which one: of a resource the UID of the WorkflowRun.
    pub trigger_id: Option<String>,
    /// Who started it.
    pub actor: String,
    /// Number of times it was handed out or taken back.
    pub epoch: i32,
    /// Number of events in its journal.
    pub next_seq: i32,
    /// How often it lost its runner.
    pub crashes: i16,
    /// When it was accepted, by the clock inside its id.
    pub created_at: Timestamp,
    /// When a runner first took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When its timer is due, of a waiting run.
    pub wake_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<RunError>,
}

/// A run with what it gave.
#[derive(Clone, Debug)]
pub struct RunDetail {
    /// The run.
    pub run: Run,
    /// Outputs, of a run that succeeded and has some.
    pub outputs: Option<Box<RawValue>>,
}

#[derive(FromRow)]
struct Row {
    run_id: Uuid,
    workflow_id: Uuid,
    workflow: String,
    revision: String,
    state: String,
    priority: i16,
    trigger_kind: i16,
    trigger_id: Option<String>,
    actor: String,
    epoch: i32,
    next_seq: i32,
    crashes: i16,
    started_at: Option<jiff_sqlx::Timestamp>,
    finished_at: Option<jiff_sqlx::Timestamp>,
    wake_at: Option<jiff_sqlx::Timestamp>,
    error_code: Option<String>,
    error_step: Option<String>,
    error_message: Option<String>,
}

impl From<Row> for Run {
    fn from(row: Row) -> Self {
        let error = row.error_code.map(|code| RunError {
            code,
            step: row.error_step,
            message: row.error_message,
        });
        Self {
            run_id: row.run_id,
            workflow_id: row.workflow_id,
            workflow: row.workflow,
            revision: row.revision,
            state: State::parse(&row.state).unwrap_or(State::Held),
            priority: row.priority,
            trigger_kind: row.trigger_kind,
            trigger_id: row.trigger_id,
            actor: row.actor,
            epoch: row.epoch,
            next_seq: row.next_seq,
            crashes: row.crashes,
            created_at: created_at(row.run_id),
            started_at: row.started_at.map(jiff_sqlx::Timestamp::to_jiff),
            finished_at: row.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
            wake_at: row.wake_at.map(jiff_sqlx::Timestamp::to_jiff),
            error,
        }
    }
}

/// The instant inside a `UUIDv7`; the epoch for any other id.
#[must_use]
pub fn created_at(run_id: Uuid) -> Timestamp {
    let millis = run_id.get_timestamp().map_or(0, |stamp| {
        let (seconds, nanos) = stamp.to_unix();
        i64::try_from(seconds).unwrap_or(0).saturating_mul(1000) + i64::from(nanos / 1_000_000)
    });
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// One run of the tenant.
pub async fn get(tx: &mut TenantTx, run_id: Uuid) -> Result<Option<RunDetail>> {
    let tenant_id = tx.tenant_id();
    // Living first: a run that ends between the two reads is found by the second.
    for statement in [include_str!("sql/get_live.sql"), include_str!("sql/get_done.sql")] {
        let row: Option<Row> = sqlx::query_as(statement)
            .bind(tenant_id)
            .bind(run_id)
            .fetch_optional(tx.connection())
            .await
            .map_err(classify)?;
        if let Some(row) = row {
            let run = Run::from(row);
            let outputs = if run.state == State::Succeeded {
                outputs(tx, run_id).await?
            } else {
                None
            };
            return Ok(Some(RunDetail { run, outputs }));
        }
    }
    Ok(None)
}

/// The end of a journal, as far as a run's page needs it.
#[derive(Deserialize)]
struct LastEvent {
    #[serde(default)]
    outputs: Option<Box<RawValue>>,
}

/// What a finished run gave: it stands in the last event of its journal and nowhere else.
async fn outputs(tx: &mut TenantTx, run_id: Uuid) -> Result<Option<Box<RawValue>>> {
    let tenant_id = tx.tenant_id();
    let body: Option<String> = sqlx::query_scalar(include_str!("sql/last_commit.sql"))
        .bind(tenant_id)
        .bind(run_id)
        .fetch_optional(tx.connection())
        .await
        .map_err(classify)?;
    Ok(body.and_then(|body| outputs_of(&body)))
}

/// The outputs in the last commit of a run.
pub(crate) fn outputs_of(body: &str) -> Option<Box<RawValue>> {
    let events: Vec<&RawValue> = serde_json::from_str(body).unwrap_or_default();
    let last = events
        .last()
        .and_then(|event| serde_json::from_str::<LastEvent>(event.get()).ok());
    last.and_then(|event| event.outputs)
}
