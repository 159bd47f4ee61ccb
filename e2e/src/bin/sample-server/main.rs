//! The world outside, for samples and tests: a small web server inside the cluster.
//!
//! It serves files of public data sets, takes reports that a test can read back, and misbehaves on request (errors,
//! slowness, oversize, redirects), so that a workflow meets on the local cluster what it would meet on the internet.
//! It keeps everything in memory and within fixed bounds, and checks no credentials: never expose it.

mod data;
mod faults;
mod reports;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use axum::Router;
use axum::routing::{any, get};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves sample data, receives reports and misbehaves on request.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, env = "SAMPLES_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// Folder whose files are served below /data/.
    #[arg(long, env = "SAMPLES_DATA", default_value = "/data")]
    data: PathBuf,
}

fn router(data: PathBuf) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/echo", any(faults::echo))
        .route("/status/{code}", any(faults::status))
        .route("/slow", any(faults::slow))
        .route("/large", get(faults::large))
        .route("/redirect", any(faults::redirect))
        .merge(faults::flaky_router())
        .merge(data::router(data))
        .merge(reports::router())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("failed to listen on {}", arguments.listen))?;
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    tracing::info!(listen = %arguments.listen, data = %arguments.data.display(), "serving samples");
    axum::serve(listener, router(arguments.data))
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await
        .context("failed to serve")
}
