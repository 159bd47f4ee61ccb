//! Where the definitions of workflows live, and how people change them: the one thing that differs between a cluster
//! and a folder of files.
//!
//! Either way a change goes to the place that others watch (custom resource or manifest file), never to Postgres:
//! what is registered there comes back from that place, by the operator or by `flowpilot dev`.

mod folder;
mod manifest;

use std::sync::Arc;

use flowpilot_crds::Workflow;
use serde_json::Value;

pub use folder::Folder;
pub use manifest::{Manifest, ManifestMetadata};

use crate::cluster::Cluster;
use crate::problem::Problem;

/// The place of the definitions.
#[derive(Debug)]
pub enum Definitions {
    /// Custom resources of a cluster.
    Cluster(Cluster),
    /// Manifest files of a folder.
    Folder(Folder),
}

/// A Workflow as it stands at its place.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The object.
    pub workflow: Workflow,
    /// Changes with every change of the object: the ETag.
    pub version: String,
    /// The tool that owns the spec, unless it is this API.
    pub managed_by: Option<String>,
}

/// For whom a change is made: Kubernetes is told, judges and records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: String,
    /// The group, which carries the role.
    pub group: String,
}

/// What must hold for a change to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// There is no such object yet.
    Absent,
    /// The object has one of these versions.
    Version(Vec<String>),
    /// The object exists.
    Exists,
}

/// A change of one Workflow.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Who wants it.
    pub identity: &'a Identity,
    /// The tenant it belongs to.
    pub tenant: &'a str,
    /// The name of the workflow.
    pub name: &'a str,
    /// What must hold.
    pub precondition: Precondition,
    /// Everything is checked and nothing is changed.
    pub dry_run: bool,
}

impl Definitions {
    /// All workflows of a tenant, by name.
    pub async fn list(&self, tenant: &str) -> Result<Vec<Arc<Definition>>, Problem> {
        match self {
            Self::Cluster(cluster) => cluster.list(tenant),
            Self::Folder(folder) => folder.list(tenant).await,
        }
    }

    /// One workflow.
    pub async fn get(&self, tenant: &str, name: &str) -> Result<Option<Arc<Definition>>, Problem> {
        match self {
            Self::Cluster(cluster) => cluster.get(tenant, name),
            Self::Folder(folder) => folder.get(tenant, name).await,
        }
    }

    /// Creates or replaces a workflow.
    pub async fn apply(&self, change: &Change<'_>, manifest: &Manifest) -> Result<Definition, Problem> {
        match self {
            Self::Cluster(cluster) => cluster.apply(change, manifest).await,
            Self::Folder(folder) => folder.apply(change, manifest).await,
        }
    }

    /// Deletes a workflow.
    pub async fn delete(&self, change: &Change<'_>) -> Result<(), Problem> {
        match self {
            Self::Cluster(cluster) => cluster.delete(change).await,
            Self::Folder(folder) => folder.delete(change).await,
        }
    }
}

impl Definition {
    /// The object as a manifest that could be applied again: without what only the server says.
    #[must_use]
    pub fn manifest(&self) -> Value {
        manifest::of(&self.workflow)
    }
}

/// The condition `Ready` of a definition, in short.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Ready {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word for the cause.
    pub reason: String,
    /// In words.
    pub message: String,
}

impl Definition {
    /// What the operator says of it; nothing before it looked, and in a folder.
    #[must_use]
    pub fn ready(&self) -> Option<Ready> {
        let conditions = &self.workflow.status.as_ref()?.conditions;
        let ready = conditions
            .iter()
            .find(|condition| condition.type_ == flowpilot_crds::condition::READY)?;
        let (status, reason, message) = (ready.status.clone(), ready.reason.clone(), ready.message.clone());
        Some(Ready {
            status,
            reason,
            message,
        })
    }
}
