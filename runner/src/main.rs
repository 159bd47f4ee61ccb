//! `flowpilot-runner`: reads its flags and runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use flowpilot_runner::{Config, Egress, Metrics, TokenSource, script};
use flowpilot_telemetry::{health::Health, logs, metrics, server, shutdown};
use tokio_util::sync::CancellationToken;
use url::Url;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Executes workflow runs of one tenant.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Internal address of the API server.
    #[arg(long, env = "FLOWPILOT_API_URL")]
    api_url: Url,
    /// File with the token that proves who this runner is.
    #[arg(long, env = "FLOWPILOT_TOKEN_FILE")]
    token_file: PathBuf,
    /// Name of this runner for people: the pod's.
    #[arg(long, env = "FLOWPILOT_RUNNER", default_value = "runner")]
    runner: String,
    /// RunnerClass it belongs to.
    #[arg(long, env = "FLOWPILOT_POOL", default_value = "default")]
    pool: String,
    /// Runs it executes at the same moment.
    #[arg(long, env = "FLOWPILOT_CAPACITY", default_value_t = 32)]
    capacity: u32,
    /// What Tenant.spec.egress says, as JSON. Unset: public addresses only.
    #[arg(long, env = "FLOWPILOT_EGRESS", default_value = "{}")]
    egress: String,
    /// Where health and metrics are served.
    #[arg(long, env = "FLOWPILOT_METRICS_LISTEN", default_value = "0.0.0.0:9090")]
    metrics_listen: SocketAddr,
}

fn main() -> anyhow::Result<()> {
    if script::is_worker() {
        return Ok(script::serve()?);
    }
    run()
}

// Two threads: a table that computes on one must not hold up the heartbeat on the other.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn run() -> anyhow::Result<()> {
    let flags = Flags::parse();
    logs::start("flowpilot-runner")?;
    let egress = serde_json::from_str(&flags.egress)
        .context("FLOWPILOT_EGRESS is not the JSON of Tenant.spec.egress")?;
    let mut registry = metrics::registry();
    let config = Config {
        runner: flags.runner,
        pool: flags.pool,
        capacity: flags.capacity,
        egress: Egress::new(&egress)?,
        health: Health::new(["session"]),
        metrics: Metrics::register(&mut registry),
        ..Config::new(flags.api_url, TokenSource::File(flags.token_file))
    };
    let end = CancellationToken::new();
    let server = server::serve(
        flags.metrics_listen,
        config.health.clone(),
        Arc::new(registry),
        end.clone(),
    );
    let server = tokio::spawn(server);
    flowpilot_runner::run(config, shutdown::token()).await?;
    end.cancel();
    server.await??;
    Ok(())
}
