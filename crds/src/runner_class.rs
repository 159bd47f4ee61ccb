//! `RunnerClass`: how runners look and how many there may be.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Unsupported};

/// How runners look. Per tenant that uses the class the operator keeps a Deployment, scaled by the depth of the
/// tenant's queue and to zero when there is nothing to do.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flowpilot.io",
    version = "v1alpha1",
    kind = "RunnerClass",
    status = "RunnerClassStatus",
    shortname = "rclass",
    category = "flowpilot",
    derive = "PartialEq",
    printcolumn(name = "Isolation", type_ = "string", json_path = ".spec.isolation"),
    printcolumn(name = "Min", type_ = "integer", json_path = ".spec.min"),
    printcolumn(name = "Max", type_ = "integer", json_path = ".spec.max"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Tenants", type_ = "integer", json_path = ".status.tenants"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.min) || !has(self.max) || self.min <= self.max", "message": "min is at most max"}]))]
pub struct RunnerClassSpec {
    /// Runs that one runner executes at the same moment. Unset: 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub capacity: Option<i32>,
    /// Runners per tenant that stay when there is nothing to do. Unset: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub min: Option<i32>,
    /// Runners per tenant at most. Unset: 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max: Option<i32>,
    /// How long a tenant's last runner stays after the last run ended. Unset: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::duration")]
    pub idle_timeout: Option<String>,
    /// `Pool`: many runs share warm runners. `Job`: each run gets a pod of its own; not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// CPU and memory of one runner. Unset: 50m and 32Mi requested, 1 CPU and 256Mi at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// RuntimeClass of the pods, such as gVisor's. Unset: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub runtime_class_name: Option<String>,
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub tolerations: Vec<Toleration>,
}

/// How runs are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Isolation {
    /// Runs of one tenant share a process.
    #[default]
    Pool,
    /// Each run in a pod of its own.
    Job,
}

/// Resources of one runner pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// CPU requested, such as `50m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub cpu_request: Option<String>,
    /// CPU at most, such as `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub cpu_limit: Option<String>,
    /// Memory requested, such as `32Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub memory_request: Option<String>,
    /// Memory at most, such as `256Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub memory_limit: Option<String>,
}

/// A taint that runner pods tolerate, as in a pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Toleration {
    /// Key of the taint. Unset with operator `Exists`: all keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub key: Option<String>,
    /// `Exists` or `Equal`. Unset: `Equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    pub operator: Option<String>,
    /// Value of the taint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub value: Option<String>,
    /// Effect of the taint. Unset: all effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub effect: Option<String>,
}

/// What became of a RunnerClass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunnerClassStatus {
    /// Generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: every tenant that uses the class has its Deployment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Number of tenants that use the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<i32>,
}

impl RunnerClassSpec {
    /// Runs per runner.
    #[must_use]
    pub fn capacity(&self) -> i32 {
        self.capacity.unwrap_or(32)
    }

    /// The fewest and the most runners per tenant.
    #[must_use]
    pub fn bounds(&self) -> (i32, i32) {
        let min = self.min.unwrap_or(0);
        (min, self.max.unwrap_or(4).max(min).max(1))
    }

    /// The fields that are set and have no effect yet.
    #[must_use]
    pub fn unsupported(&self) -> Vec<Unsupported> {
        let job = self.isolation == Some(Isolation::Job);
        job.then(|| Unsupported::new("spec.isolation", "isolation Job is not supported yet: use Pool"))
            .into_iter()
            .collect()
    }
}
