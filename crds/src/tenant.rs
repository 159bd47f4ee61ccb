//! `Tenant`: an organisation or a part of one, and what it may use.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Unsupported};

/// Workflows that a tenant may have if it does not say: more than people look after, far fewer than a cluster holds.
const DEFAULT_WORKFLOWS: usize = 1000;

/// An organisation, or a part of one. The operator makes its namespace `fp-<name>` with quotas, limits, network
/// rules, service accounts and role bindings, and registers it with the API server.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flowpilot.io",
    version = "v1alpha1",
    kind = "Tenant",
    status = "TenantStatus",
    shortname = "ten",
    category = "flowpilot",
    derive = "PartialEq",
    printcolumn(name = "Title", type_ = "string", json_path = ".spec.title"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Namespace", type_ = "string", json_path = ".status.namespace"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = kube::core::Rule::new("size(self.metadata.name) <= 40")
        .message("the name of a tenant has at most 40 characters, because its namespace and groups carry it")
)]
#[serde(rename_all = "camelCase")]
pub struct TenantSpec {
    /// Name for people. Unset: the object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// The tenant that this one is a part of. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub parent: Option<String>,
    /// Groups of your identity provider that get a role here, by role (owner, admin, manager, member, operator,
    /// approver, viewer). They are bound to the role's rights in the namespace, beside `flowpilot:<tenant>:<role>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.all(r, r in ['owner','admin','manager','member','operator','approver','viewer'])",
        "message": "roles are owner, admin, manager, member, operator, approver and viewer"}], "maxProperties" = 7))]
    pub members: BTreeMap<String, Groups>,
    /// The RunnerClass whose runners execute this tenant's runs. Unset: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub runner_class: Option<String>,
    /// Upper limits in the namespace. Unset fields have the defaults that each names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotas: Option<Quotas>,
    /// Share of shared runner pools against other tenants, 1 to 100. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub weight: Option<i32>,
    /// Money that AI actions may spend. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Budgets>,
    /// Where this tenant's runners may connect to. Unset: public addresses only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<Egress>,
    /// How long history is kept. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Values that every workflow of the tenant reads as `vars.<name>`; a workflow's own win.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::variables")]
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// Rules for approvals. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<ApprovalPolicy>,
}

/// Groups of one role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Groups {
    /// Names as the cluster's authentication gives them.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(max = 253)))]
    pub groups: Vec<String>,
}

/// Limits of the tenant's namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quotas {
    /// CPU of all pods together, such as `4` or `500m`. Unset: `4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), regex(pattern = r"^[0-9]+(\.[0-9]+)?m?$"))]
    pub cpu: Option<String>,
    /// Memory of all pods together, such as `4Gi`. Unset: `8Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), regex(pattern = r"^[0-9]+(Ki|Mi|Gi|Ti|k|M|G|T)?$"))]
    pub memory: Option<String>,
    /// Number of pods. Unset: 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub pods: Option<i32>,
    /// Number of Workflows. Unset: 1,000. One more is refused. Should more be there all the same (the limit was
    /// lowered, or nobody was asked), the newest are not Ready, with the reason `QuotaExceeded`, until there is room; a
    /// revision that one of them has already stays in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub workflows: Option<i32>,
    /// Runs that may execute at the same moment. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub running: Option<i32>,
}

/// Money per calendar month (UTC).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budgets {
    /// US dollars a month as a decimal text, such as `"25.00"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), regex(pattern = r"^[0-9]+(\.[0-9]{1,6})?$"))]
    pub month_usd: Option<String>,
}

/// Where runners may connect to, beyond public addresses. The metadata addresses of clouds (169.254.0.0/16,
/// fd00:ec2::/32) and the loopback stay closed unless a rule names them exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Egress {
    /// Each rule opens some addresses that are closed by default, such as services of the cluster.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub allow: Vec<EgressRule>,
}

/// One opening: hosts by name, or addresses by range; exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.host) != has(self.cidr)", "message": "exactly one of host and cidr"}]))]
pub struct EgressRule {
    /// A host name, whatever private address it has: `data.samples.svc`, or `*.samples.svc` for all below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 253),
        regex(pattern = r"^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    )]
    pub host: Option<String>,
    /// An address range, such as `10.96.0.0/16` or `fd00::/8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 49), regex(pattern = r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"))]
    pub cidr: Option<String>,
    /// Ports that are open there. Empty: 80 and 443.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(range(min = 1, max = 65535)))]
    pub ports: Vec<i32>,
}

/// Days that history is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// Days for step inputs, outputs and events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3650))]
    pub journal_days: Option<i32>,
    /// Days for one line per run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3650))]
    pub summary_days: Option<i32>,
    /// Days for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3650))]
    pub log_days: Option<i32>,
}

/// Rules for approval steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalPolicy {
    /// `Deny`: whoever started a run never approves in it, whatever the step says.
    pub self_approval: crate::workflow::SelfApproval,
}

/// What became of a Tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: namespace and rules are applied and the API server knows the tenant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The tenant's namespace, once it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl TenantSpec {
    /// The class of runners this tenant uses.
    #[must_use]
    pub fn runner_class(&self) -> &str {
        self.runner_class
            .as_deref()
            .unwrap_or(crate::names::DEFAULT_RUNNER_CLASS)
    }

    /// How many Workflows may be in the tenant's namespace.
    #[must_use]
    pub fn workflow_quota(&self) -> usize {
        let quota = self.quotas.as_ref().and_then(|quotas| quotas.workflows);
        quota.map_or(DEFAULT_WORKFLOWS, |quota| usize::try_from(quota).unwrap_or(0))
    }

    /// The fields that are set and have no effect yet.
    #[must_use]
    pub fn unsupported(&self) -> Vec<Unsupported> {
        let running = self
            .quotas
            .as_ref()
            .is_some_and(|quotas| quotas.running.is_some());
        [
            (self.parent.is_some(), "spec.parent", "tenants inside tenants"),
            (self.weight.is_some(), "spec.weight", "fair shares"),
            (self.budgets.is_some(), "spec.budgets", "budgets"),
            (self.retention.is_some(), "spec.retention", "retention by tenant"),
            (self.approvals.is_some(), "spec.approvals", "approvals"),
            (running, "spec.quotas.running", "limits on running runs"),
        ]
        .into_iter()
        .filter(|(set, ..)| *set)
        .map(|(_, path, what)| {
            Unsupported::new(path, format!("{what} are not supported yet: remove the field"))
        })
        .collect()
    }
}
