//! Custom resources: read from a watch, changed as the person who asked for it.
//!
//! The API server's own account may read Workflows and nothing more. Each change is sent under the caller's name and
//! role (impersonation), so that Kubernetes' own rules and audit log decide and record it too.

mod apply;
mod refusal;
mod watch;

use std::sync::Arc;

use flowpilot_crds::names::namespace_of;
use kube::Client;

pub use watch::Watch;

use crate::definitions::Definition;
use crate::problem::{Code, Problem};

/// The cluster as this API sees it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    watch: Watch,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Cluster {
    /// The cluster of this client, read through this watch.
    #[must_use]
    pub fn new(client: Client, watch: Watch) -> Self {
        Self { client, watch }
    }

    pub(crate) fn list(&self, tenant: &str) -> Result<Vec<Arc<Definition>>, Problem> {
        self.synced()?;
        Ok(self.watch.list(&namespace_of(tenant)))
    }

    pub(crate) fn get(&self, tenant: &str, name: &str) -> Result<Option<Arc<Definition>>, Problem> {
        self.synced()?;
        Ok(self.watch.get(&namespace_of(tenant), name))
    }

    fn synced(&self) -> Result<(), Problem> {
        if self.watch.is_synced() {
            return Ok(());
        }
        Err(Problem::new(
            Code::Unavailable,
            "the workflows of the cluster are still being read",
        )
        .retry_after(1))
    }
}
