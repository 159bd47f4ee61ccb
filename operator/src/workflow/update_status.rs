//! What a Workflow's status says. A spec that is rejected leaves the revision before it in use.

use flowpilot_crds::condition::{self, READY};
use flowpilot_crds::{ConditionStatus, Reason, Workflow, WorkflowStatus};
use jiff::Timestamp;
use kube::Resource;
use snafu::ResultExt;

use super::apply::Applied;
use super::validate::listed;
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
    workflow: &Guarded<Workflow>,
    verdict: Verdict,
    cluster: &Cluster,
) -> Result<(), Error> {
    let before = workflow
        .0
        .as_ref()
        .ok()
        .and_then(|workflow| workflow.status.as_ref());
    let conditions = before.map_or(&[][..], |status| &status.conditions);
    if let Verdict::Failed(reason, _) = &verdict
        && controller::stays_ready(conditions, workflow.meta().generation, *reason)
    {
        return Ok(());
    }
    let status = status(workflow.meta().generation, before, verdict, Timestamp::now());
    if cluster
        .apply_status(workflow, &status, before)
        .await
        .context(KubernetesSnafu)?
    {
        controller::warn(cluster, workflow, &status.conditions).await;
    }
    Ok(())
}

fn status(
    generation: Option<i64>,
    before: Option<&WorkflowStatus>,
    verdict: Verdict,
    now: Timestamp,
) -> WorkflowStatus {
    let known = before.and_then(|status| status.revision.clone());
    let (why, message, revision) = match verdict {
        Verdict::Applied(Applied { digest, warnings }) => {
            let message = if warnings.is_empty() {
                "runs can be started".to_owned()
            } else {
                format!(
                    "runs can be started; {}",
                    listed(&warnings.iter().collect::<Vec<_>>())
                )
            };
            ((ConditionStatus::True, Reason::Available), message, Some(digest))
        }
        Verdict::Rejected(Rejection { reason, message }) => {
            ((ConditionStatus::False, reason), message, known)
        }
        Verdict::Failed(reason, message) => ((ConditionStatus::Unknown, reason), message, known),
    };
    let previous = before.map_or(&[][..], |status| &status.conditions);
    let message = shorten(&message, CONDITION_BYTES);
    let ready = condition::condition(READY, why, message, generation, (previous, now));
    WorkflowStatus {
        observed_generation: generation,
        conditions: vec![ready],
        revision,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejected_spec_keeps_the_revision_before_it() {
        let applied = Verdict::Applied(Applied {
            digest: "sha256:1".to_owned(),
            warnings: Vec::new(),
        });
        let good = status(Some(1), None, applied, Timestamp::UNIX_EPOCH);
        let rejection = Rejection {
            reason: Reason::InvalidSpec,
            message: "x".repeat(100_000),
        };
        let bad = status(
            Some(2),
            Some(&good),
            Verdict::Rejected(rejection),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(bad.revision.as_deref(), Some("sha256:1"));
        assert_eq!(
            (bad.observed_generation, bad.conditions[0].status.as_str()),
            (Some(2), "False")
        );
        assert!(bad.conditions[0].message.len() <= CONDITION_BYTES);
    }
}
