//! Starting runs: what a start carries, and the two statements that store it.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{FromRow, PgConnection};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Queue, Result, error::database, lane::Item};

/// A run to be started. Inputs and target were checked before.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its tenant.
    pub tenant_id: Uuid,
    /// Its id, a `UUIDv7` of now.
    pub run_id: Uuid,
    /// UID of the workflow.
    pub workflow_id: Uuid,
    /// Name of the workflow, for the runner.
    pub workflow: Arc<str>,
    /// The revision it will follow to its end.
    pub revision_id: i64,
    /// Digest of that revision, for the runner.
    pub revision: Arc<str>,
    /// Where it waits for a runner.
    pub pool_id: i32,
    /// 0 critical to 3 low; 2 is normal.
    pub priority: i16,
    /// 0 api, 5 resource.
    pub trigger_kind: i16,
    /// Of a resource: the UID of the WorkflowRun.
    pub trigger_id: Option<String>,
    /// Who starts it.
    pub actor: String,
    /// A JSON array with the first event of its journal.
    pub body: Arc<str>,
    /// Makes a repeated start find the first one.
    pub dedupe: Option<Dedupe>,
}

/// What makes two starts the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedupe {
    /// 1 Idempotency-Key, 4 WorkflowRun UID.
    pub scope: i16,
    /// The key, or a UUID made of it.
    pub key: Uuid,
    /// Digest of the request, so that the same key with another body is noticed.
    pub body_hash: Vec<u8>,
}

/// What became of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// A waiting runner has it already.
    Leased,
    /// It waits for a runner.
    Ready,
    /// The key was used before.
    Duplicate {
        /// The run it started.
        existing: Uuid,
        /// Whether that request was the same.
        same_body: bool,
    },
}

/// What a statement says about one start.
pub(super) enum Stored {
    Leased(Timestamp),
    Ready,
    Duplicate(Option<(Uuid, bool)>),
}

impl Queue {
    /// Starts a run: one commit, after which it is never lost. If a runner of the pool waits and nothing is ahead of
    /// the run, that runner has it in the same commit.
    pub async fn start_run(&self, run: NewRun) -> Result<Started> {
        let (done, answer) = oneshot::channel();
        self.lane(run.run_id).send(Item::Start {
            run: Box::new(run),
            done,
        })?;
        answer.await.unwrap_or(Err(super::Error::Stopping))
    }
}

#[derive(FromRow)]
struct OneRow {
    at: jiff_sqlx::Timestamp,
}

/// The express statement.
pub(super) async fn one(
    connection: &mut PgConnection,
    run: &NewRun,
    session: Option<Uuid>,
) -> Result<Stored> {
    let dedupe = run.dedupe.as_ref();
    let row: Option<OneRow> = sqlx::query_as(include_str!("sql/start_one.sql"))
        .bind(run.tenant_id)
        .bind(run.run_id)
        .bind(run.workflow_id)
        .bind(run.revision_id)
        .bind(run.pool_id)
        .bind(run.priority)
        .bind(session)
        .bind(run.trigger_kind)
        .bind(&run.trigger_id)
        .bind(&run.actor)
        .bind(&*run.body)
        .bind(dedupe.map(|dedupe| dedupe.scope))
        .bind(dedupe.map(|dedupe| dedupe.key))
        .bind(dedupe.map(|dedupe| &dedupe.body_hash))
        .fetch_optional(connection)
        .await
        .map_err(database)?;
    Ok(match (row, session) {
        (None, _) => Stored::Duplicate(None),
        (Some(row), Some(_)) => Stored::Leased(row.at.to_jiff()),
        (Some(_), None) => Stored::Ready,
    })
}

#[derive(FromRow)]
struct BatchRow {
    result: String,
    existing: Option<Uuid>,
    existing_hash: Option<Vec<u8>>,
    at: jiff_sqlx::Timestamp,
}

/// Many runs in one commit; the answers come in the order of the runs.
pub(super) async fn batch(
    connection: &mut PgConnection,
    items: &[(&NewRun, Option<Uuid>)],
) -> Result<Vec<Stored>> {
    fn column<'a, T>(items: &[(&'a NewRun, Option<Uuid>)], get: impl Fn(&'a NewRun) -> T) -> Vec<T> {
        items.iter().map(|(run, _)| get(run)).collect()
    }
    let rows: Vec<BatchRow> = sqlx::query_as(include_str!("sql/start_batch.sql"))
        .bind(column(items, |run| run.tenant_id))
        .bind(column(items, |run| run.run_id))
        .bind(column(items, |run| run.workflow_id))
        .bind(column(items, |run| run.revision_id))
        .bind(column(items, |run| run.pool_id))
        .bind(column(items, |run| run.priority))
        .bind(items.iter().map(|(_, session)| *session).collect::<Vec<_>>())
        .bind(column(items, |run| run.trigger_kind))
        .bind(column(items, |run| run.trigger_id.as_deref()))
        .bind(column(items, |run| run.actor.as_str()))
        .bind(column(items, |run| &*run.body))
        .bind(column(items, |run| {
            run.dedupe.as_ref().map(|dedupe| dedupe.scope)
        }))
        .bind(column(items, |run| run.dedupe.as_ref().map(|dedupe| dedupe.key)))
        .bind(column(items, |run| {
            run.dedupe.as_ref().map(|dedupe| dedupe.body_hash.as_slice())
        }))
        .fetch_all(connection)
        .await
        .map_err(database)?;
    let stored = rows
        .into_iter()
        .zip(items)
        .map(|(row, (run, _))| match row.result.as_str() {
            "leased" => Stored::Leased(row.at.to_jiff()),
            "ready" => Stored::Ready,
            _ => Stored::Duplicate(
                row.existing
                    .map(|existing| (existing, same(run, row.existing_hash.as_deref()))),
            ),
        });
    Ok(stored.collect())
}

/// The run that a key started, read after the statement that met it.
pub(super) async fn find(connection: &mut PgConnection, run: &NewRun) -> Result<Option<(Uuid, bool)>> {
    let Some(dedupe) = &run.dedupe else {
        return Ok(None);
    };
    let row: Option<(Uuid, Vec<u8>)> = sqlx::query_as(include_str!("sql/find_start.sql"))
        .bind(run.tenant_id)
        .bind(dedupe.scope)
        .bind(dedupe.key)
        .fetch_optional(connection)
        .await
        .map_err(database)?;
    Ok(row.map(|(existing, hash)| (existing, same(run, Some(&hash)))))
}

fn same(run: &NewRun, hash: Option<&[u8]>) -> bool {
    run.dedupe.as_ref().map(|dedupe| dedupe.body_hash.as_slice()) == hash
}
