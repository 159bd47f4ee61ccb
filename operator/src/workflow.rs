//! Workflow → an immutable revision at the API server, or every problem at once.

use std::sync::Arc;
use std::time::Duration;

use flowpilot_crds::{Reason, Workflow};
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};
use snafu::ResultExt;

use crate::cluster::Cluster;
use crate::controller::{self, ApiSnafu, Error, KubernetesSnafu, Rejection};
use crate::world::World;
use crate::{Guarded, identity};

mod apply;
mod build;
mod dereference;
pub(crate) mod quota;
mod update_status;
mod validate;

pub(crate) use dereference::compiling;
pub(crate) use validate::listed;

use update_status::Verdict;

/// Name of the controller.
pub(crate) const NAME: &str = "workflow";
/// Its field manager.
pub(crate) const MANAGER: &str = "flowpilot-workflow";

/// How often a workflow asks for its tenant, should the tenant's registration not be seen.
const LOOK_FOR_TENANT: Duration = Duration::from_secs(15);

/// What the controller works with.
pub(crate) struct Context {
    /// Caches and the API server.
    pub(crate) world: Arc<World>,
    /// Kubernetes.
    pub(crate) cluster: Cluster,
}

/// Compiles and registers one Workflow.
pub(crate) async fn reconcile(
    object: Arc<Guarded<Workflow>>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    if object.meta().deletion_timestamp.is_some() {
        return clean_up(&object, &context).await;
    }
    let (verdict, result) = match attempt(&object, &context).await {
        Ok(Ok(applied)) => (Verdict::Applied(applied), Ok(())),
        Ok(Err(rejection)) => (Verdict::Rejected(rejection), Ok(())),
        Err(error) => (Verdict::Failed(error.reason(), error.message()), Err(error)),
    };
    let ready = matches!(verdict, Verdict::Applied(_));
    let waits = matches!(&verdict, Verdict::Rejected(rejection) if rejection.reason == Reason::Progressing);
    let written = update_status::update_status(&object, verdict, &context.cluster).await;
    result?;
    written?;
    if ready {
        wake_runs(&object, &context.world);
    }
    Ok(if waits {
        Action::requeue(LOOK_FOR_TENANT)
    } else {
        Action::await_change()
    })
}

async fn attempt(
    object: &Guarded<Workflow>,
    context: &Context,
) -> Result<Result<apply::Applied, Rejection>, Error> {
    let workflow = match controller::read(object) {
        Ok(workflow) => workflow,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let found = match dereference::dereference(workflow, &context.world.stores) {
        Ok(found) => found,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let valid = match validate::validate(workflow, &found) {
        Ok(valid) => valid,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let prepared = match build::build(workflow, valid) {
        Ok(prepared) => prepared,
        Err(rejection) => return Ok(Err(rejection)),
    };
    apply::apply(workflow, prepared, context).await
}

/// Needs only name and UID, so a broken spec cannot keep a Workflow alive. Revisions that runs still use stay at the
/// API server as history.
async fn clean_up(object: &Guarded<Workflow>, context: &Context) -> Result<Action, Error> {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    if object
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == flowpilot_crds::names::FINALIZER)
    {
        context
            .world
            .api
            .remove_workflow((&namespace, &name), identity::uid(object))
            .await
            .context(ApiSnafu)?;
        context.cluster.release(object).await.context(KubernetesSnafu)?;
    }
    Ok(Action::await_change())
}

/// A folder may be applied in any order: runs that came before their workflow go on now.
fn wake_runs(workflow: &Guarded<Workflow>, world: &World) {
    let (namespace, name) = (workflow.namespace(), workflow.name_any());
    for run in world.stores.runs.state() {
        if let Ok(wish) = &run.0
            && wish.spec.workflow == name
            && run.namespace() == namespace
            && wish.status.as_ref().is_none_or(|status| status.run.is_none())
        {
            world.queues.runs.add(ObjectRef::from_obj(&*run));
        }
    }
}
