//! `AdmissionReview` in and out.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flowpilot_crds::Reason;
use flowpilot_engine::problem::Problem;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Webhook;
use super::check::{Findings, Question, check};
use crate::cluster::shorten;

/// The only version that is spoken.
const VERSION: &str = "admission.k8s.io/v1";
/// Problems in one answer: more than anybody mends in one go.
const PROBLEMS: usize = 100;
/// Bytes of a warning: the API server of Kubernetes cuts longer ones.
const WARNING_BYTES: usize = 256;
/// Warnings in one answer, by the same limit of 4 KiB for all.
const WARNINGS: usize = 16;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    request: Option<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    uid: String,
    kind: Kind,
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    sub_resource: String,
    operation: String,
    #[serde(default)]
    object: Value,
}

#[derive(Deserialize)]
struct Kind {
    group: String,
    kind: String,
}

pub(super) async fn answer(State(webhook): State<Webhook>, body: Bytes) -> Response {
    let started = Instant::now();
    let request = match read(&body) {
        Ok(request) => request,
        Err(message) => {
            webhook
                .metrics
                .admitted("Unknown", "malformed", started.elapsed());
            return (StatusCode::BAD_REQUEST, format!("{message}\n")).into_response();
        }
    };
    let findings = if is_checked(&request) {
        let question = Question {
            kind: &request.kind.kind,
            namespace: &request.namespace,
            name: &request.name,
            creates: request.operation == "CREATE",
            object: &request.object,
        };
        check(&question, &webhook.stores)
    } else {
        Findings::default()
    };
    let allowed = findings.errors.is_empty();
    webhook.metrics.admitted(
        known(&request.kind.kind),
        if allowed { "allowed" } else { "denied" },
        started.elapsed(),
    );
    Json(json!({"apiVersion": VERSION, "kind": "AdmissionReview", "response": response(&request, &findings)}))
        .into_response()
}

fn read(body: &[u8]) -> Result<Request, String> {
    let review: Review =
        serde_json::from_slice(body).map_err(|error| format!("the body is no AdmissionReview: {error}"))?;
    if review.api_version != VERSION {
        return Err(format!(
            "apiVersion is {}, and only {VERSION} is spoken",
            review.api_version
        ));
    }
    review
        .request
        .ok_or_else(|| "the AdmissionReview has no request".to_owned())
}

/// What changes no spec needs no check; above all, an object with a spec that has become invalid can still be deleted.
fn is_checked(request: &Request) -> bool {
    request.kind.group == flowpilot_crds::GROUP
        && request.sub_resource.is_empty()
        && matches!(request.operation.as_str(), "CREATE" | "UPDATE")
        && request.object["metadata"]["deletionTimestamp"].is_null()
}

fn response(request: &Request, findings: &Findings) -> Value {
    let Findings { errors, warnings } = findings;
    let said = |problem: &Problem| shorten(&problem.to_string(), WARNING_BYTES);
    let warnings: Vec<String> = warnings.iter().take(WARNINGS).map(said).collect();
    let mut response = json!({"uid": request.uid, "allowed": errors.is_empty()});
    if !warnings.is_empty() {
        response["warnings"] = json!(warnings);
    }
    if !errors.is_empty() {
        let shown: Vec<&Problem> = errors.iter().take(PROBLEMS).collect();
        let mut message = crate::workflow::listed(&shown);
        if errors.len() > shown.len() {
            message = format!(
                "{} problems, the first {PROBLEMS} of them: {message}",
                errors.len()
            );
        }
        let causes = shown.iter().map(|problem| {
            let message = match &problem.suggestion {
                Some(suggestion) => format!("{}; did you mean `{suggestion}`?", problem.sentence()),
                None => problem.sentence(),
            };
            json!({"reason": problem.code, "field": problem.path, "message": message})
        });
        // An object that is good and has no room is refused as a ResourceQuota would: it is not the object that is wrong.
        let full = errors
            .iter()
            .all(|problem| problem.code == Reason::QuotaExceeded.as_str());
        let (code, reason) = if full {
            (403, "Forbidden")
        } else {
            (422, "Invalid")
        };
        response["status"] = json!({
            "status": "Failure", "code": code, "reason": reason, "message": message,
            "details": {
                "name": request.name, "group": request.kind.group, "kind": request.kind.kind,
                "causes": causes.collect::<Vec<_>>(),
            },
        });
    }
    response
}

/// The kind as a label of a metric.
fn known(kind: &str) -> &'static str {
    const KINDS: [&str; 6] = [
        "Tenant",
        "RunnerClass",
        "Connector",
        "Connection",
        "Workflow",
        "WorkflowRun",
    ];
    KINDS
        .into_iter()
        .find(|known| *known == kind)
        .unwrap_or("Unknown")
}

#[cfg(test)]
mod tests;
