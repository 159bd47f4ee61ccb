//! Reading a run's journal. Writing it belongs to the queue.

use jiff::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    TenantTx,
    error::{Result, classify},
};

/// One commit of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Number of its first event.
    pub seq: i32,
    /// Number of events.
    pub n: i16,
    /// Under which lease it was written.
    pub epoch: i32,
    /// When it was stored.
    pub at: Timestamp,
    /// The events, a JSON array.
    pub body: String,
}

#[derive(FromRow)]
pub(crate) struct Row {
    pub(crate) seq: i32,
    pub(crate) n: i16,
    pub(crate) epoch: i32,
    pub(crate) at: jiff_sqlx::Timestamp,
    pub(crate) body: String,
}

impl From<Row> for JournalRow {
    fn from(row: Row) -> Self {
        Self {
            seq: row.seq,
            n: row.n,
            epoch: row.epoch,
            at: row.at.to_jiff(),
            body: row.body,
        }
    }
}

/// Commits of a run that contain an event numbered above `after_seq` (-1 for all), oldest first. The first of them may
/// begin before it: a commit is one row.
pub async fn read(tx: &mut TenantTx, run_id: Uuid, after_seq: i32, limit: i64) -> Result<Vec<JournalRow>> {
    let tenant_id = tx.tenant_id();
    let rows: Vec<Row> = sqlx::query_as(include_str!("sql/read_journal.sql"))
        .bind(tenant_id)
        .bind(run_id)
        .bind(after_seq)
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(classify)?;
    Ok(rows.into_iter().map(JournalRow::from).collect())
}
