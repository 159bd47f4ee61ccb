use std::sync::{Arc, Mutex};

use axum::http::{Request as HttpRequest, Response};
use flowpilot_crds::{Workflow, WorkflowSpec, WorkflowStatus};
use k8s_openapi::api::core::v1::{LimitRange, Namespace};
use kube::client::Body;
use tower::service_fn;

use super::*;

type Sent = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A cluster that takes everything, and what was sent to it.
fn cluster() -> (Cluster, Sent) {
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    let service = service_fn(move |request: HttpRequest<Body>| {
        let seen = Arc::clone(&seen);
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect_bytes().await.unwrap();
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            seen.lock()
                .unwrap()
                .push((parts.method.to_string(), parts.uri.to_string(), body));
            let answer = json!({"apiVersion": "v1", "kind": "Any", "metadata": {}}).to_string();
            Ok::<_, std::convert::Infallible>(Response::new(Body::from(answer.into_bytes())))
        }
    });
    let metrics = Metrics::new(&mut flowpilot_telemetry::metrics::registry());
    (
        Cluster::new(
            Client::new(service, "default"),
            ("test", "flowpilot-test"),
            "me",
            metrics,
        ),
        sent,
    )
}

fn namespace(label: &str) -> Namespace {
    serde_json::from_value(json!({"metadata": {"name": "fp-a", "labels": {"l": label}}})).unwrap()
}

fn as_stored(wanted: &impl Serialize) -> Value {
    compare::stamped(serde_json::to_value(wanted).unwrap())
}

#[tokio::test]
async fn what_is_as_wanted_is_not_written_and_what_is_not_is_applied_with_force() {
    let (cluster, sent) = cluster();
    let wanted = namespace("x");
    let mut found: Namespace = serde_json::from_value(as_stored(&wanted)).unwrap();
    found
        .labels_mut()
        .insert("kubernetes.io/metadata.name".to_owned(), "fp-a".to_owned());
    assert!(!cluster.apply(&wanted, Some(&found)).await.unwrap());
    assert!(sent.lock().unwrap().is_empty());

    assert!(cluster.apply(&namespace("y"), Some(&found)).await.unwrap());
    assert!(cluster.apply(&wanted, None).await.unwrap());
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    let (method, address, body) = &sent[0];
    assert_eq!(
        (method.as_str(), &body["metadata"]["labels"]["l"]),
        ("PATCH", &json!("y"))
    );
    assert!(address.starts_with("/api/v1/namespaces/fp-a?"), "{address}");
    assert!(
        address.contains("force=true") && address.contains("fieldManager=flowpilot-test"),
        "{address}"
    );
}

#[tokio::test]
async fn a_removed_limit_is_applied_although_the_rest_stands() {
    let (cluster, sent) = cluster();
    let range = |limits: Value| -> LimitRange {
        let metadata = json!({"name": "l", "namespace": "fp-a"});
        serde_json::from_value(json!({"metadata": metadata, "spec": {"limits": [limits]}})).unwrap()
    };
    let before = range(json!({"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}));
    let found: LimitRange = serde_json::from_value(as_stored(&before)).unwrap();
    assert!(!cluster.apply(&before, Some(&found)).await.unwrap());
    let after = range(json!({"type": "Container", "default": {"cpu": "1"}}));
    assert!(cluster.apply(&after, Some(&found)).await.unwrap());
    assert_eq!(sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_status_is_written_only_when_it_changed_and_never_to_another_object_of_the_name() {
    let (cluster, sent) = cluster();
    let mut workflow = Workflow::new("w", WorkflowSpec::default());
    workflow.metadata.namespace = Some("fp-a".to_owned());
    workflow.metadata.uid = Some("u-1".to_owned());
    let status = WorkflowStatus {
        revision: Some("sha256:1".to_owned()),
        ..WorkflowStatus::default()
    };
    assert!(
        !cluster
            .apply_status(&workflow, &status, Some(&status))
            .await
            .unwrap()
    );
    assert!(cluster.apply_status(&workflow, &status, None).await.unwrap());
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 1);
    let (_, address, body) = &sent[0];
    assert!(
        address.contains("/namespaces/fp-a/workflows/w/status?"),
        "{address}"
    );
    assert_eq!(
        (&body["metadata"]["uid"], &body["spec"]),
        (&json!("u-1"), &Value::Null)
    );
}

#[tokio::test]
async fn our_finalizer_comes_and_goes_and_others_stay() {
    let (cluster, sent) = cluster();
    let mut object = namespace("x");
    cluster.release(&object).await.unwrap();
    assert!(sent.lock().unwrap().is_empty());
    object.finalizers_mut().push("other/one".to_owned());
    cluster.hold(&object).await.unwrap();
    object.finalizers_mut().push(FINALIZER.to_owned());
    cluster.hold(&object).await.unwrap();
    cluster.release(&object).await.unwrap();
    let sent = sent.lock().unwrap();
    let patches: Vec<&Value> = sent
        .iter()
        .map(|(_, _, patch)| patch.as_array().unwrap().last().unwrap())
        .collect();
    assert_eq!(patches.len(), 2);
    assert_eq!(
        *patches[0],
        json!({"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER})
    );
    assert_eq!(
        *patches[1],
        json!({"op": "remove", "path": "/metadata/finalizers/1"})
    );
}

#[test]
fn a_text_is_cut_between_characters() {
    assert_eq!(shorten("abc", 3), "abc");
    assert_eq!(shorten("ääää", 6), "ä…");
}
