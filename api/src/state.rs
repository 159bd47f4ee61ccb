//! What lies behind the door: everything a handler may use.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::Method;
use flowpilot_telemetry::health::Health;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::definitions::Definitions;
use crate::metrics::Metrics;
use crate::plans::Plans;
use crate::problem::{Code, Problem};
use crate::queue::{self, Queue};
use crate::store::directory::Directory;
use crate::store::{self, Pools};

/// Streams of one replica: each holds a buffer and a task.
pub(crate) const STREAMS: usize = 1_000;

/// Everything a request may need.
#[derive(Debug)]
pub struct Services {
    /// Postgres, for reads of one tenant.
    pub pools: Pools,
    /// Postgres, for everything that moves.
    pub queue: Queue,
    /// Tenants and workflows by name.
    pub directory: Directory,
    /// Compiled revisions.
    pub plans: Plans,
    /// Custom resources or files.
    pub definitions: Definitions,
    /// Who calls.
    pub authenticator: Authenticator,
    /// What this process says of itself.
    pub health: Health,
    /// Figures.
    pub metrics: Metrics,
    /// The figures as text, from the server of health and metrics.
    pub(crate) scrape: axum::Router,
    /// Query parameters of each operation.
    pub parameters: KnownParameters,
    /// The specification, as it is sent.
    pub specification: Arc<str>,
    /// Where people find this installation.
    pub public_url: Option<Url>,
    /// Cancelled when this replica takes nothing more: waits end, streams say goodbye.
    pub draining: CancellationToken,
    /// Open streams.
    pub streams: Arc<Semaphore>,
    /// Whether this replica may say what time it is.
    pub(crate) clock: Clock,
    /// The schema was judged and is ours.
    pub(crate) admitted: AtomicBool,
}

impl Services {
    /// Something of a tenant's registration changed: caches here and elsewhere forget it.
    pub(crate) fn registry_changed(&self, tenant_id: Uuid) {
        self.directory.forget(tenant_id);
        self.queue.registry_changed(tenant_id);
    }

    /// Nothing is served before the schema is known to be ours.
    pub(crate) fn admit(&self) -> Result<(), Problem> {
        if self.admitted.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(Problem::new(Code::Unavailable, "the database has not been reached yet").retry_after(2))
    }
}

/// Which query parameters each operation of the specification has.
#[derive(Debug, Default)]
pub struct KnownParameters(HashMap<(Method, String), Vec<String>>);

impl KnownParameters {
    pub(crate) fn new(known: HashMap<(Method, String), Vec<String>>) -> Self {
        Self(known)
    }

    /// Those of an operation; nothing if the specification does not have it.
    #[must_use]
    pub fn of(&self, method: &Method, path: &str) -> Option<&Vec<String>> {
        self.0.get(&(method.clone(), path.to_owned()))
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match &error {
            store::Error::NameTaken { .. } => Self::new(Code::Conflict, error.to_string()),
            _ if error.is_unavailable() => Self::unavailable("the database cannot be reached", &error),
            _ => Self::internal(&error),
        }
    }
}

impl From<queue::Error> for Problem {
    fn from(error: queue::Error) -> Self {
        match &error {
            queue::Error::SessionClosed { .. } => Self::new(Code::SessionClosed, error.to_string()),
            queue::Error::Stopping => Self::new(Code::Draining, error.to_string()).retry_after(1),
            queue::Error::Overloaded => Self::new(Code::Unavailable, error.to_string()).retry_after(1),
            queue::Error::Store { source } if source.is_unavailable() => {
                Self::unavailable("the database cannot be reached", &error)
            }
            queue::Error::Store { .. } => Self::internal(&error),
        }
    }
}
