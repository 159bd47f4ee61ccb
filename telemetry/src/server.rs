//! `/livez`, `/readyz` and `/metrics` over HTTP, for Kubernetes and Prometheus.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use snafu::{ResultExt, Snafu};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::process::Process;

/// The media type of OpenMetrics text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why the server stopped.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, or not one of this machine.
    #[snafu(display("failed to listen on {listen} for health and metrics"))]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The socket broke.
    #[snafu(display("failed to serve health and metrics"))]
    Serve {
        /// Why.
        source: std::io::Error,
    },
}

/// The three paths, for a server of one's own.
pub fn routes(health: Health, registry: Arc<Registry>) -> Router {
    let mut process = Registry::default();
    process.register_collector(Box::new(Process));
    let metrics = Arc::new(Metrics { registry, process });
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz).with_state(health))
        .route("/metrics", get(scrape).with_state(metrics))
}

/// Serves the three paths until `shutdown`. The process stays alive and answers while it drains: cancel
/// `shutdown` last.
pub async fn serve(
    listen: SocketAddr,
    health: Health,
    registry: Arc<Registry>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let listener = TcpListener::bind(listen).await.context(ListenSnafu { listen })?;
    serve_on(listener, health, registry, shutdown).await
}

/// As [`serve`], on a socket that is bound already.
pub async fn serve_on(
    listener: TcpListener,
    health: Health,
    registry: Arc<Registry>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let served = axum::serve(listener, routes(health, registry));
    tokio::select! {
        // No graceful end: a scraper's idle connection would hold the process back.
        served = served => served.context(ServeSnafu),
        () = shutdown.cancelled() => Ok(()),
    }
}

struct Metrics {
    registry: Arc<Registry>,
    process: Registry,
}

impl Metrics {
    fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut body = String::new();
        text::encode_registry(&mut body, &self.registry)?;
        text::encode_registry(&mut body, &self.process)?;
        text::encode_eof(&mut body)?;
        Ok(body)
    }
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let missing = health.not_ready();
    if missing.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: {}\n", missing.join(", ")),
    )
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.encode() {
        Ok(body) => ([(CONTENT_TYPE, OPEN_METRICS)], body).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "a metric cannot be written\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Counter, registry};

    async fn ask(address: SocketAddr, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn alive_ready_and_measured() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut registry = registry();
        let runs = Counter::<u64>::default();
        registry.register("runs", "Runs that ended", runs.clone());
        runs.inc();
        let health = Health::new(["database"]);
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(serve_on(
            listener,
            health.clone(),
            Arc::new(registry),
            shutdown.clone(),
        ));

        assert_eq!(ask(address, "/livez").await, (200, "ok\n".to_owned()));
        assert_eq!(
            ask(address, "/readyz").await,
            (503, "not ready: database\n".to_owned())
        );
        health.set_ready("database", true);
        assert_eq!(ask(address, "/readyz").await, (200, "ok\n".to_owned()));

        let (status, body) = ask(address, "/metrics").await;
        assert_eq!(status, 200);
        for line in [
            "flowpilot_runs_total 1\n",
            "\nprocess_resident_memory_bytes ",
            "\nprocess_cpu_seconds_total ",
        ] {
            assert!(body.contains(line), "{line:?} is missing in\n{body}");
        }
        assert!(body.ends_with("# EOF\n"));

        shutdown.cancel();
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let registry = Arc::new(registry());
        let error = serve(address, Health::default(), registry, CancellationToken::new())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(&address.to_string()));
    }
}
