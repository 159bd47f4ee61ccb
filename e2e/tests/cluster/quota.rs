//! A tenant may have so many workflows and no more.

use flowpilot_e2e::tenant::{SOON, Tenant};
use flowpilot_e2e::{eventually, with_tenant};
use reqwest::Method;
use serde_json::{Value, json};

const SPEC: &str = "{steps: [{id: a, set: {x: 1}}]}";

async fn allow(tenant: &Tenant, workflows: i32) -> anyhow::Result<()> {
    let patch = json!({"spec": {"quotas": {"workflows": workflows}}}).to_string();
    let arguments = ["patch", "tenant", &tenant.name, "--type=merge", "-p", &patch];
    tenant.cluster.kubectl(&arguments).await.map(drop)
}

/// Waits until `two` is Ready, or not, for this reason.
async fn two_is(tenant: &Tenant, reason: &str) -> anyhow::Result<Value> {
    eventually(&format!("`two` is {reason}"), SOON, || async {
        let object = tenant.object("workflow/two").await?;
        let said = object["status"]["conditions"][0]["reason"] == reason;
        Ok(said.then(|| object["status"].clone()))
    })
    .await
}

#[tokio::test]
async fn admit_no_more_workflows_than_the_tenant_may_have() -> anyhow::Result<()> {
    with_tenant("quota", async |tenant| {
        let cluster = &tenant.cluster;
        tenant.ready_workflow("one", SPEC).await?;
        allow(&tenant, 1).await?;
        let two = tenant.workflow("two", SPEC)?;
        let trial = ["create", "--dry-run=server", "-f", "-"];
        let said = eventually("a second workflow is refused", SOON, || async {
            let output = cluster.kubectl_with(&trial, &two).await?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Ok((!output.status.success()).then_some(said))
        })
        .await?;
        assert!(
            said.contains("exceeded quota") && said.contains("may have 1"),
            "{said}"
        );
        assert!(cluster.apply(&two).await.is_err(), "`two` was accepted");
        // What is there can be changed, and both doors say the same.
        cluster
            .apply(&tenant.workflow("one", "{steps: [{id: a, set: {x: 2}}]}")?)
            .await?;
        let body = json!({"name": "two", "spec": {"steps": [{"id": "a", "set": {"x": 1}}]}});
        let answer = cluster
            .rest
            .call(Method::POST, &tenant.path("/workflows"), &[], Some(&body))
            .await?;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (403, Some("QuotaExceeded")),
            "{}",
            answer.body
        );

        allow(&tenant, 2).await?;
        eventually("the second workflow is accepted", SOON, || async {
            Ok(cluster.apply(&two).await.ok())
        })
        .await?;
        let ready = two_is(&tenant, "Available").await?;

        // Lowered, the newest is over it, and keeps what it has; when the other one goes, it comes in by itself.
        allow(&tenant, 1).await?;
        let over = two_is(&tenant, "QuotaExceeded").await?;
        assert_eq!(over["revision"], ready["revision"]);
        tenant.wait_for("workflow/one", "condition=Ready").await?;
        cluster
            .kubectl(&[
                "-n",
                &tenant.namespace,
                "delete",
                "workflow",
                "one",
                "--timeout=60s",
            ])
            .await?;
        two_is(&tenant, "Available").await?;
        Ok(())
    })
    .await
}
