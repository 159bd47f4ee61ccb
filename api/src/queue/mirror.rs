//! What happened to runs that WorkflowRun objects asked for, in an order that a cursor can follow.
//!
//! The writer leaves a row without a number; whoever reads gives the numbers, one reader at a time. So a number is
//! never seen before a smaller one, which numbers given by concurrent writers cannot promise.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Queue, Result, error::database};
use crate::store::{TenantTx, runs};

/// Started by a WorkflowRun object.
pub(super) const TRIGGER_RESOURCE: i16 = 5;
/// Any constant: it names the lock under which numbers are given.
const LOCK: i64 = 0x6d69_7272_6f72;

/// One thing that happened: a run of a WorkflowRun began or ended.
#[derive(Clone, Debug)]
pub struct MirrorEntry {
    /// Where to go on.
    pub pos: i64,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The run as it is now; its `trigger_id` is the UID of the WorkflowRun.
    pub run: runs::RunDetail,
}

#[derive(FromRow)]
struct Row {
    pos: i64,
    tenant_id: Uuid,
    run_id: Uuid,
}

impl Queue {
    /// What happened after a position (0 for what is still known), and the position to go on from. An ended run is
    /// remembered for a week.
    pub async fn mirror_after(&self, after: i64, limit: i32) -> Result<(Vec<MirrorEntry>, i64)> {
        let engine = &self.shared.pools.engine;
        let unnumbered: bool = sqlx::query_scalar(include_str!("sql/has_unnumbered.sql"))
            .fetch_one(engine)
            .await
            .map_err(database)?;
        if unnumbered {
            self.number(limit).await?;
        }
        let rows: Vec<Row> = sqlx::query_as(include_str!("sql/read_mirror.sql"))
            .bind(after)
            .bind(limit)
            .fetch_all(engine)
            .await
            .map_err(database)?;
        let next = rows.last().map_or(after, |row| row.pos);
        let mut entries = Vec::with_capacity(rows.len());
        for Row {
            pos,
            tenant_id,
            run_id,
        } in rows
        {
            let mut tx = TenantTx::begin(&self.shared.pools.app, tenant_id).await?;
            // A tenant that is being deleted takes its runs with it.
            if let Some(run) = runs::get(&mut tx, run_id).await? {
                entries.push(MirrorEntry { pos, tenant_id, run });
            }
            tx.commit().await?;
        }
        Ok((entries, next))
    }

    async fn number(&self, limit: i32) -> Result<()> {
        let mut transaction = self.shared.pools.engine.begin().await.map_err(database)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut *transaction)
            .await
            .map_err(database)?;
        sqlx::query(include_str!("sql/number_mirror.sql"))
            .bind(limit)
            .execute(&mut *transaction)
            .await
            .map_err(database)?;
        transaction.commit().await.map_err(database)
    }
}
