//! What the operator knows of the cluster: the shared caches, the queues that they fill, and the API server.

use flowpilot_crds::{RunnerClass, Tenant, Workflow, WorkflowRun};
use kube::runtime::reflector::ObjectRef;

use crate::Guarded;
use crate::api::Api;
use crate::queue::Queue;
use crate::scaling::Pools;
use crate::workflow_run::mirror::Reports;

mod places;
mod stores;

pub(crate) use places::Places;
pub(crate) use stores::Stores;

/// Everything the controllers read.
pub(crate) struct World {
    /// Local copies of what is watched.
    pub(crate) stores: Stores,
    /// What waits to be reconciled.
    pub(crate) queues: Queues,
    /// The API server.
    pub(crate) api: Api,
    /// What runner pods are made from.
    pub(crate) settings: Settings,
    /// The work that waits, by pool.
    pub(crate) pools: Pools,
    /// Ends of runs that the API server reported and no status shows yet.
    pub(crate) reports: Reports,
}

/// What the installation says about the objects that are made.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Namespace of the installation.
    pub(crate) namespace: String,
    /// Address that runners reach the API server at.
    pub(crate) api_url: String,
    /// Its port.
    pub(crate) api_port: u16,
    /// Image of the runners.
    pub(crate) runner_image: String,
    /// When nodes pull it.
    pub(crate) runner_image_pull_policy: String,
}

/// Objects that wait, by controller.
#[derive(Clone, Default)]
pub(crate) struct Queues {
    /// Tenants.
    pub(crate) tenants: Queue<ObjectRef<Guarded<Tenant>>>,
    /// Runner classes.
    pub(crate) classes: Queue<ObjectRef<Guarded<RunnerClass>>>,
    /// Workflows.
    pub(crate) workflows: Queue<ObjectRef<Guarded<Workflow>>>,
    /// Workflow runs.
    pub(crate) runs: Queue<ObjectRef<Guarded<WorkflowRun>>>,
}
