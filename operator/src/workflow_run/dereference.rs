//! The tenant of the run's namespace, and what the API server has reported of it.

use flowpilot_crds::WorkflowRun;
use flowpilot_engine::protocol::operator::RunReport;
use kube::ResourceExt;

use crate::controller::{Rejection, tenant_of};
use crate::identity;
use crate::world::World;

pub(super) struct Found {
    /// The report of its end, if it has come.
    pub(super) report: Option<RunReport>,
}

pub(super) fn dereference(run: &WorkflowRun, world: &World) -> Result<Found, Rejection> {
    let report = world.reports.get(identity::uid(run));
    if report.is_none() {
        tenant_of(&world.stores.tenants, &run.namespace().unwrap_or_default())?;
    }
    Ok(Found { report })
}
