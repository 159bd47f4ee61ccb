//! The kinds of steps that have fields of their own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Sandboxed JavaScript without access to anything but its input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// The program; what it returns is the output. Never templated.
    #[schemars(length(max = 65536))]
    pub source: String,
    /// What the program sees as `input`; values may hold `$( … )`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub input: Map<String, Value>,
}

/// A container, run as a Kubernetes Job in the tenant's namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The image. Never templated.
    #[schemars(length(max = 500))]
    pub image: String,
    /// Replaces the image's entry point. Never templated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 4096)))]
    pub command: Vec<String>,
    /// Arguments. Never templated: data reaches the program as environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 4096)))]
    pub args: Vec<String>,
    /// Environment; values may hold `$( … )`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub env: BTreeMap<String, String>,
    /// CPU and memory. Unset: the namespace's defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ContainerResources>,
    /// Files that the step leaves, by name, as paths in the container.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub files: BTreeMap<String, String>,
}

/// Resources of a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerResources {
    /// CPU, such as `500m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub cpu: Option<String>,
    /// Memory, such as `256Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub memory: Option<String>,
}

/// A call of another Workflow of the same tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowCall {
    /// Its name.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Its inputs; values may hold `$( … )`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub inputs: Map<String, Value>,
    /// False: start it and go on at once. Unset: true.
    #[serde(default, rename = "await", skip_serializing_if = "Option::is_none")]
    pub await_: Option<bool>,
}

/// A choice. The outcome is the name of the case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Switch {
    /// Asked in order.
    #[schemars(length(min = 1, max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub cases: Vec<SwitchCase>,
    /// Outcome when no case is true. Unset: the step fails with `NoMatchingCase`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub default: Option<String>,
}

/// One case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SwitchCase {
    /// The outcome's name: others need `<step>.<name>`.
    #[schemars(length(max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9_]{0,62}$"))]
    pub name: String,
    /// CEL without `$( )`.
    #[schemars(length(max = 4096))]
    pub when: String,
}

/// A block that runs once per item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForEach {
    /// A list, or an expression that gives one.
    #[schemars(schema_with = "crate::schema::anything")]
    pub items: Value,
    /// Items at the same moment. Unset: 1, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_parallel: Option<i32>,
    /// Items at most; more fail the step. Unset: 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_items: Option<i32>,
    /// What a failed item does to the others. Unset: `FailFast`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_item_error: Option<OnItemError>,
    /// Value per item; the output is their list. Unset: no output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::anything")]
    pub result: Option<Value>,
}

/// What a failed item does to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnItemError {
    /// The block fails at once.
    #[default]
    FailFast,
    /// The others go on; the block is `partial`.
    Collect,
}

/// A block that repeats. Exactly one of `while` and `until`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.while) != has(self.until)", "message": "exactly one of while and until"}]))]
pub struct Loop {
    /// CEL, asked before a turn.
    #[serde(default, rename = "while", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub while_: Option<String>,
    /// CEL, asked after a turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub until: Option<String>,
    /// Turns at most; more fail the step. Unset: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_iterations: Option<i32>,
    /// Wait between turns; may be an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration_or_expression")]
    pub delay: Option<String>,
    /// Values carried into the first turn, read as `turn.<name>`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub init: Map<String, Value>,
    /// The carried values after each turn.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub next: Map<String, Value>,
}

/// A block that is a scope for failure, timeout, retry and undo.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The output of the group. Unset: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::anything")]
    pub result: Option<Value>,
    /// Ends as soon as one of its last steps succeeds, and cancels the rest. Unset: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub race: Option<bool>,
}

/// Waits. Exactly one of `duration`, `until` and `event`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.duration), has(self.until), has(self.event)].filter(w, w).size() == 1",
    "message": "exactly one of duration, until and event"}]))]
pub struct Wait {
    /// A duration, or an expression that gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration_or_expression")]
    pub duration: Option<String>,
    /// An RFC 3339 time, or an expression that gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub until: Option<String>,
    /// An event of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<WaitEvent>,
}

/// The event that a wait takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitEvent {
    /// Type of the event.
    #[serde(rename = "type")]
    #[schemars(length(max = 200))]
    pub type_: String,
    /// CEL over `event` and what the step may read. Unset: any event of the type.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub match_: Option<String>,
    /// How long to wait before the step ends as `expired`; may be an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration_or_expression")]
    pub timeout: Option<String>,
}

/// A question to people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// What is asked; may hold `$( … )`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub title: Option<String>,
    /// What people should know; may hold `$( … )`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub description: Option<String>,
    /// Groups whose members may decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 4096)))]
    pub groups: Vec<String>,
    /// People who may decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 4096)))]
    pub users: Vec<String>,
    /// Different people who must approve. Unset: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub required: Option<i32>,
    /// Fields that a decision fills in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub form: Vec<FormField>,
    /// How long to wait before the step ends as `expired`; may be an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration_or_expression")]
    pub timeout: Option<String>,
    /// Whether whoever started the run may approve. Unset: `Allow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_approval: Option<SelfApproval>,
}

/// Whether the starter of a run may approve in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SelfApproval {
    /// Yes.
    #[default]
    Allow,
    /// No.
    Deny,
}

/// A field of an approval's form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FormField {
    /// Read as `steps.<id>.output.form.<name>`.
    #[schemars(length(max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9_]{0,62}$"))]
    pub name: String,
    /// Type of the value.
    #[serde(rename = "type")]
    pub type_: FieldType,
    /// Label. Unset: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// Must be filled in. Unset: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// The only values allowed. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 200)))]
    pub options: Vec<String>,
}

/// Types of form fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FieldType {
    /// Text.
    #[default]
    String,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// True or false.
    Boolean,
}

/// An event that is published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Emit {
    /// Type of the event.
    #[serde(rename = "type")]
    #[schemars(length(max = 200))]
    pub type_: String,
    /// Its data; values may hold `$( … )`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub data: Map<String, Value>,
}

/// A failure on purpose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fail {
    /// One word for the cause. Never templated.
    #[schemars(length(max = 63), regex(pattern = "^[A-Z][A-Za-z0-9]*$"))]
    pub code: String,
    /// What happened, for people; may hold `$( … )`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub message: Option<String>,
}

/// An early end of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// How the run ends.
    pub status: StopStatus,
    /// Shown with the run; may hold `$( … )`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub message: Option<String>,
}

/// How a stopped run ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StopStatus {
    /// As a success, with outputs.
    #[default]
    Succeeded,
    /// As a failure with the code `Stopped`.
    Failed,
}
