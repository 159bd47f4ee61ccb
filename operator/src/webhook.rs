//! The admission webhook: every problem of a manifest at once, before it is stored.
//!
//! It serves on every replica, leader or not. Nothing depends on it for safety: what slips by while nobody answers is
//! found by the controllers, and said in the object's condition.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use snafu::{ResultExt, Snafu};
use tokio_util::sync::CancellationToken;
use tower::limit::GlobalConcurrencyLimitLayer;

use crate::metrics::Metrics;
use crate::world::Stores;

pub(crate) mod certificate;
mod check;
pub(crate) mod keeper;
mod review;

/// Bytes of a review: the new object and the old one, each at most what etcd takes, and what stands around them.
const REVIEW_BYTES: usize = 4 * 1024 * 1024;
/// Reviews at the same moment. Each is a compilation on one core; more would only wait inside instead of outside.
const AT_ONCE: usize = 8;
/// How long open connections may go on after the wish to end.
const GRACE: Duration = Duration::from_secs(5);

/// Why the webhook stopped.
#[derive(Debug, Snafu)]
#[snafu(display("failed to serve admission on {listen}"))]
pub(crate) struct Error {
    listen: SocketAddr,
    source: std::io::Error,
}

/// What answers need.
#[derive(Clone)]
pub(crate) struct Webhook {
    /// Workflows and tenants that exist.
    pub(crate) stores: Stores,
    /// Where answers are counted.
    pub(crate) metrics: Metrics,
}

impl Webhook {
    /// The two names of the one path.
    pub(crate) fn routes(self) -> Router {
        Router::new()
            .route("/validate", post(review::answer))
            .route("/admit", post(review::answer))
            .layer(DefaultBodyLimit::max(REVIEW_BYTES))
            .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
            .with_state(self)
    }

    /// Serves until `stop`.
    pub(crate) async fn serve(
        self,
        listen: SocketAddr,
        tls: RustlsConfig,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        let handle = Handle::new();
        let ending = handle.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            ending.graceful_shutdown(Some(GRACE));
        });
        axum_server::bind_rustls(listen, tls)
            .handle(handle)
            .serve(self.routes().into_make_service())
            .await
            .context(Snafu { listen })
    }
}
