//! The servers of one replica, from listening to the last goodbye. Also the way in for `flowpilot dev` and tests,
//! which bring listeners, tokens and a folder of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use flowpilot_telemetry::health::Health;
use futures::FutureExt;
use futures::future::BoxFuture;
use snafu::{ResultExt, Snafu};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::auth::{AdminTokenError, Authenticator, Door};
use crate::clock::Clock;
use crate::definitions::Definitions;
use crate::metrics::Metrics;
use crate::plans::Plans;
use crate::queue::{Queue, Settings};
use crate::state::{STREAMS, Services};
use crate::store::directory::Directory;
use crate::store::{self, Durability, PoolSizes, Pools};
use crate::{openapi, routes, startup};

/// After the signal the listeners stay open so long: whoever routes here needs a moment to notice.
const LINGER: Duration = Duration::from_secs(2);
/// Requests under way get so long to end.
const GRACE: Duration = Duration::from_secs(5);
/// Name of the database among the parts that must be ready.
pub(crate) const DATABASE: &str = "database";
/// Name of the watch of workflows among the parts that must be ready.
pub(crate) const WORKFLOWS: &str = "workflows";

/// Why a server did not start, or ended.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
#[non_exhaustive]
pub enum Error {
    /// The bootstrap token.
    #[snafu(display("failed to read the bootstrap token"))]
    Token {
        /// Why.
        source: AdminTokenError,
    },
    /// No way to Kubernetes.
    #[snafu(display("failed to set up the client of Kubernetes"))]
    Kubernetes {
        /// Why.
        source: Box<kube::Error>,
    },
    /// An address is taken, or not one of this machine.
    #[snafu(display("failed to listen on {listen}"))]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A socket broke.
    #[snafu(display("failed to serve"))]
    Serve {
        /// Why.
        source: std::io::Error,
    },
    /// The server of health and metrics.
    #[snafu(display("failed to serve health and metrics"))]
    Telemetry {
        /// Why.
        source: flowpilot_telemetry::server::Error,
    },
    /// The database.
    #[snafu(display("failed to use the database"))]
    Database {
        /// Why.
        source: store::Error,
    },
    /// A signal came while a migration waited.
    #[snafu(display("ended before the schema was up to date"))]
    Interrupted,
    /// The schema is of another version.
    #[snafu(display("{message}"))]
    Schema {
        /// What to do.
        message: String,
    },
    /// The walls between tenants or the durability of commits do not stand.
    #[snafu(display("the database is not fit to serve: {}", findings.join("; ")))]
    Guard {
        /// What was found.
        findings: Vec<String>,
    },
    /// The specification cannot be written.
    #[snafu(display("failed to generate the specification"))]
    Specification {
        /// Why.
        source: serde_json::Error,
    },
}

/// What differs between an installation, `flowpilot dev` and a test.
pub struct Setup {
    /// Address of Postgres.
    pub database_url: String,
    /// Whether the database may lose answered commits.
    pub durability: Durability,
    /// Who calls.
    pub authenticator: Authenticator,
    /// Where the definitions live.
    pub definitions: Definitions,
    /// What the process says of itself; `database` is set here.
    pub health: Health,
    /// Where people find this installation.
    pub public_url: Option<Url>,
    /// Timing of the queue.
    pub queue: Settings,
    /// What time it is here.
    pub clock: Clock,
    /// Cancelled to end.
    pub shutdown: CancellationToken,
}

/// Sockets that are bound already.
#[derive(Debug)]
pub struct Listeners {
    /// For people.
    pub public: TcpListener,
    /// For runners and the operator.
    pub internal: TcpListener,
    /// For health and metrics, if they have a port of their own.
    pub metrics: Option<TcpListener>,
}

/// Serves until `shutdown`, then drains: waits are answered, requests under way end, what was accepted is written.
///
/// Boxed, so that this crate is compiled once and not again in every program that calls it.
#[must_use]
pub fn serve(setup: Setup, listeners: Listeners) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(serve_until(setup, listeners))
}

async fn serve_until(setup: Setup, listeners: Listeners) -> Result<(), Error> {
    let (specification, parameters) = openapi::generate().context(SpecificationSnafu)?;
    let pools = Pools::connect_lazy(&setup.database_url, PoolSizes::default()).context(DatabaseSnafu)?;
    let mut registry = flowpilot_telemetry::metrics::registry();
    let metrics = Metrics::new(&mut registry);
    let registry = Arc::new(registry);
    let stop_queue = CancellationToken::new();
    let services = Arc::new(Services {
        queue: Queue::start(pools.clone(), setup.queue, stop_queue),
        directory: Directory::new(pools.clone()),
        pools,
        plans: Plans::default(),
        definitions: setup.definitions,
        authenticator: setup.authenticator,
        scrape: flowpilot_telemetry::server::routes(setup.health.clone(), Arc::clone(&registry)),
        health: setup.health.clone(),
        metrics,
        parameters,
        specification,
        public_url: setup.public_url,
        draining: CancellationToken::new(),
        streams: Arc::new(Semaphore::new(STREAMS)),
        clock: setup.clock,
        admitted: AtomicBool::new(false),
    });
    let door = Door::new(Arc::clone(&services));
    let closing = CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(listen(
        listeners.public,
        routes::public(door.clone()),
        closing.clone(),
    ));
    tasks.spawn(listen(
        listeners.internal,
        routes::internal(door),
        closing.clone(),
    ));
    let over = CancellationToken::new();
    if let Some(listener) = listeners.metrics {
        let (health, over) = (setup.health.clone(), over.clone());
        tasks.spawn(async move {
            flowpilot_telemetry::server::serve_on(listener, health, registry, over)
                .await
                .context(TelemetrySnafu)
        });
    }
    let measured = tasks.len() - 2;
    let background = startup::background(&services, setup.durability).fuse();
    tokio::pin!(background);

    let ended = tokio::select! {
        () = setup.shutdown.cancelled() => Ok(()),
        failed = &mut background => failed,
        ended = tasks.join_next() => match ended {
            Some(Ok(result)) => result,
            _ => Ok(()),
        },
    };
    if let Err(error) = &ended {
        tracing::error!(error = crate::problem::chain(error), "shutting down");
    } else {
        services.health.drain();
        services.draining.cancel();
        // Probes and late requests are still answered; the background work keeps the caches right meanwhile. Where
        // nobody probes, nobody has to notice.
        let linger = if measured > 0 { LINGER } else { Duration::ZERO };
        tokio::select! {
            () = tokio::time::sleep(linger) => {}
            _ = &mut background => {}
        }
    }
    services.health.drain();
    services.draining.cancel();
    closing.cancel();
    let _ = tokio::time::timeout(GRACE, async {
        // The server of metrics ends last.
        while tasks.len() > measured && tasks.join_next().await.is_some() {}
    })
    .await;
    services.queue.shutdown().await;
    let _ = tokio::time::timeout(GRACE, services.pools.close()).await;
    over.cancel();
    tasks.abort_all();
    tracing::info!("ended");
    ended
}

async fn listen(listener: TcpListener, router: Router, closing: CancellationToken) -> Result<(), Error> {
    // Answers are small and whole: waiting for more to send only delays them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "failed to set TCP_NODELAY");
        }
    });
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { closing.cancelled().await });
    server.await.context(ServeSnafu)
}
