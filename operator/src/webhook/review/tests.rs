use axum::Router;
use axum::body::Body;
use axum::http::{Request as HttpRequest, header};
use kube::runtime::reflector::store::Writer;
use tower::ServiceExt;

use super::*;
use crate::metrics::Metrics;
use crate::world::Stores;

/// Stores of a cluster in which there is nothing.
fn routes() -> Router {
    let stores = Stores {
        tenants: Writer::new(()).as_reader(),
        classes: Writer::new(()).as_reader(),
        workflows: Writer::new(()).as_reader(),
        runs: Writer::new(()).as_reader(),
        namespaces: Writer::new(()).as_reader(),
        quotas: Writer::new(()).as_reader(),
        limit_ranges: Writer::new(()).as_reader(),
        network_policies: Writer::new(()).as_reader(),
        accounts: Writer::new(()).as_reader(),
        role_bindings: Writer::new(()).as_reader(),
        deployments: Writer::new(()).as_reader(),
    };
    let metrics = Metrics::new(&mut flowpilot_telemetry::metrics::registry());
    Webhook { stores, metrics }.routes()
}

async fn post(body: impl Into<Body>) -> (StatusCode, Value) {
    let request = HttpRequest::post("/validate").header(header::CONTENT_TYPE, "application/json");
    let answer = routes()
        .oneshot(request.body(body.into()).unwrap())
        .await
        .unwrap();
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn ask(kind: &str, spec: Value) -> Value {
    let review = json!({
        "apiVersion": VERSION, "kind": "AdmissionReview",
        "request": {
            "uid": "u-1", "kind": {"group": "flowpilot.io", "version": "v1alpha1", "kind": kind},
            "name": "a", "namespace": "fp-t", "operation": "CREATE",
            "object": {
                "apiVersion": "flowpilot.io/v1alpha1", "kind": kind,
                "metadata": {"name": "a", "namespace": "fp-t"}, "spec": spec,
            },
        },
    });
    let (status, answer) = post(review.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["response"]["uid"], "u-1");
    answer["response"].clone()
}

#[tokio::test]
async fn a_good_workflow_is_allowed() {
    let step = json!({"id": "hello", "uses": "core/log@1", "with": {"message": "hello"}});
    let response = ask("Workflow", json!({"steps": [step]})).await;
    assert_eq!(response["allowed"], true, "{response:#}");
}

#[tokio::test]
async fn a_bad_workflow_is_denied_with_every_problem_and_its_path() {
    let response = ask(
        "Workflow",
        json!({"steps": [
            {"id": "a", "needs": ["nowhere"], "uses": "core/log@1", "with": {"message": "x"}},
            {"id": "b", "uses": "core/unknown@1"},
            {"id": "b", "set": {"x": "$(steps.missing.output)"}},
        ]}),
    )
    .await;
    assert_eq!(response["allowed"], false);
    let status = &response["status"];
    assert_eq!(
        (&status["code"], &status["reason"]),
        (&json!(422), &json!("Invalid"))
    );
    let causes = status["details"]["causes"].as_array().unwrap();
    assert!(causes.len() >= 3, "{response:#}");
    for cause in causes {
        let (field, reason) = (
            cause["field"].as_str().unwrap(),
            cause["reason"].as_str().unwrap(),
        );
        assert!(!field.is_empty() && !reason.is_empty());
        assert!(status["message"].as_str().unwrap().contains(field));
    }
    let fields: Vec<_> = causes
        .iter()
        .map(|cause| cause["field"].as_str().unwrap())
        .collect();
    assert!(fields.contains(&"spec.steps[0].needs[0]"), "{fields:?}");
}

#[tokio::test]
async fn what_has_no_effect_yet_is_denied_with_its_path() {
    let response = ask(
        "Tenant",
        json!({"weight": 3, "egress": {"allow": [{"cidr": "10.0.0.0/40"}]}}),
    )
    .await;
    assert_eq!(response["status"]["details"]["causes"][0]["field"], "spec.weight");
    let response = ask("RunnerClass", json!({"isolation": "Job"})).await;
    assert_eq!(
        response["status"]["details"]["causes"][0]["reason"],
        "NotSupportedYet"
    );
    for kind in ["Connector", "Connection"] {
        assert_eq!(ask(kind, json!({})).await["allowed"], false);
    }
}

#[tokio::test]
async fn a_run_of_a_missing_workflow_is_only_warned_of() {
    let response = ask("WorkflowRun", json!({"workflow": "later"})).await;
    assert_eq!(response["allowed"], true);
    assert!(response["warnings"][0].as_str().unwrap().contains("later"));
}

#[tokio::test]
async fn what_is_no_review_is_400_and_what_is_too_large_413() {
    for body in [
        "",
        "{",
        "[]",
        r#"{"apiVersion":"admission.k8s.io/v1beta1"}"#,
        r#"{"apiVersion":"admission.k8s.io/v1"}"#,
    ] {
        assert_eq!(post(body).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(post(vec![0xff, 0xfe]).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        post(vec![b' '; super::super::REVIEW_BYTES + 1]).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn an_object_that_goes_is_let_go_whatever_its_spec() {
    let review = json!({
        "apiVersion": VERSION,
        "request": {
            "uid": "u", "kind": {"group": "flowpilot.io", "kind": "Workflow"}, "operation": "UPDATE",
            "object": {"metadata": {"deletionTimestamp": "2026-11-24T05:00:00Z"}, "spec": {}},
        },
    });
    assert_eq!(post(review.to_string()).await.1["response"]["allowed"], true);
}
