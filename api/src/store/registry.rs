//! What the operator tells about custom resources. Each message carries UID and generation: older ones change nothing,
//! all may be repeated, order does not matter.

use sqlx::Executor;
use uuid::Uuid;

use super::{
    Pools, TenantTx,
    error::{Error, Result, classify, violated_unique},
    pools::Role,
};

/// Rows of a deleted tenant that go in one statement: short enough not to hold anybody up.
const DELETE_BATCH: i64 = 5_000;
/// What a tenant owns, children before what they point to, the tenant itself last.
const TENANT_TABLES: [&str; 11] = [
    include_str!("sql/delete/run_live.sql"),
    include_str!("sql/delete/run_inbox.sql"),
    include_str!("sql/delete/run_mirror.sql"),
    include_str!("sql/delete/start_dedupe.sql"),
    include_str!("sql/delete/runner_session.sql"),
    include_str!("sql/delete/run_journal.sql"),
    include_str!("sql/delete/run_done.sql"),
    include_str!("sql/delete/workflow_revision.sql"),
    include_str!("sql/delete/workflow.sql"),
    include_str!("sql/delete/pool.sql"),
    include_str!("sql/delete/tenant.sql"),
];

/// A tenant as its object says.
#[derive(Clone, Copy, Debug)]
pub struct TenantEntry<'a> {
    /// UID of the object.
    pub uid: Uuid,
    /// Generation of its spec.
    pub generation: i64,
    /// Its name.
    pub name: &'a str,
    /// Name for people.
    pub title: &'a str,
    /// RunnerClass of its runs.
    pub class: &'a str,
    /// Variables of all its workflows, a JSON object.
    pub variables: &'a str,
}

/// A workflow as its object says.
#[derive(Clone, Copy, Debug)]
pub struct RevisionEntry<'a> {
    /// UID of the object.
    pub uid: Uuid,
    /// Generation of its spec.
    pub generation: i64,
    /// Its name.
    pub name: &'a str,
    /// `sha256:` and 64 hexadecimal digits, of the spec.
    pub digest: &'a str,
    /// The spec, a JSON object.
    pub spec: &'a str,
    /// Labels of the object, a JSON object.
    pub labels: &'a str,
    /// RunnerClass of its runs.
    pub class: &'a str,
}

/// Whether a message of the operator was news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Stored.
    Changed,
    /// Known already, or older than what is known.
    Unchanged,
}

impl Change {
    fn from_rows(rows: u64) -> Self {
        if rows > 0 { Self::Changed } else { Self::Unchanged }
    }
}

/// Registers a tenant.
pub async fn put_tenant(pools: &Pools, entry: TenantEntry<'_>) -> Result<Change> {
    let mut tx = TenantTx::begin(&pools.app, entry.uid).await?;
    let done = sqlx::query(include_str!("sql/put_tenant.sql"))
        .bind(entry.uid)
        .bind(entry.generation)
        .bind(entry.name)
        .bind(entry.title)
        .bind(entry.class)
        .bind(entry.variables)
        .execute(tx.connection())
        .await
        .map_err(|error| name_taken(error, "tenant_name", entry.name))?;
    sqlx::query(include_str!("sql/put_pool.sql"))
        .bind(entry.uid)
        .bind(entry.class)
        .execute(tx.connection())
        .await
        .map_err(classify)?;
    tx.commit().await?;
    Ok(Change::from_rows(done.rows_affected()))
}

/// Removes a tenant and everything it owns, history included. Repeat it until it answers: it goes on where it was
/// interrupted.
pub async fn delete_tenant(pools: &Pools, uid: Uuid) -> Result<Change> {
    let mut tx = TenantTx::begin(&pools.app, uid).await?;
    let known =
        sqlx::query("UPDATE fp.tenant SET deleted_at = coalesce(deleted_at, now()) WHERE tenant_id = $1")
            .bind(uid)
            .execute(tx.connection())
            .await
            .map_err(classify)?
            .rows_affected();
    tx.commit().await?;
    if known == 0 {
        return Ok(Change::Unchanged);
    }
    let mut retention = pools.connect_as(Role::Retention).await?;
    for statement in TENANT_TABLES {
        loop {
            let query = sqlx::query(statement).bind(uid).bind(DELETE_BATCH);
            let done = retention.execute(query).await.map_err(classify)?;
            if done.rows_affected() < DELETE_BATCH.unsigned_abs() {
                break;
            }
        }
    }
    Ok(Change::Changed)
}

/// Registers a workflow's spec as its current revision.
pub async fn put_revision(pools: &Pools, tenant_id: Uuid, entry: RevisionEntry<'_>) -> Result<Change> {
    let mut tx = TenantTx::begin(&pools.app, tenant_id).await?;
    sqlx::query(include_str!("sql/put_pool.sql"))
        .bind(tenant_id)
        .bind(entry.class)
        .execute(tx.connection())
        .await
        .map_err(classify)?;
    // An object made again under the name of a deleted one: its predecessor is gone, whether or not we were told.
    sqlx::query(include_str!("sql/retire_namesake.sql"))
        .bind(tenant_id)
        .bind(entry.uid)
        .bind(entry.name)
        .execute(tx.connection())
        .await
        .map_err(classify)?;
    sqlx::query(include_str!("sql/put_revision.sql"))
        .bind(tenant_id)
        .bind(entry.uid)
        .bind(entry.digest)
        .bind(entry.spec)
        .execute(tx.connection())
        .await
        .map_err(classify)?;
    let done = sqlx::query(include_str!("sql/put_workflow.sql"))
        .bind(tenant_id)
        .bind(entry.uid)
        .bind(entry.generation)
        .bind(entry.name)
        .bind(entry.labels)
        .bind(entry.class)
        .bind(entry.digest)
        .execute(tx.connection())
        .await
        .map_err(|error| name_taken(error, "workflow_name", entry.name))?;
    tx.commit().await?;
    Ok(Change::from_rows(done.rows_affected()))
}

/// Takes a workflow off the list; its runs and revisions stay until their time is over.
pub async fn delete_workflow(pools: &Pools, tenant_id: Uuid, uid: Uuid) -> Result<Change> {
    let mut tx = TenantTx::begin(&pools.app, tenant_id).await?;
    let done = sqlx::query(
        "UPDATE fp.workflow SET deleted_at = now(), updated_at = now() \
         WHERE tenant_id = $1 AND workflow_id = $2 AND deleted_at IS NULL",
    )
    .bind(tenant_id)
    .bind(uid)
    .execute(tx.connection())
    .await
    .map_err(classify)?;
    tx.commit().await?;
    Ok(Change::from_rows(done.rows_affected()))
}

fn name_taken(error: sqlx::Error, constraint: &str, name: &str) -> Error {
    if violated_unique(&error) == Some(constraint) {
        return Error::NameTaken {
            name: name.to_owned(),
        };
    }
    classify(error)
}
