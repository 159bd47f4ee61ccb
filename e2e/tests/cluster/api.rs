//! The REST API and the custom resources are two doors to the same thing.

use flowpilot_e2e::with_tenant;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn api_creates_what_kubectl_sees_and_respects_other_owners() -> anyhow::Result<()> {
    with_tenant("api_workflow", async |tenant| {
        let rest = &tenant.cluster.rest;
        let spec = json!({"title": "Made by REST", "steps": [{"id": "a", "set": {"x": 1}}]});
        let created = rest
            .post(&tenant.path("/workflows"), &json!({"name": "made", "spec": spec}))
            .await?;
        assert_eq!(created["name"], "made", "{created}");
        tenant.wait_for("workflow/made", "condition=Ready").await?;
        let object = tenant
            .cluster
            .object(&["-n", &tenant.namespace, "workflow/made", "--show-managed-fields"])
            .await?;
        assert_eq!(object["spec"]["title"], "Made by REST");
        let managers: Vec<_> = object["metadata"]["managedFields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|f| f["manager"].clone())
            .collect();
        assert!(managers.contains(&json!("flowpilot-builder")), "{managers:?}");
        let run = tenant.start("made", json!({})).await?;
        assert_eq!(tenant.finished(&run).await?["state"], "succeeded");

        tenant
            .ready_workflow("owned", "{title: By Git, steps: [{id: a, set: {x: 1}}]}")
            .await?;
        let path = tenant.path("/workflows/owned");
        let seen = rest.call(Method::GET, &path, &[], None).await?;
        let etag = seen.headers["etag"].to_str()?.to_owned();
        let change = json!({"spec": {"title": "By the builder", "steps": [{"id": "a", "set": {"x": 2}}]}});
        let refused = rest
            .call(Method::PUT, &path, &[("If-Match", &etag)], Some(&change))
            .await?;
        assert_eq!(
            (refused.status, refused.body["code"].as_str()),
            (409, Some("ManagedElsewhere")),
            "{}",
            refused.body
        );
        let without = rest.call(Method::PUT, &path, &[], Some(&change)).await?;
        assert_eq!(without.status, 428, "{}", without.body);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn api_tells_problems_as_admission_does() -> anyhow::Result<()> {
    with_tenant("api_problems", async |tenant| {
        let body = json!({"name": "wrong", "spec": {"steps": [{"id": "a", "set": {"x": 1}}, {"id": "b", "needs": ["aa"], "set": {"x": 1}}]}});
        let answer = tenant.cluster.rest.call(Method::POST, &tenant.path("/workflows"), &[], Some(&body)).await?;
        assert_eq!((answer.status, answer.body["code"].as_str()), (422, Some("InvalidWorkflow")), "{}", answer.body);
        let error = &answer.body["errors"][0];
        assert_eq!((error["pointer"].as_str(), error["suggestion"].as_str()), (Some("/spec/steps/1/needs/0"), Some("a")));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn api_is_closed_without_a_token() -> anyhow::Result<()> {
    with_tenant("api_closed", async |tenant| {
        for token in ["", "wrong"] {
            let stranger = tenant.cluster.rest.with_token(token);
            for path in [
                tenant.path("/runs"),
                tenant.path("/workflows"),
                "/api/v1/meta".to_owned(),
            ] {
                let answer = stranger.call(Method::GET, &path, &[], None).await?;
                assert_eq!(
                    (answer.status, answer.body["code"].as_str()),
                    (401, Some("Unauthenticated")),
                    "{path}"
                );
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn api_starts_once_for_one_idempotency_key() -> anyhow::Result<()> {
    with_tenant("api_idempotent", async |tenant| {
        tenant
            .ready_workflow(
                "hello",
                "{inputs: [{name: count, type: integer, default: 1}], steps: [{id: a, set: {x: 1}}]}",
            )
            .await?;
        let path = tenant.path("/workflows/hello/runs");
        let start = |body| {
            let (rest, path) = (tenant.cluster.rest.clone(), path.clone());
            async move {
                rest.call(Method::POST, &path, &[("Idempotency-Key", "one")], Some(&body))
                    .await
            }
        };
        let first = start(json!({"inputs": {}})).await?;
        let again = start(json!({"inputs": {}})).await?;
        assert_eq!(
            (first.status, &first.body["id"]),
            (201, &again.body["id"]),
            "{} {}",
            first.body,
            again.body
        );
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let other = start(json!({"inputs": {"count": 2}})).await?;
        assert_eq!(
            (other.status, other.body["code"].as_str()),
            (422, Some("IdempotencyMismatch"))
        );
        Ok(())
    })
    .await
}
