//! Probes, open to everybody, and metrics, which are not.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use tower::ServiceExt;

use crate::auth::{Caller, Door, Myself};

/// `/livez` and `/readyz`: load balancers have no tokens, and learn nothing but yes or no.
pub(crate) fn routes() -> Router<Door> {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
}

async fn readyz(State(door): State<Door>) -> (StatusCode, &'static str) {
    if door.services().health.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

/// `/metrics`: the same text as on the port of its own.
pub(crate) async fn metrics(caller: Caller<Myself>, request: Request) -> Response {
    match caller.scrape.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
