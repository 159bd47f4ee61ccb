use axum::body::Body;
use axum::http::{Request as HttpRequest, header};
use flowpilot_crds::tenant::Quotas;
use flowpilot_crds::{Tenant, TenantSpec, Workflow, WorkflowSpec};
use kube::core::DeserializeGuard;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;
use tower::ServiceExt;

use super::*;
use crate::cache::Presence;
use crate::metrics::Metrics;
use crate::world::{Places, Stores};

/// Stores of a cluster in which there are only these tenants.
fn stores(tenants: &[Tenant]) -> Stores {
    let mut writer = Writer::new(());
    for tenant in tenants {
        writer.apply_watcher_event(&watcher::Event::Apply(DeserializeGuard(Ok(tenant.clone()))));
    }
    Stores {
        tenants: writer.as_reader(),
        classes: Writer::new(()).as_reader(),
        workflows: Writer::new(()).as_reader(),
        places: Places::default(),
        runs: Writer::new(()).as_reader(),
        namespaces: Writer::new(()).as_reader(),
        quotas: Writer::new(()).as_reader(),
        limit_ranges: Writer::new(()).as_reader(),
        network_policies: Writer::new(()).as_reader(),
        accounts: Writer::new(()).as_reader(),
        role_bindings: Writer::new(()).as_reader(),
        deployments: Writer::new(()).as_reader(),
    }
}

async fn post(body: impl Into<Body>) -> (StatusCode, Value) {
    post_to(stores(&[]), body).await
}

async fn post_to(stores: Stores, body: impl Into<Body>) -> (StatusCode, Value) {
    let metrics = Metrics::new(&mut flowpilot_telemetry::metrics::registry());
    let routes = Webhook { stores, metrics }.routes();
    let request = HttpRequest::post("/validate").header(header::CONTENT_TYPE, "application/json");
    let answer = routes.oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn ask(kind: &str, spec: Value) -> Value {
    ask_of(stores(&[]), "CREATE", (kind, spec)).await
}

async fn ask_of(stores: Stores, operation: &str, (kind, spec): (&str, Value)) -> Value {
    let review = json!({
        "apiVersion": VERSION, "kind": "AdmissionReview",
        "request": {
            "uid": "u-1", "kind": {"group": "flowpilot.io", "version": "v1alpha1", "kind": kind},
            "name": "a", "namespace": "fp-t", "operation": operation,
            "object": {
                "apiVersion": "flowpilot.io/v1alpha1", "kind": kind,
                "metadata": {"name": "a", "namespace": "fp-t"}, "spec": spec,
            },
        },
    });
    let (status, answer) = post_to(stores, review.to_string()).await;
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
async fn one_workflow_too_many_is_denied_and_a_change_of_one_that_is_there_is_not() {
    let full = || {
        let quotas = Quotas {
            workflows: Some(1),
            ..Quotas::default()
        };
        let spec = TenantSpec {
            quotas: Some(quotas),
            ..TenantSpec::default()
        };
        let stores = stores(&[Tenant::new("t", spec)]);
        let mut first = Workflow::new("first", WorkflowSpec::default());
        first.metadata.namespace = Some("fp-t".to_owned());
        stores.places.note(&first, Presence::There);
        stores
    };
    let good = || {
        (
            "Workflow",
            json!({"steps": [{"id": "a", "uses": "core/log@1", "with": {"message": "a"}}]}),
        )
    };
    let response = ask_of(full(), "CREATE", good()).await;
    let status = &response["status"];
    assert_eq!(
        (&response["allowed"], &status["code"], &status["reason"]),
        (&json!(false), &json!(403), &json!("Forbidden"))
    );
    assert_eq!(status["details"]["causes"][0]["reason"], "QuotaExceeded");
    let message = status["message"].as_str().unwrap();
    for part in [
        "exceeded quota",
        "tenant `t` has 1",
        "may have 1",
        "spec.quotas.workflows",
    ] {
        assert!(message.contains(part), "{message}");
    }
    // What is wrong with the manifest is said with it.
    let both = ask_of(
        full(),
        "CREATE",
        (
            "Workflow",
            json!({"steps": [{"id": "a", "uses": "core/nothing@1"}]}),
        ),
    )
    .await;
    assert_eq!(both["status"]["code"], 422, "{both:#}");
    assert_eq!(
        both["status"]["details"]["causes"].as_array().unwrap().len(),
        2,
        "{both:#}"
    );

    assert_eq!(ask_of(full(), "UPDATE", good()).await["allowed"], true);
    let roomy = stores(&[Tenant::new("t", TenantSpec::default())]);
    assert_eq!(ask_of(roomy, "CREATE", good()).await["allowed"], true);
    // The name is taken, and that is what Kubernetes says.
    let again = full();
    let mut same = Workflow::new("a", WorkflowSpec::default());
    same.metadata.namespace = Some("fp-t".to_owned());
    again.places.note(&same, Presence::There);
    assert_eq!(ask_of(again, "CREATE", good()).await["allowed"], true);
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
