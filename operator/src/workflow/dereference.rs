//! The tenant of a workflow's namespace, the variables that it defines, and whether it has room.

use flowpilot_crds::Workflow;
use flowpilot_engine::compile;
use kube::ResourceExt;

use super::quota::{self, Excess};
use crate::controller::{Rejection, tenant_of};
use crate::world::Stores;

pub(super) struct Found {
    pub(super) compiling: compile::Context,
    /// Set if the workflow is above the tenant's quota.
    pub(super) excess: Option<Excess>,
}

pub(super) fn dereference(workflow: &Workflow, stores: &Stores) -> Result<Found, Rejection> {
    let namespace = workflow.namespace().unwrap_or_default();
    tenant_of(&stores.tenants, &namespace)?;
    Ok(Found {
        compiling: compiling(&namespace, stores),
        excess: quota::excess(stores, &namespace, &workflow.name_any()),
    })
}

/// What the compiler may know of the namespace's tenant: without one, that nothing is known.
pub(crate) fn compiling(namespace: &str, stores: &Stores) -> compile::Context {
    let tenant = tenant_of(&stores.tenants, namespace).ok();
    let tenant = tenant.as_ref().and_then(|tenant| tenant.0.as_ref().ok());
    compile::Context::server(tenant.map(|tenant| tenant.spec.variables.keys().cloned().collect()))
}
