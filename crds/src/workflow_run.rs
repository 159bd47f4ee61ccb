//! `WorkflowRun`: the door through which `kubectl create` and GitOps hooks start a run.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Condition;

/// One run that is wanted. It is handed to the API server once; its end is mirrored here, and the object goes away
/// after its time to live. Runs that the API or a trigger started have no such object.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flowpilot.io",
    version = "v1alpha1",
    kind = "WorkflowRun",
    namespaced,
    status = "WorkflowRunStatus",
    shortname = "wfr",
    category = "flowpilot",
    derive = "PartialEq",
    printcolumn(name = "Workflow", type_ = "string", json_path = ".spec.workflow"),
    printcolumn(
        name = "Succeeded",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Succeeded\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Succeeded\")].reason"
    ),
    printcolumn(name = "Run", type_ = "string", json_path = ".status.run", priority = 1),
    printcolumn(
        name = "Started",
        type_ = "date",
        json_path = ".status.startedAt",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self == oldSelf", "message": "a WorkflowRun is one wish and cannot be changed: create another one"}]))]
pub struct WorkflowRunSpec {
    /// Name of the Workflow in the same namespace.
    #[schemars(length(min = 1, max = 63))]
    pub workflow: String,
    /// Values for the workflow's inputs. Unset: none, so defaults apply.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub inputs: serde_json::Map<String, serde_json::Value>,
    /// Digest of the revision to run, `sha256:…`. Unset: the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71), regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub revision: Option<String>,
    /// How long the object stays after its run ended. Unset: `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration")]
    pub ttl: Option<String>,
}

/// What became of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowRunStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Succeeded`: Unknown while it goes on, then True or False with the cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Id of the run at the API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Digest of the revision that it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// When a runner first took it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub started_at: Option<String>,
    /// When it ended (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub finished_at: Option<String>,
    /// What the workflow's `outputs` gave, up to 64 KiB of JSON; larger ones stay at the API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub outputs: Option<serde_json::Map<String, serde_json::Value>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunErrorStatus>,
}

/// The error that ended a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunErrorStatus {
    /// One word for the cause, such as `Timeout`.
    pub code: String,
    /// What happened, in words.
    #[serde(default)]
    pub message: String,
    /// The step that failed. Unset: the run itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}
