//! How often Kubernetes' API server is written to: never for a run that the API started.

use std::time::Duration;

use serde_json::json;

use super::figures::Figure;
use crate::{Cluster, Tenant};

/// Runs per measurement: enough that a write for each could not hide among the cluster's own.
const RUNS: u32 = 50;

/// Writes per API-started run, and per WorkflowRun.
pub async fn per_run(tenant: &Tenant, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let (mut by_api, mut by_resource) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let before = settled(&tenant.cluster).await?;
        for _ in 0..RUNS {
            let run = tenant.start("three", json!({})).await?;
            tenant.finished(&run).await?;
        }
        by_api.push((writes(&tenant.cluster).await? - before) / f64::from(RUNS));
        let before = writes(&tenant.cluster).await?;
        for n in 0..RUNS {
            tenant
                .create_run(&format!("counted-{round}-{n}"), "three", json!({}))
                .await?;
        }
        for n in 0..RUNS {
            tenant
                .wait_for(&format!("workflowrun/counted-{round}-{n}"), "condition=Succeeded")
                .await?;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        by_resource.push((writes(&tenant.cluster).await? - before) / f64::from(RUNS));
    }
    Ok(vec![
        Figure::of("Kubernetes writes per API-started run", "", by_api, "0"),
        Figure::of(
            "Kubernetes writes per WorkflowRun (the user's own create among them)",
            "",
            by_resource,
            "",
        ),
    ])
}

/// The writes so far, once they rest: the load of the figure before may have brought a runner that is still starting.
async fn settled(cluster: &Cluster) -> anyhow::Result<f64> {
    let mut before = writes(cluster).await?;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let now = writes(cluster).await?;
        if (now - before).abs() < f64::EPSILON {
            return Ok(now);
        }
        before = now;
    }
    anyhow::bail!("something writes to Kubernetes all the time: at least once in 3 s for a minute")
}

/// Writes to FlowPilot's kinds, pods, Deployments and Events of all namespaces: what a run could cause.
async fn writes(cluster: &Cluster) -> anyhow::Result<f64> {
    let text = cluster.kubectl(&["get", "--raw", "/metrics"]).await?;
    let mut sum = 0.0;
    for verb in ["POST", "PUT", "PATCH", "APPLY", "DELETE"] {
        let verb = format!("verb=\"{verb}\"");
        for place in [
            "group=\"flowpilot.io\"",
            "resource=\"deployments\"",
            "resource=\"pods\"",
            "resource=\"events\"",
        ] {
            sum += crate::cluster::sum_metric(&text, "apiserver_request_total", &[&verb, place]);
        }
    }
    Ok(sum)
}
