//! Workflows and their revisions, inside one tenant.

use jiff::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    TenantTx,
    error::{Result, classify},
};

/// A registered workflow with its current revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// UID of the Workflow object.
    pub workflow_id: Uuid,
    /// Its name.
    pub name: String,
    /// Labels of the object, a JSON object.
    pub labels: String,
    /// Generation of the object that was registered last.
    pub generation: i64,
    /// The revision that new runs take.
    pub revision_id: i64,
    /// Its digest.
    pub digest: String,
    /// The queue its runs wait in.
    pub pool_id: i32,
    /// When it was first registered.
    pub created_at: Timestamp,
    /// When its registration last changed.
    pub updated_at: Timestamp,
}

/// One immutable revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Number inside the installation.
    pub revision_id: i64,
    /// UID of the Workflow object.
    pub workflow_id: Uuid,
    /// Digest of the spec.
    pub digest: String,
    /// The spec, a JSON object.
    pub spec: String,
    /// When it was registered.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct WorkflowRow {
    workflow_id: Uuid,
    name: String,
    labels: String,
    generation: i64,
    revision_id: i64,
    digest: String,
    pool_id: i32,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl From<WorkflowRow> for Workflow {
    fn from(row: WorkflowRow) -> Self {
        Self {
            workflow_id: row.workflow_id,
            name: row.name,
            labels: row.labels,
            generation: row.generation,
            revision_id: row.revision_id,
            digest: row.digest,
            pool_id: row.pool_id,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }
    }
}

#[derive(FromRow)]
struct RevisionRow {
    revision_id: i64,
    workflow_id: Uuid,
    digest: String,
    spec: String,
    created_at: jiff_sqlx::Timestamp,
}

impl From<RevisionRow> for Revision {
    fn from(row: RevisionRow) -> Self {
        Self {
            revision_id: row.revision_id,
            workflow_id: row.workflow_id,
            digest: row.digest,
            spec: row.spec,
            created_at: row.created_at.to_jiff(),
        }
    }
}

/// Workflows by name, after a name (empty for the first page).
pub async fn list(tx: &mut TenantTx, after: &str, limit: i64) -> Result<Vec<Workflow>> {
    let tenant_id = tx.tenant_id();
    let rows: Vec<WorkflowRow> = sqlx::query_as(include_str!("sql/list_workflows.sql"))
        .bind(tenant_id)
        .bind(after)
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(classify)?;
    Ok(rows.into_iter().map(Workflow::from).collect())
}

/// The workflow of a name, unless it was deleted.
pub async fn get(tx: &mut TenantTx, name: &str) -> Result<Option<Workflow>> {
    let tenant_id = tx.tenant_id();
    let row: Option<WorkflowRow> = sqlx::query_as(include_str!("sql/get_workflow.sql"))
        .bind(tenant_id)
        .bind(name)
        .fetch_optional(tx.connection())
        .await
        .map_err(classify)?;
    Ok(row.map(Workflow::from))
}

/// A revision of the tenant by its digest. Two workflows with the same spec share the digest, and then any of their
/// revisions has the same spec; name the workflow to get its own.
pub async fn revision(
    tx: &mut TenantTx,
    digest: &str,
    workflow_id: Option<Uuid>,
) -> Result<Option<Revision>> {
    let tenant_id = tx.tenant_id();
    let row: Option<RevisionRow> = sqlx::query_as(include_str!("sql/get_revision.sql"))
        .bind(tenant_id)
        .bind(digest)
        .bind(workflow_id)
        .fetch_optional(tx.connection())
        .await
        .map_err(classify)?;
    Ok(row.map(Revision::from))
}

/// Revisions of a workflow, newest first, before a revision id (`i64::MAX` for the first page). Without specs: each
/// is fetched by its digest.
pub async fn revisions(
    tx: &mut TenantTx,
    workflow_id: Uuid,
    before: i64,
    limit: i64,
) -> Result<Vec<Revision>> {
    let tenant_id = tx.tenant_id();
    let rows: Vec<RevisionRow> = sqlx::query_as(include_str!("sql/list_revisions.sql"))
        .bind(tenant_id)
        .bind(workflow_id)
        .bind(before)
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(classify)?;
    Ok(rows.into_iter().map(Revision::from).collect())
}
