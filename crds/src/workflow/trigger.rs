//! What starts runs by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A trigger: exactly one of `webhook`, `schedule` and `event`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.webhook), has(self.schedule), has(self.event)].filter(t, t).size() == 1",
    "message": "exactly one of webhook, schedule and event"}]))]
pub struct Trigger {
    /// Name of the trigger.
    #[schemars(length(max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9_]{0,62}$"))]
    pub id: String,
    /// A call from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookTrigger>,
    /// A time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleTrigger>,
    /// An event of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventTrigger>,
    /// The run's inputs; values may hold `$( … )` over `trigger`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub inputs: Map<String, Value>,
}

/// A call from outside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookTrigger {
    /// How the caller proves itself. Unset: only by knowing the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<WebhookAuth>,
    /// Calls with the same text start one run; may hold `$( … )` over `trigger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub dedupe_key: Option<String>,
    /// When the caller is answered. Unset: `Immediately`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond: Option<Respond>,
}

/// When a webhook's caller is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Respond {
    /// At once, with the run's id.
    #[default]
    Immediately,
    /// With the run's outputs.
    WhenDone,
}

/// How a webhook's caller proves itself: exactly one way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.hmac), has(self.bearer), has(self.basic), has(self.standard)].filter(a, a).size() == 1",
    "message": "exactly one of hmac, bearer, basic and standard"}]))]
pub struct WebhookAuth {
    /// HMAC of the raw body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac: Option<HmacAuth>,
    /// A bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<TriggerSecret>,
    /// User name and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<BasicAuth>,
    /// A signature as Standard Webhooks describe it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<TriggerSecret>,
}

/// HMAC of the raw body in a header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HmacAuth {
    /// The key.
    pub secret_ref: SecretKeyRef,
    /// Header with the signature. Unset: `X-Signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub header: Option<String>,
    /// Text before the signature, such as `sha256=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub prefix: Option<String>,
    /// `hex` or `base64`. Unset: `hex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    pub encoding: Option<String>,
}

/// A secret that a caller must know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TriggerSecret {
    /// Where it lies.
    pub secret_ref: SecretKeyRef,
}

/// User name and password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// The user name.
    #[schemars(length(max = 200))]
    pub user: String,
    /// The password.
    pub secret_ref: SecretKeyRef,
}

/// One key of a Secret in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Key in it.
    #[schemars(length(max = 253))]
    pub key: String,
}

/// Times at which runs start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleTrigger {
    /// Five or six fields (with seconds).
    #[schemars(length(max = 200))]
    pub cron: String,
    /// IANA time zone. Unset: `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub time_zone: Option<String>,
    /// What happens while the last run still goes on. Unset: `Skip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// What happens to times that passed unnoticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
}

/// What happens while the last run of a schedule still goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Overlap {
    /// This time is left out.
    #[default]
    Skip,
    /// It waits.
    Queue,
    /// It starts beside it.
    Allow,
    /// The last one is cancelled.
    Replace,
}

/// What happens to times that passed while nobody could start runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Missed {
    /// Which of them start later. Unset: `Latest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<MissedPolicy>,
    /// How old they may be. Unset: any age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration")]
    pub within: Option<String>,
}

/// Which missed times start later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MissedPolicy {
    /// The last one.
    #[default]
    Latest,
    /// All.
    All,
    /// None.
    None,
}

/// An event of the tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventTrigger {
    /// Type of the event.
    #[serde(rename = "type")]
    #[schemars(length(max = 200))]
    pub type_: String,
    /// CEL over `event`. Unset: every event of the type.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub match_: Option<String>,
}
