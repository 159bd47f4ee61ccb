//! What a `RunnerClass`'s status says.

use flowpilot_crds::condition::{self, READY};
use flowpilot_crds::{ConditionStatus, Reason, RunnerClass, RunnerClassStatus};
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
}

/// Writes the status if it changed, and an Event if it changed to something bad.
pub(super) async fn update_status(
    class: &Guarded<RunnerClass>,
    verdict: Verdict,
    cluster: &Cluster,
) -> Result<(), Error> {
    let before = class.0.as_ref().ok().and_then(|class| class.status.as_ref());
    let status = status(class, before, verdict, Timestamp::now());
    if cluster
        .apply_status(class, &status, before)
        .await
        .context(KubernetesSnafu)?
    {
        controller::warn(cluster, class, &status.conditions).await;
    }
    Ok(())
}

fn status(
    class: &Guarded<RunnerClass>,
    before: Option<&RunnerClassStatus>,
    verdict: Verdict,
    now: Timestamp,
) -> RunnerClassStatus {
    let known = before.and_then(|status| status.tenants);
    let (why, message, tenants) = match verdict {
        Verdict::Applied(Applied { tenants }) => {
            let tenants = i32::try_from(tenants).unwrap_or(i32::MAX);
            let message = if tenants == 1 {
                "1 tenant uses it".to_owned()
            } else {
                format!("{tenants} tenants use it")
            };
            ((ConditionStatus::True, Reason::Available), message, Some(tenants))
        }
        Verdict::Rejected(Rejection { reason, message }) => {
            ((ConditionStatus::False, reason), message, known)
        }
        Verdict::Failed(reason, message) => ((ConditionStatus::Unknown, reason), message, known),
    };
    let previous = before.map_or(&[][..], |status| &status.conditions);
    let generation = class.meta().generation;
    let message = shorten(&message, CONDITION_BYTES);
    let ready = condition::condition(READY, why, message, generation, (previous, now));
    RunnerClassStatus {
        observed_generation: generation,
        conditions: vec![ready],
        tenants,
    }
}
