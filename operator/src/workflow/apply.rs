//! Registers the revision. The finalizer comes first: what is registered must be removed again.

use flowpilot_crds::Workflow;
use flowpilot_engine::problem::Problem;
use kube::ResourceExt;
use snafu::ResultExt;

use super::Context;
use super::build::Prepared;
use crate::controller::{ApiSnafu, Error, KubernetesSnafu};

/// Proof that the revision was registered: only this makes a workflow ready.
pub(super) struct Applied {
    pub(super) digest: String,
    pub(super) warnings: Vec<Problem>,
}

pub(super) async fn apply(
    workflow: &Workflow,
    prepared: Prepared,
    context: &Context,
) -> Result<Applied, Error> {
    let Prepared {
        digest,
        registration,
        warnings,
    } = prepared;
    context.cluster.hold(workflow).await.context(KubernetesSnafu)?;
    let (namespace, name) = (workflow.namespace().unwrap_or_default(), workflow.name_any());
    context
        .world
        .api
        .register_revision((&namespace, &name), &digest, &registration)
        .await
        .context(ApiSnafu)?;
    Ok(Applied { digest, warnings })
}
