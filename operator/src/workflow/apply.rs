//! Registers the revision. The finalizer comes first: what is registered must be removed again.

use flowpilot_crds::{Reason, Workflow};
use flowpilot_engine::problem::Problem;
use kube::ResourceExt;
use snafu::ResultExt;

use super::Context;
use super::build::Prepared;
use crate::api::Refusal;
use crate::controller::{ApiSnafu, Error, KubernetesSnafu, Rejection};

/// Proof that the revision was registered: only this makes a workflow ready.
pub(super) struct Applied {
    pub(super) digest: String,
    pub(super) warnings: Vec<Problem>,
}

pub(super) async fn apply(
    workflow: &Workflow,
    prepared: Prepared,
    context: &Context,
) -> Result<Result<Applied, Rejection>, Error> {
    let Prepared {
        digest,
        registration,
        warnings,
    } = prepared;
    context.cluster.hold(workflow).await.context(KubernetesSnafu)?;
    let (namespace, name) = (workflow.namespace().unwrap_or_default(), workflow.name_any());
    let api = &context.world.api;
    match api
        .register_revision((&namespace, &name), &digest, &registration)
        .await
    {
        Ok(()) => Ok(Ok(Applied { digest, warnings })),
        Err(error) => match error.refusal().and_then(rejection) {
            Some(rejection) => Ok(Err(rejection)),
            None => Err(error).context(ApiSnafu),
        },
    }
}

fn rejection(refusal: &Refusal) -> Option<Rejection> {
    match (refusal.status, refusal.code.as_str()) {
        // The tenant's registration wakes its workflows.
        (404, _) => Some(Rejection {
            reason: Reason::Progressing,
            message: "waits for its tenant to be registered".to_owned(),
        }),
        // An API server of another version has another compiler.
        (_, "InvalidWorkflow") => Some(Rejection {
            reason: Reason::InvalidSpec,
            message: refusal.message.clone(),
        }),
        _ => None,
    }
}
