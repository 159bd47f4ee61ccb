//! How long `flowpilot dev` takes from its start until it accepts a run, with a Postgres that already runs.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use tokio::process::Command;

use super::figures::Figure;
use crate::Rest;

/// Starts it `rounds` times over a folder of manifests; the first start, which creates the tables, is not counted.
pub async fn start_to_first_run(program: &Path, database: &str, rounds: usize) -> anyhow::Result<Figure> {
    let folder = std::env::temp_dir().join(format!("flowpilot-bench-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder)?;
    let workflow = format!(
        "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {{name: three}}\nspec: {}\n",
        super::runs::THREE_STEPS
    );
    std::fs::write(folder.join("three.yaml"), workflow)?;
    let mut times = Vec::new();
    for round in 0..=rounds {
        let time = once(program, database, &folder).await?;
        if round > 0 {
            times.push(time);
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(Figure::milliseconds(
        "`flowpilot dev` start → first accepted run (running Postgres)",
        &times,
        "≤ 150 ms",
    ))
}

async fn once(program: &Path, database: &str, folder: &Path) -> anyhow::Result<Duration> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let start = Instant::now();
    let mut command = Command::new(program);
    command
        .arg("dev")
        .arg(folder)
        .args(["--listen", &format!("127.0.0.1:{port}")]);
    command
        .env("DATABASE_URL", database)
        .env("FLOWPILOT_TOKEN", "benchmark-token-of-at-least-32-characters");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut process = command
        .spawn()
        .with_context(|| format!("failed to start {}", program.display()))?;
    let rest = Rest::new(
        &format!("http://127.0.0.1:{port}"),
        "benchmark-token-of-at-least-32-characters",
    )?;
    let path = "/api/v1/tenants/dev/workflows/three/runs";
    let accepted = loop {
        let answer = rest
            .call(reqwest::Method::POST, path, &[], Some(&json!({"inputs": {}})))
            .await;
        if answer.as_ref().is_ok_and(|answer| answer.status == 201) {
            break start.elapsed();
        }
        ensure!(
            start.elapsed() < Duration::from_secs(20),
            "`flowpilot dev` accepts no run: {answer:?}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    if let Some(pid) = process.id() {
        Command::new("kill").arg(pid.to_string()).status().await?;
    }
    process.wait().await?;
    Ok(accepted)
}
