//! `Connector`: a third-party system, described without code.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Condition;

/// A third-party system: how to authenticate, which hosts it has, and the actions and triggers it offers. Not
/// supported yet: admission refuses it.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flowpilot.io",
    version = "v1alpha1",
    kind = "Connector",
    status = "ConnectorStatus",
    shortname = "fpcr",
    category = "flowpilot",
    derive = "PartialEq",
    printcolumn(name = "Title", type_ = "string", json_path = ".spec.title"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorSpec {
    /// Name for people.
    #[schemars(length(max = 200))]
    pub title: String,
    /// Groups the catalogue, such as `crm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub category: Option<String>,
    /// How a Connection authenticates.
    #[serde(default)]
    pub auth: ConnectorAuth,
    /// The only hosts that its actions talk to.
    #[schemars(length(min = 1, max = 50), inner(length(max = 253)))]
    pub hosts: Vec<String>,
    /// Limits of the third party.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub rate_limits: Vec<RateLimit>,
    /// What can be done there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name", "major"]))]
    pub actions: Vec<ConnectorAction>,
    /// What can happen there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub triggers: Vec<ConnectorTrigger>,
}

/// How a Connection authenticates. Unset kind: not at all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorAuth {
    /// The kind.
    #[serde(default, rename = "type")]
    pub type_: AuthType,
    /// Header or query parameter of an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub name: Option<String>,
    /// Where OAuth 2.0 asks the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub authorize_url: Option<String>,
    /// Where OAuth 2.0 gives tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub token_url: Option<String>,
    /// Scopes that OAuth 2.0 asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 200)))]
    pub scopes: Vec<String>,
}

/// Kinds of authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AuthType {
    /// None.
    #[default]
    None,
    /// A key in a header.
    ApiKeyHeader,
    /// A key in the query.
    ApiKeyQuery,
    /// User name and password.
    Basic,
    /// A bearer token.
    Bearer,
    /// OAuth 2.0, authorization code.
    OAuth2,
    /// OAuth 2.0, client credentials.
    ClientCredentials,
}

/// So many requests per time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateLimit {
    /// Requests.
    #[schemars(range(min = 1))]
    pub requests: i32,
    /// Time, such as `1m`.
    #[schemars(schema_with = "crate::schema::duration")]
    pub per: String,
}

/// What an action does to the world: it decides what a dry run executes and what may be repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Effect {
    /// Nothing; a pure computation.
    None,
    /// It looks.
    #[default]
    Read,
    /// It changes something that can be changed back.
    Write,
    /// It changes something for good, such as sending a mail.
    Irreversible,
}

/// One action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorAction {
    /// Used as `<connector>/<name>@<major>`.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9][a-z0-9-]*$"))]
    pub name: String,
    /// Major version.
    #[schemars(range(min = 1, max = 9999))]
    pub major: i32,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// What it does to the world.
    pub effect: Effect,
    /// The third party takes an idempotency key. Unset: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<bool>,
    /// JSON Schema of `with`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub input: Option<serde_json::Value>,
    /// JSON Schema of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub output: Option<serde_json::Value>,
    /// The request it makes.
    pub request: ConnectorRequest,
}

/// A request of an action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorRequest {
    /// HTTP method.
    #[schemars(length(max = 10))]
    pub method: String,
    /// Address; may hold `$( … )` over `input`.
    #[schemars(length(max = 4096))]
    pub url: String,
    /// Headers.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub headers: serde_json::Map<String, serde_json::Value>,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub query: serde_json::Map<String, serde_json::Value>,
    /// JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::anything")]
    pub json: Option<serde_json::Value>,
}

/// Something that can happen at the third party.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorTrigger {
    /// Name of the trigger.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9][a-z0-9-]*$"))]
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// JSON Schema of what it delivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_map")]
    pub output: Option<serde_json::Value>,
}

/// What became of a Connector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: workflows may use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
