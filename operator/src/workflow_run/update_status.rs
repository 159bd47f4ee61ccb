//! What a `WorkflowRun`'s status says.

use flowpilot_crds::condition::{self, SUCCEEDED};
use flowpilot_crds::workflow_run::RunErrorStatus;
use flowpilot_crds::{ConditionStatus, Reason, WorkflowRun, WorkflowRunStatus};
use flowpilot_engine::protocol::operator::RunReport;
use jiff::Timestamp;
use kube::Resource;
use serde_json::{Map, Value};
use snafu::ResultExt;

use super::apply::Applied;
use crate::Guarded;
use crate::cluster::{CONDITION_BYTES, Cluster, shorten};
use crate::controller::{self, Error, KubernetesSnafu, Rejection};

/// Bytes of JSON that outputs may have in a status: etcd is no place for data.
const OUTPUT_BYTES: usize = 64 * 1024;

/// How a reconcile went.
pub(super) enum Verdict {
    Applied(Box<Applied>),
    /// Something is missing that may still come.
    Waiting(Rejection),
    Rejected(Rejection),
    Failed(Reason, String),
}

/// Whether the run's end is in its status.
pub(super) fn has_ended(status: Option<&WorkflowRunStatus>) -> bool {
    status.is_some_and(|status| {
        status.conditions.iter().any(|condition| {
            condition.type_ == SUCCEEDED && condition.status != ConditionStatus::Unknown.as_str()
        })
    })
}

/// Writes the status if it changed, and an Event if it changed to something bad; gives it back.
pub(super) async fn update_status(
    run: &Guarded<WorkflowRun>,
    verdict: Verdict,
    now: Timestamp,
    cluster: &Cluster,
) -> Result<WorkflowRunStatus, Error> {
    let before = run.0.as_ref().ok().and_then(|run| run.status.as_ref());
    // A run that was handed over goes on, whether the API server answers at the moment or not.
    if let Some(status) = before
        && status.run.is_some()
        && matches!(verdict, Verdict::Failed(..))
    {
        return Ok(status.clone());
    }
    let status = status(run.meta().generation, before, verdict, now);
    if cluster
        .apply_status(run, &status, before)
        .await
        .context(KubernetesSnafu)?
    {
        controller::warn(cluster, run, &status.conditions).await;
    }
    Ok(status)
}

fn status(
    generation: Option<i64>,
    before: Option<&WorkflowRunStatus>,
    verdict: Verdict,
    now: Timestamp,
) -> WorkflowRunStatus {
    let previous = before.map_or(&[][..], |status| &status.conditions);
    let conditions = |why, message: &str| {
        let message = shorten(message, CONDITION_BYTES);
        vec![condition::condition(
            SUCCEEDED,
            why,
            message,
            generation,
            (previous, now),
        )]
    };
    let (why, message) = match verdict {
        Verdict::Applied(applied) => {
            let Applied { report } = *applied;
            let (why, message, outputs) = told(&report);
            return WorkflowRunStatus {
                observed_generation: generation,
                conditions: conditions(why, &message),
                run: Some(report.run.to_string()),
                revision: Some(report.revision),
                started_at: report.started_at.map(|time| time.to_string()),
                finished_at: report.finished_at.map(|time| time.to_string()),
                outputs,
                error: report.error.map(|error| RunErrorStatus {
                    message: shorten(&error.message, CONDITION_BYTES),
                    code: error.code,
                    step: error.step,
                }),
            };
        }
        Verdict::Rejected(Rejection { reason, message }) => ((ConditionStatus::False, reason), message),
        Verdict::Waiting(Rejection { reason, message }) | Verdict::Failed(reason, message) => {
            ((ConditionStatus::Unknown, reason), message)
        }
    };
    WorkflowRunStatus {
        observed_generation: generation,
        conditions: conditions(why, &message),
        ..before.cloned().unwrap_or_default()
    }
}

type Why = (ConditionStatus, Reason);

fn told(report: &RunReport) -> (Why, String, Option<Map<String, Value>>) {
    let error = report.error.as_ref().map(|error| match &error.step {
        Some(step) => format!("step {step}: {} ({})", error.message, error.code),
        None => format!("{} ({})", error.message, error.code),
    });
    match report.state.as_str() {
        "succeeded" => {
            let (outputs, message) = bounded(report.outputs.clone());
            ((ConditionStatus::True, Reason::Succeeded), message, outputs)
        }
        "failed" => {
            let message = error.unwrap_or_else(|| "the run failed".to_owned());
            ((ConditionStatus::False, Reason::Failed), message, None)
        }
        "cancelled" => {
            let message = error.unwrap_or_else(|| "the run was cancelled".to_owned());
            ((ConditionStatus::False, Reason::Cancelled), message, None)
        }
        "running" => (
            (ConditionStatus::Unknown, Reason::Running),
            "a runner works on it".to_owned(),
            None,
        ),
        "waiting" => (
            (ConditionStatus::Unknown, Reason::Waiting),
            "it waits".to_owned(),
            None,
        ),
        "held" => (
            (ConditionStatus::Unknown, Reason::Held),
            "it is held".to_owned(),
            None,
        ),
        _ => (
            (ConditionStatus::Unknown, Reason::Queued),
            "it waits for a runner".to_owned(),
            None,
        ),
    }
}

fn bounded(outputs: Option<Map<String, Value>>) -> (Option<Map<String, Value>>, String) {
    let size = outputs
        .as_ref()
        .and_then(|outputs| serde_json::to_vec(outputs).ok())
        .map_or(0, |text| text.len());
    if size > OUTPUT_BYTES {
        let message = format!("the run succeeded; its outputs have {size} bytes and stay at the API server");
        return (None, message);
    }
    (outputs, "the run succeeded".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowpilot_engine::journal::StepError;
    use serde_json::json;
    use uuid::Uuid;

    fn report(state: &str) -> RunReport {
        RunReport {
            uid: Uuid::nil(),
            run: Uuid::nil(),
            state: state.to_owned(),
            revision: "sha256:1".to_owned(),
            started_at: None,
            finished_at: None,
            outputs: None,
            error: None,
        }
    }

    fn of(report: RunReport) -> WorkflowRunStatus {
        status(
            Some(1),
            None,
            Verdict::Applied(Box::new(Applied { report })),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn each_state_has_its_condition() {
        for (state, expected) in [
            ("queued", ("Unknown", "Queued")),
            ("running", ("Unknown", "Running")),
            ("succeeded", ("True", "Succeeded")),
            ("failed", ("False", "Failed")),
            ("cancelled", ("False", "Cancelled")),
        ] {
            let status = of(report(state));
            let condition = &status.conditions[0];
            assert_eq!((condition.status.as_str(), condition.reason.as_str()), expected);
            assert_eq!(has_ended(Some(&status)), expected.0 != "Unknown");
        }
    }

    #[test]
    fn a_failure_names_step_and_cause() {
        let error = StepError {
            code: "Timeout".to_owned(),
            message: "no answer".to_owned(),
            step: Some("call".to_owned()),
            ..serde_json::from_value(json!({"code": "", "message": ""})).unwrap()
        };
        let status = of(RunReport {
            error: Some(error),
            ..report("failed")
        });
        assert_eq!(status.conditions[0].message, "step call: no answer (Timeout)");
        assert_eq!(status.error.unwrap().step.as_deref(), Some("call"));
    }

    #[test]
    fn large_outputs_stay_where_they_are() {
        let outputs = |size| json!({"a": "x".repeat(size)}).as_object().cloned();
        let small = of(RunReport {
            outputs: outputs(10),
            ..report("succeeded")
        });
        assert_eq!(small.outputs, outputs(10));
        let large = of(RunReport {
            outputs: outputs(OUTPUT_BYTES),
            ..report("succeeded")
        });
        assert_eq!(large.outputs, None);
        assert!(large.conditions[0].message.contains("65544 bytes"));
    }
}
