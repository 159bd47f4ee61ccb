//! `/runner/v1`: sessions, leases, commits, heartbeats. Every answer may be lost and every call repeated.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::journal::{Event, RunOutcome, StepError};
use crate::plan::Plan;

/// Time to live of a session without a heartbeat.
pub const SESSION_TTL_SECONDS: u64 = 15;
/// Time between heartbeats.
pub const HEARTBEAT_SECONDS: u64 = 5;
/// Without an acknowledged heartbeat for so long a runner starts nothing more.
pub const SELF_STOP_SECONDS: u64 = 10;
/// Longest wait of a lease call.
pub const LEASE_WAIT_SECONDS: u64 = 25;
/// Items in one commit call.
pub const COMMIT_ITEMS: usize = 64;
/// Bytes of one commit call.
pub const COMMIT_BYTES: usize = 8 * 1024 * 1024;

/// `POST /sessions`: a runner says hello.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenSession {
    /// Name of the runner, for people: its pod.
    pub runner: String,
    /// RunnerClass it belongs to.
    pub pool: String,
    /// Runs it executes at the same moment.
    pub capacity: u32,
    /// Its version.
    pub version: String,
}

/// Answer to [`OpenSession`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionOpened {
    /// Names the session in every later call.
    pub session: Uuid,
    /// Seconds without heartbeat after which the runs are given to others.
    pub ttl_seconds: u64,
    /// Seconds between heartbeats.
    pub heartbeat_seconds: u64,
    /// Seconds without acknowledged heartbeat after which the runner must start nothing more.
    pub self_stop_seconds: u64,
    /// The database's time.
    pub now: Timestamp,
}

/// `POST /lease`: waits for runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseRequest {
    /// The session.
    pub session: Uuid,
    /// How many runs fit.
    pub free: u32,
    /// How long to wait for one, in seconds.
    pub wait_seconds: u64,
    /// Digests of plans that the runner has.
    #[serde(default)]
    pub have: Vec<String>,
    /// Runs that the runner holds: others that are leased to it are handed out again.
    #[serde(default)]
    pub held: Vec<Uuid>,
}

/// Answer to [`LeaseRequest`]; 204 when there is nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leased {
    /// The runs.
    pub runs: Vec<LeasedRun>,
    /// Messages not yet seen, of runs that the runner holds; they come by heartbeats too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inbox: Vec<RunInbox>,
}

/// One run that this runner now holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeasedRun {
    /// Id of the run.
    pub run: Uuid,
    /// The fence: every commit carries it.
    pub epoch: i32,
    /// Name of the workflow.
    pub workflow: String,
    /// Name of the tenant.
    pub tenant: String,
    /// Digest of the revision.
    pub revision: String,
    /// Number of events that are stored.
    pub seq: i32,
    /// Address of the run for people; empty if the installation has none.
    #[serde(default)]
    pub url: String,
    /// The events so far, in order.
    pub journal: Vec<Event>,
    /// Messages not yet seen.
    #[serde(default)]
    pub inbox: Vec<InboxMessage>,
    /// The plan, if its digest was not in `have`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<Plan>>,
}

/// A message to a run from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboxMessage {
    /// Number of the message in its run, from 1.
    pub seq: i32,
    /// What it says.
    #[serde(flatten)]
    pub body: InboxBody,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum InboxBody {
    /// End the run.
    CancelRequested {
        /// Who wants it.
        by: String,
    },
}

/// `POST /commit`: what happened in some runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitRequest {
    /// The session.
    pub session: Uuid,
    /// One per run; a run has at most one commit under way.
    pub items: Vec<CommitItem>,
}

/// What happened in one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitItem {
    /// The run.
    pub run: Uuid,
    /// The fence.
    pub epoch: i32,
    /// Number of events that the runner believes are stored.
    pub seq: i32,
    /// What happened since.
    pub events: Vec<Event>,
    /// Number of the last message that is dealt with in these events.
    #[serde(default)]
    pub inbox_seen: i32,
    /// What comes next.
    pub then: Then,
}

/// What comes after a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::large_enum_variant,
    reason = "one per commit, made and consumed at once; a box would cost more"
)]
pub enum Then {
    /// The runner goes on.
    Continue,
    /// Nothing to do until a time or a message.
    #[serde(rename_all = "camelCase")]
    Park {
        /// The earliest timer.
        wake_at: Option<Timestamp>,
    },
    /// Another runner should go on.
    Yield,
    /// The run ended; the last event is `RunFinished`.
    Finish {
        /// How.
        outcome: RunOutcome,
        /// What it gave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outputs: Option<Map<String, Value>>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
    },
}

/// Answer to [`CommitRequest`], in the order of its items.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Committed {
    /// One per item.
    pub results: Vec<CommitResult>,
}

/// What became of one item.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitResult {
    /// The run.
    pub run: Uuid,
    /// Stored or not.
    pub result: CommitStatus,
    /// Messages not yet seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inbox: Vec<InboxMessage>,
}

/// Whether an item was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitStatus {
    /// Stored.
    Ok,
    /// Stored before: the answer to that call was lost.
    Dup,
    /// The sequence number does not fit: a bug; nothing was stored.
    Gap,
    /// Somebody else holds the run, or it ended: drop it.
    Fenced,
}

/// `POST /heartbeat`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// The session.
    pub session: Uuid,
    /// Runs that the runner holds, with their epochs.
    pub held: Vec<HeldRun>,
    /// It is shutting down and takes nothing more.
    #[serde(default)]
    pub draining: bool,
}

/// A run that a runner holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRun {
    /// The run.
    pub run: Uuid,
    /// Its fence.
    pub epoch: i32,
}

/// Answer to [`Heartbeat`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatAnswer {
    /// The database's time.
    pub now: Timestamp,
    /// When the session ends unless another heartbeat comes.
    pub expires_at: Timestamp,
    /// Runs that this runner does not hold any longer: drop them.
    #[serde(default)]
    pub lost: Vec<Uuid>,
    /// Messages not yet seen.
    #[serde(default)]
    pub inbox: Vec<RunInbox>,
}

/// Messages of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInbox {
    /// The run.
    pub run: Uuid,
    /// Its messages.
    pub messages: Vec<InboxMessage>,
}
