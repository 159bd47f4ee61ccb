//! `WorkflowRun` → one run at the API server, and its end mirrored back.
//!
//! Writes to Kubernetes for one `WorkflowRun`, beside the person's `create`: the finalizer, the status as it is
//! accepted, the status as it ends; for a run longer than two seconds also that it has begun; and, after its time to
//! live, its deletion and the finalizer's removal. What else a run does in between is not written here.

use std::sync::Arc;
use std::time::Duration;

use flowpilot_crds::names::FINALIZER;
use flowpilot_crds::{Reason, WorkflowRun, WorkflowRunStatus};
use flowpilot_engine::protocol::operator::RunReport;
use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use snafu::ResultExt;

use crate::cluster::Cluster;
use crate::controller::{self, ApiSnafu, Error, KubernetesSnafu, Rejection};
use crate::world::World;
use crate::{Guarded, identity};

mod apply;
mod build;
mod dereference;
pub(crate) mod mirror;
mod update_status;
mod validate;

use apply::Applied;
use update_status::Verdict;

/// Name of the controller.
pub(crate) const NAME: &str = "workflowrun";
/// Its field manager.
pub(crate) const MANAGER: &str = "flowpilot-workflowrun";
/// How long a run waits for a workflow that does not exist: a folder can be applied in any order.
const WAIT_FOR_WORKFLOW: Duration = Duration::from_mins(5);
/// How often it looks, should the workflow's coming not be seen.
const LOOK_FOR_WORKFLOW: Duration = Duration::from_secs(15);
/// How often an unfinished run is asked for, should the report of its end be lost.
const LOOK_FOR_END: Duration = Duration::from_mins(10);

/// How old a run is when its status says that it has begun.
const SETTLE: Duration = Duration::from_secs(2);

/// What the controller works with.
pub(crate) struct Context {
    /// Caches and the API server.
    pub(crate) world: Arc<World>,
    /// Kubernetes.
    pub(crate) cluster: Cluster,
}

/// Hands one `WorkflowRun` over, mirrors its end, and removes it after its time.
pub(crate) async fn reconcile(
    object: Arc<Guarded<WorkflowRun>>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    if object.meta().deletion_timestamp.is_some() {
        return clean_up(&object, &context).await;
    }
    let now = Timestamp::now();
    if let Ok(run) = &object.0
        && let Some(status) = &run.status
        && update_status::has_ended(Some(status))
    {
        return expire(run, status, now, &context.cluster).await;
    }
    let (verdict, result) = match attempt(&object, &context).await {
        Ok(Ok(applied)) => (Verdict::Applied(Box::new(applied)), Ok(())),
        Ok(Err(rejection)) if is_waiting(&rejection, &object, now) => (Verdict::Waiting(rejection), Ok(())),
        Ok(Err(rejection)) => (Verdict::Rejected(rejection), Ok(())),
        Err(error) => (Verdict::Failed(error.reason(), error.message()), Err(error)),
    };
    let waits = matches!(verdict, Verdict::Waiting(_));
    if let Verdict::Applied(applied) = &verdict
        && let Some(left) = settling(&object, &applied.report, now)
    {
        return Ok(Action::requeue(left));
    }
    let written = update_status::update_status(&object, verdict, now, &context.cluster).await;
    result?;
    let status = written?;
    Ok(if update_status::has_ended(Some(&status)) {
        context.world.reports.seen(identity::uid(&*object));
        let ttl = object.0.as_ref().ok().and_then(|run| run.spec.ttl.as_deref());
        // Not at once: the cache must have the status first.
        Action::requeue(validate::time_left(ttl, &status, now).max(Duration::from_secs(1)))
    } else if waits {
        Action::requeue(LOOK_FOR_WORKFLOW)
    } else {
        context.world.reports.seen_open(identity::uid(&*object));
        Action::requeue(LOOK_FOR_END)
    })
}

/// How long it is too early to say that a run which was accepted has begun: most end before.
fn settling(object: &Guarded<WorkflowRun>, report: &RunReport, now: Timestamp) -> Option<Duration> {
    let accepted = object
        .0
        .as_ref()
        .ok()?
        .status
        .as_ref()
        .is_some_and(|status| status.run.is_some());
    let began = report
        .started_at
        .filter(|_| accepted && !mirror::is_end(report))?;
    let age = Duration::try_from(now.duration_since(began)).unwrap_or_default();
    Some(SETTLE.saturating_sub(age)).filter(|left| !left.is_zero())
}

async fn attempt(
    object: &Guarded<WorkflowRun>,
    context: &Context,
) -> Result<Result<Applied, Rejection>, Error> {
    let run = match controller::read(object) {
        Ok(run) => run,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let found = match dereference::dereference(run, &context.world) {
        Ok(found) => found,
        Err(rejection) => return Ok(Err(rejection)),
    };
    if let Err(rejection) = validate::validate(run) {
        return Ok(Err(rejection));
    }
    apply::apply(run, build::build(run), found, context).await
}

/// Whether something is missing that may still come.
fn is_waiting(rejection: &Rejection, object: &Guarded<WorkflowRun>, now: Timestamp) -> bool {
    let created = object
        .meta()
        .creation_timestamp
        .as_ref()
        .map_or(now, |time| time.0);
    let age = Duration::try_from(now.duration_since(created)).unwrap_or_default();
    matches!(rejection.reason, Reason::UnknownWorkflow | Reason::UnknownTenant) && age < WAIT_FOR_WORKFLOW
}

/// A run whose object goes before its end is cancelled. Needs only the UID.
async fn clean_up(object: &Guarded<WorkflowRun>, context: &Context) -> Result<Action, Error> {
    if object.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        let ended = object
            .0
            .as_ref()
            .is_ok_and(|run| update_status::has_ended(run.status.as_ref()));
        if !ended {
            context
                .world
                .api
                .cancel_run(identity::uid(object))
                .await
                .context(ApiSnafu)?;
        }
        context.cluster.release(object).await.context(KubernetesSnafu)?;
    }
    context.world.reports.seen(identity::uid(object));
    Ok(Action::await_change())
}

async fn expire(
    run: &WorkflowRun,
    status: &WorkflowRunStatus,
    now: Timestamp,
    cluster: &Cluster,
) -> Result<Action, Error> {
    let left = validate::time_left(run.spec.ttl.as_deref(), status, now);
    if left.is_zero() {
        cluster.delete(run).await.context(KubernetesSnafu)?;
        return Ok(Action::await_change());
    }
    Ok(Action::requeue(left))
}

/// What can be said of a `WorkflowRun` alone.
pub(crate) fn check(run: &WorkflowRun) -> Result<(), Rejection> {
    validate::validate(run)
}

/// Drops what an ended run no longer needs of the cache: the largest parts of it.
pub(crate) fn prune(run: &mut WorkflowRun) {
    if update_status::has_ended(run.status.as_ref()) {
        run.spec.inputs.clear();
        if let Some(status) = &mut run.status {
            status.outputs = None;
        }
    }
}
