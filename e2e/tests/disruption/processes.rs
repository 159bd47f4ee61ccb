//! Runners, API server and operator are killed while runs go on.

use std::collections::BTreeMap;

use anyhow::ensure;
use flowpilot_e2e::cluster::{API, NAMESPACE};
use flowpilot_e2e::{Cluster, Tenant, eventually, with_tenant};
use serde_json::{Value, json};

use crate::ALONE;
use crate::journey::{each_step_once, twenty_calls, under_way};

#[tokio::test]
async fn runner_that_is_killed_is_replaced_and_no_step_is_lost() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("kill_runner", async |tenant| {
        tenant.ready_workflow("calls", &twenty_calls()).await?;
        let run = tenant.start("calls", json!({})).await?;
        under_way(&tenant, &run).await?;
        tenant
            .cluster
            .kill_pods(&tenant.namespace, "flowpilot.io/runner-class")
            .await?;
        each_step_once(&tenant, &run).await
    })
    .await
}

#[tokio::test]
async fn api_that_is_killed_loses_no_run() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("kill_api", async |tenant| {
        tenant.ready_workflow("calls", &twenty_calls()).await?;
        let run = tenant.start("calls", json!({})).await?;
        under_way(&tenant, &run).await?;
        tenant.cluster.kill_pods(NAMESPACE, API).await?;
        eventually("the API answers again", 60, || async {
            Ok(Some(tenant.cluster.rest.get("/api/v1/meta").await?))
        })
        .await?;
        each_step_once(&tenant, &run).await
    })
    .await
}

#[tokio::test]
async fn operator_that_restarts_changes_nothing() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("restart_operator", async |tenant| {
        tenant.ready_workflow("hello", "{steps: [{id: a, set: {x: 1}}]}").await?;
        tenant.create_run("first", "hello", json!({})).await?;
        tenant.wait_for("workflowrun/first", "condition=Succeeded").await?;
        let deployment = "deployment/flowpilot-runner-default";
        eventually("the runners have gone", 120, || async {
            Ok((tenant.object(deployment).await?["status"]["replicas"].as_i64().unwrap_or(0) == 0).then_some(()))
        })
        .await?;
        let before = versions(&tenant).await?;
        let writes_before = flowpilot_writes(&tenant.cluster).await?;
        tenant.cluster.kubectl(&["-n", NAMESPACE, "rollout", "restart", "deployment/flowpilot-operator"]).await?;
        tenant.cluster.kubectl(&["-n", NAMESPACE, "rollout", "status", "deployment/flowpilot-operator", "--timeout=90s"]).await?;
        // A new object that becomes ready shows that the new leader has worked through everything else before it.
        let ready = "{apiVersion: flowpilot.io/v1alpha1, kind: RunnerClass, metadata: {name: probe-of-restart}, spec: {}}";
        tenant.cluster.apply(ready).await?;
        tenant.cluster.kubectl(&["wait", "--for=condition=Ready", "runnerclass/probe-of-restart", "--timeout=90s"]).await?;
        tenant.cluster.kubectl(&["delete", "runnerclass/probe-of-restart"]).await?;
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        assert_eq!(before, versions(&tenant).await?, "objects changed");
        let written = flowpilot_writes(&tenant.cluster).await? - writes_before;
        // The probe itself: created by kubectl, its status written once by the operator, deleted by kubectl.
        ensure!(written <= 3.0, "{written} writes to FlowPilot's kinds");
        Ok(())
    })
    .await
}

/// The version of every object that the operator makes for the tenant, and of the tenant's own.
async fn versions(tenant: &Tenant) -> anyhow::Result<BTreeMap<String, String>> {
    let kinds = "workflows,workflowruns,deployments,networkpolicies,rolebindings,serviceaccounts,limitranges";
    let objects = tenant.object(kinds).await?;
    let cluster_wide = [
        tenant.cluster.object(&["tenant", &tenant.name]).await?,
        tenant.cluster.object(&["namespace", &tenant.namespace]).await?,
    ];
    let items = objects["items"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(items
        .iter()
        .chain(&cluster_wide)
        .map(|object| {
            let name = format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
            (name, text(&object["metadata"]["resourceVersion"]))
        })
        .collect())
}

/// Writes to FlowPilot's own kinds that the API server has counted.
async fn flowpilot_writes(cluster: &Cluster) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for verb in ["POST", "PUT", "PATCH", "APPLY", "DELETE"] {
        let verb = format!("verb=\"{verb}\"");
        sum += cluster
            .apiserver_metric(
                "apiserver_request_total",
                &[&verb, "group=\"flowpilot.io\"", "code=\"2"],
            )
            .await?;
    }
    Ok(sum)
}
