//! `/operator/v1`: what the operator tells the API server about custom resources, and what it asks.
//!
//! Each message carries the resource's UID and generation; older ones are ignored, order does not matter, and all
//! may be repeated.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::journal::StepError;

/// `PUT /tenants/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantRegistration {
    /// UID of the Tenant object: the key of everything the tenant owns.
    pub uid: Uuid,
    /// Generation of its spec.
    pub generation: i64,
    /// Name for people.
    pub title: String,
    /// RunnerClass of its runs.
    pub runner_class: String,
    /// Variables of all its workflows.
    #[serde(default)]
    pub variables: Map<String, Value>,
}

/// `PUT /workflows/{namespace}/{name}/revisions/{digest}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionRegistration {
    /// UID of the Workflow object.
    pub uid: Uuid,
    /// Generation of its spec.
    pub generation: i64,
    /// The spec; its digest is the one in the path.
    pub spec: Value,
    /// Labels of the object.
    #[serde(default)]
    pub labels: Map<String, Value>,
}

/// `DELETE /tenants/{name}` and `DELETE /workflows/{namespace}/{name}`: only the object of this UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// UID of the object that goes away.
    pub uid: Uuid,
}

/// `POST /runs`: a WorkflowRun wants a run. Idempotent by its UID.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRequest {
    /// UID of the WorkflowRun.
    pub uid: Uuid,
    /// Its namespace, which names the tenant.
    pub namespace: String,
    /// Its name, for people.
    pub name: String,
    /// The workflow.
    pub workflow: String,
    /// Values for inputs.
    #[serde(default)]
    pub inputs: Map<String, Value>,
    /// Digest of the revision; the current one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// What is known of one run: answer to [`RunRequest`], and an entry of [`RunChanges`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// UID of the WorkflowRun that wanted it.
    pub uid: Uuid,
    /// The run.
    pub run: Uuid,
    /// `queued`, `running`, `waiting`, `held`, `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// Digest of its revision.
    pub revision: String,
    /// When a runner first took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// What it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<String, Value>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

/// Answer to `GET /runs/changes?after=&wait=`: runs of WorkflowRuns that ended, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunChanges {
    /// What changed.
    pub changes: Vec<RunReport>,
    /// Pass it as `after` in the next call.
    pub next: i64,
}

/// Answer to `GET /pools/changes?after=&wait=`: the work that waits for runners. `after` is the `version` of the
/// last answer; the call returns at once when something differs from it, else when `wait` seconds are over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolChanges {
    /// All pools.
    pub pools: Vec<PoolDepth>,
    /// Opaque; changes with the pools.
    pub version: i64,
}

/// The work of one tenant's pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolDepth {
    /// The tenant.
    pub tenant: String,
    /// The RunnerClass.
    pub runner_class: String,
    /// Runs that wait for a runner (counted up to 1,000).
    pub ready: i64,
    /// Runs that runners hold.
    pub leased: i64,
    /// Age of the oldest waiting run, in milliseconds.
    pub oldest_ms: i64,
}
