//! Tenant → its namespace with quotas, limits, network rules, the runners' account and role bindings; its row.
//!
//! A namespace of the right name that is not marked as this tenant's is somebody else's: it is never touched.

use std::sync::Arc;

use flowpilot_crds::names::FINALIZER;
use flowpilot_crds::{Reason, Tenant, names};
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;

use crate::Guarded;
use crate::cluster::Cluster;
use crate::controller::{self, Error, Rejection};
use crate::world::World;

mod apply;
mod build;
mod cleanup;
mod dereference;
pub(crate) mod impersonator;
mod network;
mod update_status;
mod validate;

use impersonator::Impersonator;
use update_status::Verdict;

/// Name of the controller.
pub(crate) const NAME: &str = "tenant";
/// Its field manager.
pub(crate) const MANAGER: &str = "flowpilot-tenant";

/// What the controller works with.
pub(crate) struct Context {
    /// Caches and the API server.
    pub(crate) world: Arc<World>,
    /// Kubernetes.
    pub(crate) cluster: Cluster,
    /// The list of those whom the API server may act as.
    pub(crate) impersonator: Impersonator,
}

/// Brings one Tenant's objects to what it says.
pub(crate) async fn reconcile(object: Arc<Guarded<Tenant>>, context: Arc<Context>) -> Result<Action, Error> {
    let Context { world, cluster, .. } = &*context;
    if object.metadata_deleted() {
        return cleanup::clean_up(&object, &context).await;
    }
    let (verdict, result) = match attempt(&object, &context).await {
        Ok(Ok(applied)) => (Verdict::Applied(applied), Ok(())),
        Ok(Err(rejection)) => (Verdict::Rejected(rejection), Ok(())),
        Err(error) => (Verdict::Failed(error.reason(), error.message()), Err(error)),
    };
    let ready = matches!(verdict, Verdict::Applied(_));
    let written = update_status::update_status(&object, verdict, cluster).await;
    result?;
    written?;
    if ready {
        // Their registration may have waited for the tenant's.
        let namespace = names::namespace_of(&object.name_any());
        world
            .stores
            .workflows
            .state()
            .iter()
            .filter(|workflow| workflow.namespace().as_deref() == Some(&namespace))
            .for_each(|workflow| world.queues.workflows.add(ObjectRef::from_obj(&**workflow)));
    }
    Ok(Action::await_change())
}

async fn attempt(
    object: &Guarded<Tenant>,
    context: &Context,
) -> Result<Result<apply::Applied, Rejection>, Error> {
    let tenant = match controller::read(object) {
        Ok(tenant) => tenant,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let found = match dereference::dereference(tenant, context).await? {
        Ok(found) => found,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let valid = match validate::validate(tenant) {
        Ok(valid) => valid,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let prepared = build::build(tenant, &valid, &context.world.settings);
    apply::apply(tenant, prepared, found, context).await.map(Ok)
}

/// What can be said of a Tenant alone.
pub(crate) fn check(tenant: &Tenant) -> Result<(), Rejection> {
    validate::validate(tenant).map(drop)
}

/// Whether a tenant still has what only the operator can remove.
fn is_held(tenant: &Guarded<Tenant>) -> bool {
    tenant.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// Whether an object is being deleted.
trait Deleted {
    fn metadata_deleted(&self) -> bool;
}

impl<K: kube::Resource> Deleted for K {
    fn metadata_deleted(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }
}

/// The reason for a namespace that is not the tenant's.
fn taken(namespace: &str) -> Rejection {
    Rejection {
        reason: Reason::NamespaceTaken,
        message: format!(
            "namespace {namespace} exists and is not this tenant's: delete it, or label it {}={} and {}=<tenant> to \
             hand it over",
            names::MANAGED_BY_LABEL,
            names::MANAGED_BY,
            names::TENANT_LABEL
        ),
    }
}
