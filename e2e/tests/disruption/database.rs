//! Postgres goes away while runs go on, and while the API server starts.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use flowpilot_e2e::cluster::{API, NAMESPACE};
use flowpilot_e2e::{Rest, Tenant, eventually, with_tenant};
use serde_json::{Value, json};

use crate::ALONE;
use crate::journey::{each_step_once, twenty_calls, under_way};

#[tokio::test]
async fn postgres_that_stops_in_the_middle_loses_nothing() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("stop_postgres", async |tenant| {
        tenant.ready_workflow("calls", &twenty_calls()).await?;
        let run = tenant.start("calls", json!({})).await?;
        under_way(&tenant, &run).await?;
        script("postgres/down.sh", &["--keep"]).await?;
        let refused = told_to_come_back(&tenant, &tenant.cluster.rest).await;
        script("postgres/up.sh", &[]).await?;
        refused?;
        answers_again(&tenant).await?;
        each_step_once(&tenant, &run).await
    })
    .await
}

#[tokio::test]
async fn postgres_that_is_away_when_the_api_starts_is_waited_for() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("start_alone", async |tenant| {
        tenant.ready_workflow("calls", &twenty_calls()).await?;
        let run = tenant.start("calls", json!({})).await?;
        under_way(&tenant, &run).await?;
        script("postgres/down.sh", &["--keep"]).await?;
        let seen = starts_without_postgres(&tenant).await;
        script("postgres/up.sh", &[]).await?;
        seen?;
        answers_again(&tenant).await?;
        each_step_once(&tenant, &run).await
    })
    .await
}

/// A container that crashes comes back at once, and says when to come again; a new pod waits before its migrations.
async fn starts_without_postgres(tenant: &Tenant) -> anyhow::Result<()> {
    let api = api_pod(tenant).await?;
    crash(&api, "/flowpilot-api")?;
    let restarts = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].as_i64();
    let again = eventually("the container of the API runs again", 30, || async {
        let now = api_pod(tenant).await?;
        let runs = now["status"]["containerStatuses"][0]["state"]["running"].is_object();
        Ok((runs && restarts(&now) > restarts(&api)).then_some(now))
    })
    .await?;
    let address = again["status"]["podIP"]
        .as_str()
        .context("the pod has no address")?;
    let direct = Rest::new(&format!("http://{address}:8080"), &tenant.cluster.rest.token)?;
    told_to_come_back(tenant, &direct).await?;

    tenant.cluster.kill_pods(NAMESPACE, API).await?;
    eventually("a new pod waits for Postgres", 30, || async {
        let pod = api_pod(tenant).await?;
        let waits = pod["status"]["initContainerStatuses"][0]["state"]["running"].is_object();
        Ok((waits && pod["metadata"]["uid"] != api["metadata"]["uid"]).then_some(()))
    })
    .await
}

/// The one pod of the API server.
async fn api_pod(tenant: &Tenant) -> anyhow::Result<Value> {
    let pods = tenant
        .cluster
        .object(&["-n", NAMESPACE, "pods", "-l", API])
        .await?;
    let living = pods["items"].as_array().into_iter().flatten();
    let mut living = living.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    living.next_back().cloned().context("the API server has no pod")
}

/// Ends a program of a pod as a crash would: the pod stays, and the kubelet starts the container again.
fn crash(pod: &Value, program: &str) -> anyhow::Result<()> {
    let uid = pod["metadata"]["uid"].as_str().context("the pod has no uid")?;
    let mut killed = 0;
    for process in std::fs::read_dir("/proc")? {
        let folder = process?.path();
        // What is no process, or ended meanwhile, has no such files.
        let of_pod = std::fs::read_to_string(folder.join("cgroup")).is_ok_and(|text| text.contains(uid));
        if of_pod
            && std::fs::read(folder.join("cmdline")).is_ok_and(|line| line.starts_with(program.as_bytes()))
        {
            let id = folder.file_name().context("a process has a number")?;
            let status = std::process::Command::new("kill").arg("-9").arg(id).status()?;
            ensure!(status.success(), "failed to kill {}", folder.display());
            killed += 1;
        }
    }
    ensure!(killed > 0, "no process {program} of pod {uid} on this machine");
    Ok(())
}

/// While Postgres is away the API answers so, and says when to ask again.
async fn told_to_come_back(tenant: &Tenant, rest: &Rest) -> anyhow::Result<()> {
    let path = tenant.path("/workflows/calls/runs");
    let refused = eventually("the API says that it is unavailable", 30, || async {
        let body = json!({"inputs": {}});
        let answer = rest.call(reqwest::Method::POST, &path, &[], Some(&body)).await?;
        Ok((answer.status == 503).then_some(answer))
    })
    .await?;
    ensure!(
        refused.headers.contains_key("retry-after"),
        "no Retry-After: {}",
        refused.body
    );
    Ok(())
}

async fn answers_again(tenant: &Tenant) -> anyhow::Result<()> {
    eventually("the API answers again", 60, || async {
        Ok(Some(tenant.cluster.rest.get(&tenant.path("/runs")).await?))
    })
    .await?;
    Ok(())
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
