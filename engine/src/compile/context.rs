//! What the compiler is told of the world outside the manifest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::expression::Tree;
use crate::plan::{Plan, PlanAction, PlanInput};

/// What is known of the world outside the manifest. What is absent here is unknown, and nothing is said about it.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Names of the variables that the tenant defines.
    pub tenant_variables: Option<BTreeSet<String>>,
    /// Actions that are declared beside the built-in ones, by name; one of the same name wins over a built-in one.
    pub actions: BTreeMap<String, PlanAction>,
    /// What the tenant's workflows take and give, by name.
    pub workflows: Option<BTreeMap<String, WorkflowInterface>>,
    /// Names of the tenant's connections.
    pub connections: Option<BTreeSet<String>>,
    /// Who will run it.
    pub support: Support,
}

impl Context {
    /// What the API server and its runners take, of a tenant with these variables.
    #[must_use]
    pub fn server(tenant_variables: Option<BTreeSet<String>>) -> Self {
        Self {
            tenant_variables,
            support: Support::Server,
            ..Self::default()
        }
    }
}

/// What a workflow takes and gives, for those that call it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkflowInterface {
    /// What a run of it is given.
    pub inputs: Vec<PlanInput>,
    /// JSON Schema of its outputs, as far as it is known.
    pub outputs: Value,
}

impl WorkflowInterface {
    /// What a compiled workflow takes and gives. Of its outputs the names are known.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let outputs = plan.outputs.as_ref().map(Tree::source);
        let names = outputs.and_then(Value::as_object).into_iter().flatten();
        let properties: Map<String, Value> = names.map(|(name, _)| (name.clone(), json!({}))).collect();
        Self {
            inputs: plan.inputs().to_vec(),
            outputs: json!({"type": "object", "properties": properties}),
        }
    }
}

/// Which part of the language can be run by whoever asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Support {
    /// All of it: `lint` and `test`.
    #[default]
    Everything,
    /// What the API server and its runners do today; the rest is refused with `NotSupportedYet`.
    Server,
    /// What one process does without a cluster: `run --local`. The rest is refused with `NeedsCluster`.
    Local,
}
