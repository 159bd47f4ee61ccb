//! `Workflow`: what a person writes to have something done. The language is described in docs/language.md.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Condition;

mod step;
mod step_kinds;
mod trigger;

pub use step::{Budget, Cache, Retry, Step, Undo};
pub use step_kinds::{
    Approval, Container, ContainerResources, Emit, Fail, FieldType, ForEach, FormField, Group, Loop,
    OnItemError, Script, SelfApproval, Stop, StopStatus, Switch, SwitchCase, Wait, WaitEvent, WorkflowCall,
};
pub use trigger::{
    BasicAuth, EventTrigger, HmacAuth, Missed, MissedPolicy, Overlap, Respond, ScheduleTrigger, SecretKeyRef,
    Trigger, TriggerSecret, WebhookAuth, WebhookTrigger,
};

/// A workflow: a flat list of steps whose edges are each other's outcomes. Checked when it is applied, compiled into
/// an immutable revision, and run by runners of its tenant.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flowpilot.io",
    version = "v1alpha1",
    kind = "Workflow",
    namespaced,
    status = "WorkflowStatus",
    shortname = "wf",
    category = "flowpilot",
    derive = "PartialEq",
    printcolumn(name = "Title", type_ = "string", json_path = ".spec.title"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Revision", type_ = "string", json_path = ".status.revision", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = kube::core::Rule::new("size(self.metadata.name) <= 63")
        .message("the name of a workflow has at most 63 characters")
)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowSpec {
    /// Name for people. Unset: the object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// What it is for, in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// What a run is given. Undeclared inputs are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub inputs: Vec<Input>,
    /// Values that every step reads as `vars.<name>`, on top of the tenant's.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::variables")]
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// What starts runs by itself. Unset: people, the API and WorkflowRuns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub triggers: Vec<Trigger>,
    /// How many runs with the same key may go on at the same moment. Unset: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// How long a run may take, from its start to its end. Unset: 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration")]
    pub timeout: Option<String>,
    /// The steps, 1 to 500, in any order; steps that may start at the same moment start in this order.
    #[schemars(length(min = 1, max = 500), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub steps: Vec<Step>,
    /// What a run that succeeded gives back; values may hold `$( … )`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::variables")]
    pub outputs: serde_json::Map<String, serde_json::Value>,
}

/// One input of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Read as `inputs.<name>`.
    #[schemars(length(max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9_]{0,62}$"))]
    pub name: String,
    /// JSON type of the value.
    #[serde(rename = "type")]
    pub type_: InputType,
    /// Name for people. Unset: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// Help for whoever fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// A run without it is refused, so it has no default. Unset: false.
    // The compiler checks that: a rule of the schema cannot see `default`, whose type is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Used when the input is not given. Unset: the input is absent then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::anything")]
    pub default: Option<serde_json::Value>,
    /// JSON Schema (2020-12) that the value must satisfy, beside its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub schema: Option<serde_json::Value>,
    /// Hidden in views, logs and error texts. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
}

/// JSON types of inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InputType {
    /// Text.
    #[default]
    String,
    /// A number with or without a fraction; read as `double`.
    Number,
    /// A number without a fraction.
    Integer,
    /// True or false.
    Boolean,
    /// A map.
    Object,
    /// A list.
    Array,
}

impl InputType {
    /// The word of JSON Schema.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Array => "array",
        }
    }
}

/// Runs that must not go on together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Concurrency {
    /// Runs with the same text share the limit; may hold `$( … )` over inputs and trigger.
    #[schemars(length(max = 4096))]
    pub key: String,
    /// Runs at the same moment. Unset: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max: Option<i32>,
    /// What happens to one too many. Unset: `Queue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_limit: Option<OnLimit>,
}

/// What happens to a run for which there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnLimit {
    /// It waits for its turn.
    #[default]
    Queue,
    /// It is not started.
    Skip,
    /// The oldest one is cancelled.
    Replace,
}

/// What became of a Workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: the current spec is a revision that runs can use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Digest of the revision that new runs use, `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}
