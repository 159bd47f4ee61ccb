//! Why Kubernetes refused a change, in the words of this API.

use kube::core::Status;
use serde_json::Value;

use crate::problem::{Code, Detail, Problem};

/// The problem for a refusal. `manifest` is what was to be applied: who must go to Git takes it along.
pub(super) fn problem(status: &Status, manifest: Option<&Value>) -> Problem {
    let message = status.message.as_str();
    match status.code {
        409 => match (conflicting_manager(status), manifest) {
            (Some(manager), Some(manifest)) => managed_elsewhere(&manager, manifest),
            _ if status.reason == "AlreadyExists" => Problem::new(Code::AlreadyExists, message),
            _ => Problem::new(Code::PreconditionFailed, "the workflow changed since it was read"),
        },
        404 => Problem::not_found(),
        403 if message.contains("ValidatingAdmissionPolicy") => Problem::new(Code::PolicyDenied, message),
        // By our admission, or by a ResourceQuota that somebody put there.
        403 if message.contains("exceeded quota") => Problem::new(Code::QuotaExceeded, message),
        403 | 400 | 422 if message.contains("admission webhook") || status.code == 422 => invalid(status),
        403 | 401 => Problem::new(Code::Forbidden, message),
        429 | 503 | 504 => Problem::new(Code::Unavailable, "Kubernetes is overloaded or away").retry_after(2),
        code => {
            tracing::error!(code, message, "Kubernetes refused a change in an unexpected way");
            Problem::new(Code::UpstreamFailed, message)
        }
    }
}

/// The fields belong to somebody else, who is never overruled.
pub(super) fn managed_elsewhere(manager: &str, manifest: &Value) -> Problem {
    let text = format!(
        "these fields belong to the field manager `{manager}`; make the change where it gets them from"
    );
    Problem::new(Code::ManagedElsewhere, text)
        .with("manager", manager)
        .with("manifest", manifest.clone())
}

/// What admission or the schema found.
fn invalid(status: &Status) -> Problem {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let errors = causes.map(|cause| {
        let (path, code) = (cause.field.as_str(), cause.reason.as_str());
        let finding = flowpilot_engine::problem::Problem::error(code, path, cause.message.as_str());
        Detail {
            pointer: finding.pointer(),
            code: finding.code,
            detail: finding.message,
            suggestion: None,
        }
    });
    let mut problem = Problem::new(Code::InvalidWorkflow, status.message.as_str());
    problem.errors.extend(errors);
    problem
}

/// Of `conflict with "argocd" using flowpilot.io/v1alpha1` the name.
fn conflicting_manager(status: &Status) -> Option<String> {
    let causes = &status.details.as_ref()?.causes;
    let cause = causes
        .iter()
        .find(|cause| cause.reason == "FieldManagerConflict")?;
    cause.message.split('"').nth(1).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(value: Value) -> Status {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_conflict_of_field_managers_names_the_other_one() {
        let status = status(
            json!({"status": "Failure", "code": 409, "reason": "Conflict", "message": "Apply failed",
            "details": {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.title",
                "message": "conflict with \"argocd-controller\" using flowpilot.io/v1alpha1"}]}}),
        );
        let manifest = json!({"spec": {}});
        let problem = problem(&status, Some(&manifest));
        assert_eq!(problem.code, Code::ManagedElsewhere);
        assert_eq!(problem.more["manager"], "argocd-controller");
        assert_eq!(problem.more["manifest"], manifest);
    }

    #[test]
    fn refusals_are_told_apart() {
        for (value, code) in [
            (
                json!({"code": 409, "reason": "Conflict", "message": "the object has been modified"}),
                Code::PreconditionFailed,
            ),
            (
                json!({"code": 403, "message": "workflows.flowpilot.io is forbidden: User …"}),
                Code::Forbidden,
            ),
            (
                json!({"code": 403, "message": "admission webhook \"workflows\" denied the request: …"}),
                Code::InvalidWorkflow,
            ),
            (
                json!({"code": 403, "message":
                    "admission webhook \"workflows\" denied the request: metadata.namespace: exceeded quota: …"}),
                Code::QuotaExceeded,
            ),
            (
                json!({"code": 403, "message": "ValidatingAdmissionPolicy 'flowpilot-members' denied request"}),
                Code::PolicyDenied,
            ),
            (
                json!({"code": 422, "reason": "Invalid", "message": "spec.steps: too long"}),
                Code::InvalidWorkflow,
            ),
            (json!({"code": 503, "message": "etcd is away"}), Code::Unavailable),
            (json!({"code": 500, "message": "odd"}), Code::UpstreamFailed),
        ] {
            assert_eq!(problem(&status(value.clone()), None).code, code, "{value}");
        }
    }
}
