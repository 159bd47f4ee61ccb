//! One step of a workflow: what is common to all kinds, and exactly one kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step_kinds::{
    Approval, Container, Emit, Fail, ForEach, Group, Loop, Script, Stop, Switch, Wait, WorkflowCall,
};

/// The rule that a step is of exactly one kind, over the fields that make one.
const ONE_KIND: &str = "[has(self.uses), has(self.set), has(self.script), has(self.container), has(self.workflow), \
has(self.switch), has(self.forEach), has(self.loop), has(self.group), has(self.wait), has(self.approval), \
has(self.emit), has(self.fail), has(self.stop)].filter(kind, kind).size() == 1";

/// One step. Exactly one of `uses`, `set`, `script`, `container`, `workflow`, `switch`, `forEach`, `loop`, `group`,
/// `wait`, `approval`, `emit`, `fail` and `stop` says what it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": ONE_KIND, "message": "a step has exactly one of uses, set, script, container, workflow, switch, forEach, loop, group, wait, approval, emit, fail, stop"},
    {"rule": "has(self.uses) || (!has(self.with) && !has(self.connection))", "message": "with and connection belong to uses"}]))]
pub struct Step {
    /// Name of the step: others read it as `steps.<id>` and need it as `<id>` or `<id>.<outcome>`.
    #[schemars(length(max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9_]{0,62}$"))]
    pub id: String,
    /// Name for people. Unset: the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// The block (group, forEach or loop) that this step is in. Unset: the run itself.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub block: Option<String>,
    /// Edges into this step: `x` (x succeeded), `x.failed`, `x.done` (x ended in any way) or `x.<named outcome>`.
    /// Several edges on one step are one need. Empty: it starts with its block.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 127)))]
    pub needs: Vec<String>,
    /// CEL without `$( )`, asked when the needs are met. False: the step is passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub when: Option<String>,

    /// An action: `core/http@1`, or `<connector>/<action>@<major>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 200),
        regex(pattern = "^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*@[0-9]{1,4}$")
    )]
    pub uses: Option<String>,
    /// The Connection that the action uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub connection: Option<String>,
    /// Input of the action; values may hold `$( … )`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub with: serde_json::Map<String, serde_json::Value>,
    /// Computes values; the output is this map with every `$( … )` evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub set: Option<serde_json::Map<String, serde_json::Value>>,
    /// Sandboxed JavaScript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Script>,
    /// An image and a command, run as a Kubernetes Job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Calls another Workflow of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowCall>,
    /// Takes the first case whose condition is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Switch>,
    /// A block that runs once per item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEach>,
    /// A block that repeats.
    #[serde(default, rename = "loop", skip_serializing_if = "Option::is_none")]
    pub loop_: Option<Loop>,
    /// A block: a scope for failure, timeout, retry and undo of several steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Waits for a time or an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    /// Asks people to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Publishes an event of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emit: Option<Emit>,
    /// Fails with a code and a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<Fail>,
    /// Ends the run early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,

    /// How long one attempt may take (of a forEach or loop: all of it). Unset: only the run's timeout counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration")]
    pub timeout: Option<String>,
    /// More attempts after a failure. Unset: one attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// What takes this step back when its block fails or is cancelled later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// Reuses an earlier output of a step without side effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Hides the output, and what is computed from it, in views, logs and error texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// Money that this step may spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// RunnerClass that executes this step. Unset: the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub runner_class: Option<String>,
}

/// More attempts after a failure, with exponential backoff and full jitter. A `Retry-After` wins over the backoff.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Attempts in all, with the first. Unset: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub attempts: Option<i32>,
    /// Wait before the second attempt. Unset: `1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration")]
    pub backoff: Option<String>,
    /// Each wait is this many times the one before. Unset: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 10.0))]
    pub factor: Option<f64>,
    /// The longest wait. Unset: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration")]
    pub max_backoff: Option<String>,
    /// Error codes that are tried again, instead of `Timeout`, `RateLimited`, `Unavailable`, `Conflict`,
    /// `Interrupted` and what the action marks as worth another attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 30),
        inner(length(max = 63), regex(pattern = "^[A-Z][A-Za-z0-9]*$"))
    )]
    pub codes: Option<Vec<String>>,
}

/// The action that takes a step back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// The action.
    #[schemars(
        length(max = 200),
        regex(pattern = "^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*@[0-9]{1,4}$")
    )]
    pub uses: String,
    /// The Connection that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub connection: Option<String>,
    /// Its input; may read its own step.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub with: serde_json::Map<String, serde_json::Value>,
}

/// Reuse of an earlier output, within tenant, workflow and step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cache {
    /// Calls with the same text share the output; may hold `$( … )`.
    #[schemars(length(max = 4096))]
    pub key: String,
    /// How long an output may be reused.
    #[schemars(schema_with = "crate::schema::duration")]
    pub ttl: String,
}

/// A limit in money.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// US dollars as a decimal text, such as `"0.05"`.
    #[schemars(length(max = 20), regex(pattern = r"^[0-9]+(\.[0-9]{1,6})?$"))]
    pub usd: String,
}
