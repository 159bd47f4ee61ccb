//! What a Tenant's status says.

use flowpilot_crds::condition::{self, READY};
use flowpilot_crds::{ConditionStatus, Reason, Tenant, TenantStatus, names};
use jiff::Timestamp;
use kube::Resource;
use snafu::ResultExt;

use super::apply::Applied;
use crate::Guarded;
use crate::cluster::{CONDITION_BYTES, Cluster, shorten};
use crate::controller::{self, Error, KubernetesSnafu, Rejection};

/// How a reconcile went.
pub(super) enum Verdict {
    Applied(Applied),
    Rejected(Rejection),
    Failed(Reason, String),
    Terminating(String),
}

/// Writes the status if it changed, and an Event if it changed to something bad.
pub(super) async fn update_status(
    tenant: &Guarded<Tenant>,
    verdict: Verdict,
    cluster: &Cluster,
) -> Result<(), Error> {
    let before = tenant.0.as_ref().ok().and_then(|tenant| tenant.status.as_ref());
    let conditions = before.map_or(&[][..], |status| &status.conditions);
    if let Verdict::Failed(reason, _) = &verdict
        && controller::stays_ready(conditions, tenant.meta().generation, *reason)
    {
        return Ok(());
    }
    let status = status(tenant, before, verdict, Timestamp::now());
    if cluster
        .apply_status(tenant, &status, before)
        .await
        .context(KubernetesSnafu)?
    {
        controller::warn(cluster, tenant, &status.conditions).await;
    }
    Ok(())
}

fn status(
    tenant: &Guarded<Tenant>,
    before: Option<&TenantStatus>,
    verdict: Verdict,
    now: Timestamp,
) -> TenantStatus {
    let known = before.and_then(|status| status.namespace.clone());
    let (why, message, namespace) = match verdict {
        Verdict::Applied(Applied {
            namespace,
            has_class: true,
        }) => (
            (ConditionStatus::True, Reason::Available),
            format!("namespace {namespace} is ready"),
            Some(namespace),
        ),
        Verdict::Applied(Applied {
            namespace,
            has_class: false,
        }) => {
            let class = tenant
                .0
                .as_ref()
                .map_or(names::DEFAULT_RUNNER_CLASS, |tenant| tenant.spec.runner_class());
            let message = format!(
                "there is no RunnerClass {class}: apply one, or no runner will take this tenant's runs"
            );
            (
                (ConditionStatus::False, Reason::UnknownRunnerClass),
                message,
                Some(namespace),
            )
        }
        Verdict::Rejected(Rejection { reason, message }) => {
            ((ConditionStatus::False, reason), message, known)
        }
        Verdict::Failed(reason, message) => ((ConditionStatus::Unknown, reason), message, known),
        Verdict::Terminating(message) => ((ConditionStatus::False, Reason::Terminating), message, known),
    };
    let previous = before.map_or(&[][..], |status| &status.conditions);
    let generation = tenant.meta().generation;
    let message = shorten(&message, CONDITION_BYTES);
    let ready = condition::condition(READY, why, message, generation, (previous, now));
    TenantStatus {
        observed_generation: generation,
        conditions: vec![ready],
        namespace,
    }
}
