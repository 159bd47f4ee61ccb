//! What the operator knows of the cluster: the shared caches, the queues that they fill, and the API server.

use flowpilot_crds::{RunnerClass, Tenant, Workflow, WorkflowRun};
use kube::runtime::reflector::ObjectRef;

use crate::Guarded;
use crate::api::Api;
use crate::queue::Queue;
use crate::scaling::Pools;
use crate::workflow_run::mirror::Reports;

mod stores;

pub use stores::Stores;

/// Everything the controllers read.
pub struct World {
    /// Local copies of what is watched.
    pub stores: Stores,
    /// What waits to be reconciled.
    pub queues: Queues,
    /// The API server.
    pub api: Api,
    /// What runner pods are made from.
    pub settings: Settings,
    /// The work that waits, by pool.
    pub pools: Pools,
    /// Ends of runs that the API server reported and no status shows yet.
    pub reports: Reports,
}

/// What the installation says about the objects that are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Namespace of the installation.
    pub namespace: String,
    /// Address that runners reach the API server at.
    pub api_url: String,
    /// Its port.
    pub api_port: u16,
    /// Image of the runners.
    pub runner_image: String,
    /// When nodes pull it.
    pub runner_image_pull_policy: String,
}

/// Objects that wait, by controller.
#[derive(Clone, Default)]
pub struct Queues {
    /// Tenants.
    pub tenants: Queue<ObjectRef<Guarded<Tenant>>>,
    /// Runner classes.
    pub classes: Queue<ObjectRef<Guarded<RunnerClass>>>,
    /// Workflows.
    pub workflows: Queue<ObjectRef<Guarded<Workflow>>>,
    /// Workflow runs.
    pub runs: Queue<ObjectRef<Guarded<WorkflowRun>>>,
}
