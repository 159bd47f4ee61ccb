//! How long things take: from apply to Ready, from create to Succeeded, from a REST call to the end of its run.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};

use super::figures::{Figure, percentile};
use crate::Tenant;

/// Three steps without an effect: what the product itself costs.
pub const THREE_STEPS: &str = r#"{
    inputs: [{name: number, type: integer, default: 1}],
    steps: [{id: a, set: {x: "$(inputs.number + 1)"}}, {id: b, needs: [a], set: {x: "$(steps.a.output.x * 2)"}},
            {id: c, needs: [b], set: {x: "$(steps.b.output.x - 1)"}}],
    outputs: {x: "$(steps.c.output.x)"}}"#;

/// From `kubectl apply` of a new workflow until it is Ready.
pub async fn apply_to_ready(tenant: &Tenant, rounds: usize) -> anyhow::Result<Figure> {
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let name = format!("apply-{round}");
        let start = Instant::now();
        tenant.ready_workflow(&name, THREE_STEPS).await?;
        times.push(start.elapsed());
    }
    Ok(Figure::milliseconds(
        "`kubectl apply` → `kubectl wait` Ready (two kubectl processes)",
        &times,
        "",
    ))
}

/// From `kubectl create` of a WorkflowRun until it has succeeded, with a warm runner.
pub async fn create_to_succeeded(tenant: &Tenant, rounds: usize) -> anyhow::Result<Figure> {
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let name = format!("timed-{round}");
        let start = Instant::now();
        tenant.create_run(&name, "three", json!({})).await?;
        tenant
            .wait_for(&format!("workflowrun/{name}"), "condition=Succeeded")
            .await?;
        times.push(start.elapsed());
    }
    Ok(Figure::milliseconds(
        "WorkflowRun create → Succeeded (two kubectl processes)",
        &times,
        "",
    ))
}

/// REST runs from the call to the end of the run: p50 and p99 per round, and runs per second.
pub async fn rest_runs(
    tenant: &Tenant,
    clients: usize,
    per_client: usize,
    rounds: usize,
) -> anyhow::Result<Vec<Figure>> {
    let (mut p50, mut p99, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        let tasks = (0..clients).map(|_| tokio::spawn(one_client(tenant.clone(), per_client)));
        let mut times = Vec::with_capacity(clients * per_client);
        for client in futures::future::join_all(tasks).await {
            times.extend(client??.iter().map(|time| time.as_secs_f64() * 1e3));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand runs")]
        rates.push(times.len() as f64 / start.elapsed().as_secs_f64());
        p50.push(percentile(&times, 0.5));
        p99.push(percentile(&times, 0.99));
    }
    let aim = if clients == 1 { "≤ 5 ms" } else { "" };
    let who = format!(
        "API run, 3 `set` steps, {clients} client{}",
        if clients == 1 { "" } else { "s" }
    );
    Ok(vec![
        Figure::of(format!("{who}, p50"), "ms", p50, aim),
        Figure::of(format!("{who}, p99"), "ms", p99, ""),
        Figure::of(format!("{who}, throughput"), "runs/s", rates, ""),
    ])
}

async fn one_client(tenant: Tenant, runs: usize) -> anyhow::Result<Vec<Duration>> {
    let path = tenant.path("/workflows/three/runs?wait=20s");
    let mut times = Vec::with_capacity(runs);
    for n in 0..runs {
        let start = Instant::now();
        let run = tenant
            .cluster
            .rest
            .post(&path, &json!({"inputs": {"number": n}}))
            .await?;
        times.push(start.elapsed());
        ensure!(
            run["state"] == "succeeded" && run["outputs"]["x"] == expected(n),
            "{run}"
        );
    }
    Ok(times)
}

fn expected(n: usize) -> Value {
    json!((n + 1) * 2 - 1)
}
