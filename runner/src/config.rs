//! What a runner is told.

use std::fmt;
use std::path::PathBuf;

use flowpilot_telemetry::health::Health;
use url::Url;

use crate::guard::Egress;
use crate::metrics::Metrics;

/// Runs at the same moment where nothing else is said.
const DEFAULT_CAPACITY: u32 = 32;

/// What a runner needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The internal address of the API server, such as `http://flowpilot-api.flowpilot-system.svc:8081`.
    pub api_url: Url,
    /// What it proves itself with.
    pub token: TokenSource,
    /// Its name for people: the pod's.
    pub runner: String,
    /// RunnerClass it belongs to.
    pub pool: String,
    /// Runs it executes at the same moment, at least 1.
    pub capacity: u32,
    /// Closed addresses that are open to this tenant.
    pub egress: Egress,
    /// Where it says that it has a session.
    pub health: Health,
    /// What it counts.
    pub metrics: Metrics,
}

impl Config {
    /// A runner of the default pool that reaches public addresses only.
    #[must_use]
    pub fn new(api_url: Url, token: TokenSource) -> Self {
        Self {
            api_url,
            token,
            runner: "runner".to_owned(),
            pool: "default".to_owned(),
            capacity: DEFAULT_CAPACITY,
            egress: Egress::default(),
            health: Health::default(),
            metrics: Metrics::default(),
        }
    }
}

/// Where the token comes from.
#[derive(Clone)]
pub enum TokenSource {
    /// A file, read again when it changes: Kubernetes renews projected tokens in place.
    File(PathBuf),
    /// The token itself.
    Static(String),
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Static(_) => formatter.write_str("Static(…)"),
        }
    }
}
