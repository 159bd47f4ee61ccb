//! `RunnerClass` → per tenant that uses it a Deployment of runners. How many there are is the scaler's.

use std::sync::Arc;

use flowpilot_crds::RunnerClass;
use kube::Resource;
use kube::runtime::controller::Action;

use crate::Guarded;
use crate::cluster::Cluster;
use crate::controller::{self, Error, Rejection};
use crate::world::World;

mod apply;
mod build;
mod dereference;
mod update_status;
mod validate;

use update_status::Verdict;
pub(crate) use validate::Scale;

/// Name of the controller.
pub(crate) const NAME: &str = "runnerclass";
/// Its field manager.
pub(crate) const MANAGER: &str = "flowpilot-runnerclass";

/// What the controller works with.
pub(crate) struct Context {
    /// Caches and the API server.
    pub(crate) world: Arc<World>,
    /// Kubernetes.
    pub(crate) cluster: Cluster,
}

/// Brings the Deployments of one class to what it says.
pub(crate) async fn reconcile(
    object: Arc<Guarded<RunnerClass>>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    if object.meta().deletion_timestamp.is_some() {
        // Its Deployments name it as their owner and go with it.
        return Ok(Action::await_change());
    }
    let (verdict, result) = match attempt(&object, &context).await {
        Ok(Ok(applied)) => (Verdict::Applied(applied), Ok(())),
        Ok(Err(rejection)) => (Verdict::Rejected(rejection), Ok(())),
        Err(error) => (Verdict::Failed(error.reason(), error.message()), Err(error)),
    };
    let written = update_status::update_status(&object, verdict, &context.cluster).await;
    result?;
    written?;
    Ok(Action::await_change())
}

async fn attempt(
    object: &Guarded<RunnerClass>,
    context: &Context,
) -> Result<Result<apply::Applied, Rejection>, Error> {
    let class = match controller::read(object) {
        Ok(class) => class,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let found = dereference::dereference(class, &context.world.stores);
    let scale = match validate::validate(class) {
        Ok(scale) => scale,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let prepared = build::build(class, scale, &found.users, &context.world.settings);
    apply::apply(prepared, found, context).await.map(Ok)
}

/// What can be said of a `RunnerClass` alone.
pub(crate) fn check(class: &RunnerClass) -> Result<(), Rejection> {
    validate::validate(class).map(drop)
}
