//! Runners, API server, operator and Postgres are killed while runs go on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::ensure;
use flowpilot_e2e::{Cluster, Tenant, eventually, with_tenant};
use serde_json::{Value, json};

use crate::ALONE;

/// Twenty calls, one after another, each 200 ms long: time enough to take something away in the middle.
fn twenty_calls() -> String {
    let steps = (0..20).map(|n| {
        let needs = if n == 0 { String::new() } else { format!("needs: [s{}], ", n - 1) };
        format!(
            "{{id: s{n}, {needs}uses: core/http@1, with: {{url: \"http://data.samples.svc/slow?ms=200\"}}, retry: {{attempts: 20, backoff: 200ms, maxBackoff: 2s}}}}"
        )
    });
    format!("{{steps: [{}]}}", steps.collect::<Vec<_>>().join(", "))
}

/// Each step of a run ended exactly once, and well.
async fn each_step_once(tenant: &Tenant, run: &str) -> anyhow::Result<()> {
    let seen = tenant.finished(run).await?;
    ensure!(seen["state"] == "succeeded", "{seen}");
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for event in tenant.events(run).await? {
        if event["type"] == "StepSucceeded" {
            *ends
                .entry(event["step"].as_str().unwrap_or_default().to_owned())
                .or_default() += 1;
        }
    }
    ensure!(
        ends.len() == 20 && ends.values().all(|count| *count == 1),
        "{ends:?}"
    );
    Ok(())
}

/// Waits until a run is well under way.
async fn under_way(tenant: &Tenant, run: &str) -> anyhow::Result<()> {
    eventually("the run is under way", 60, || async {
        let events = tenant.events(run).await?;
        let done = events
            .iter()
            .filter(|event| event["type"] == "StepSucceeded")
            .count();
        Ok((done >= 3).then_some(()))
    })
    .await
}

#[tokio::test]
async fn runner_that_is_killed_is_replaced_and_no_step_is_lost() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("kill_runner", async |tenant| {
        tenant.ready_workflow("calls", &twenty_calls()).await?;
        let run = tenant.start("calls", json!({})).await?;
        under_way(&tenant, &run).await?;
        for pod in tenant
            .cluster
            .pods(&tenant.namespace, "flowpilot.io/runner-class")
            .await?
        {
            tenant
                .cluster
                .kubectl(&[
                    "-n",
                    &tenant.namespace,
                    "delete",
                    "pod",
                    &pod,
                    "--force",
                    "--grace-period=0",
                ])
                .await?;
        }
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
        let api = [
            "-n",
            "flowpilot-system",
            "delete",
            "pod",
            "-l",
            "app.kubernetes.io/component=api",
            "--force",
            "--grace-period=0",
        ];
        tenant.cluster.kubectl(&api).await?;
        eventually("the API answers again", 60, || async {
            Ok(Some(tenant.cluster.rest.get("/api/v1/meta").await?))
        })
        .await?;
        each_step_once(&tenant, &run).await
    })
    .await
}

#[tokio::test]
async fn postgres_that_stops_in_the_middle_loses_nothing() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("stop_postgres", async |tenant| {
        tenant.ready_workflow("calls", &twenty_calls()).await?;
        let run = tenant.start("calls", json!({})).await?;
        under_way(&tenant, &run).await?;
        script("postgres/down.sh", &["--keep"]).await?;
        let path = tenant.path("/workflows/calls/runs");
        let refused = eventually("the API says that it is unavailable", 30, || async {
            let body = json!({"inputs": {}});
            let answer = tenant
                .cluster
                .rest
                .call(reqwest::Method::POST, &path, &[], Some(&body))
                .await?;
            Ok((answer.status == 503).then_some(answer))
        })
        .await;
        script("postgres/up.sh", &[]).await?;
        let refused = refused?;
        ensure!(
            refused.headers.contains_key("retry-after"),
            "no Retry-After: {}",
            refused.body
        );
        eventually("the API answers again", 60, || async {
            Ok(Some(tenant.cluster.rest.get(&tenant.path("/runs")).await?))
        })
        .await?;
        each_step_once(&tenant, &run).await
    })
    .await
}

async fn script(name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    let output = tokio::process::Command::new(path)
        .args(arguments)
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
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
        let system = "flowpilot-system";
        tenant.cluster.kubectl(&["-n", system, "rollout", "restart", "deployment/flowpilot-operator"]).await?;
        tenant.cluster.kubectl(&["-n", system, "rollout", "status", "deployment/flowpilot-operator", "--timeout=90s"]).await?;
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
