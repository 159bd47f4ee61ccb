//! The claimer: one statement serves all waiting runners of a pool at once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::{FromRow, PgConnection, Postgres, pool::PoolConnection};
use tokio::time;
use uuid::Uuid;

use super::{Slot, pool::PRIORITIES, round::Claim};
use crate::queue::{
    Result, Shared,
    error::database,
    lease::{Bare, LeasedRun, load},
};

/// Between claims while the database is away.
const BACKOFF: Duration = Duration::from_millis(250);

#[derive(FromRow)]
struct Row {
    tenant_id: Uuid,
    run_id: Uuid,
    revision_id: i64,
    epoch: i32,
    next_seq: i32,
    inbox_seq: i32,
    session_id: Uuid,
    priority: i16,
    trigger_kind: i16,
    ready_micros: i64,
    digest: String,
    workflow: String,
}

/// Claims until the queue stops: on a wake-up, or now and then while a runner waits.
pub(in crate::queue) async fn run(shared: Arc<Shared>) {
    let mut connection: Option<PoolConnection<Postgres>> = None;
    loop {
        let Some(claim) = shared.dispatcher.next_claim() else {
            // An idle claimer keeps no connection: the pool checks it before the next use.
            connection = None;
            tokio::select! {
                () = shared.dispatcher.wake.notified() => {}
                () = time::sleep(shared.dispatcher.fallback) => shared.dispatcher.fall_back(),
                () = shared.stop.cancelled() => return,
            }
            continue;
        };
        let result = claim_once(&shared, &mut connection, &claim).await;
        if let Err(error) = result {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                pool.id = claim.pool_id,
                "failed to claim runs"
            );
            connection = None;
            shared.dispatcher.claim_failed(&claim);
            tokio::select! {
                () = time::sleep(BACKOFF) => {}
                () = shared.stop.cancelled() => return,
            }
        }
    }
}

async fn claim_once(
    shared: &Shared,
    connection: &mut Option<PoolConnection<Postgres>>,
    claim: &Claim,
) -> Result<()> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(shared.pools.engine.acquire().await.map_err(database)?),
    };
    let rows = claim_rows(connection, claim).await?;
    let ready_at: Vec<(usize, i64)> = rows
        .iter()
        .map(|row| (usize::try_from(row.priority).unwrap_or(0), row.ready_micros))
        .collect();
    let mut unused = claim.slots.clone();
    let mut taken: HashMap<Uuid, Slot> = HashMap::with_capacity(rows.len());
    for row in &rows {
        // The statement knows sessions only; all slots that one of them has in a claim are of the same poll.
        if let Some(index) = unused.iter().position(|slot| slot.session_id == row.session_id) {
            taken.insert(row.run_id, unused.swap_remove(index));
        }
    }
    if rows
        .iter()
        .any(|row| row.trigger_kind == crate::queue::mirror::TRIGGER_RESOURCE && row.epoch == 1)
    {
        shared.bus.publish(crate::queue::Event::MirrorChanged);
    }
    let bare: Vec<Bare> = rows.into_iter().map(Row::bare).collect();
    let loaded = if bare.is_empty() {
        Ok(Vec::new())
    } else {
        load(connection, bare).await
    };
    // The pool's marks and slots are settled whether or not the journals could be read.
    shared.dispatcher.claimed(claim, &ready_at, &unused);
    let loaded = loaded?;
    let news: Vec<_> = loaded
        .iter()
        .map(|run| crate::queue::Event::RunChanged {
            tenant_id: run.tenant_id,
            run_id: run.run_id,
            seq: run.next_seq,
            finished: false,
        })
        .collect();
    let runs = loaded
        .into_iter()
        .filter_map(|run| Some((taken.remove(&run.run_id)?, run)));
    for session_id in shared.dispatcher.deliver_all(runs) {
        shared.wake_elsewhere(session_id);
    }
    for event in news {
        shared.bus.publish(event);
    }
    Ok(())
}

async fn claim_rows(connection: &mut PgConnection, claim: &Claim) -> Result<Vec<Row>> {
    sqlx::query_as(include_str!("../sql/claim_pool.sql"))
        .bind(claim.pool_id)
        .bind(claim.tenant_id)
        .bind(
            (0..PRIORITIES)
                .map(|priority| i16::try_from(priority).unwrap_or(0))
                .collect::<Vec<i16>>(),
        )
        .bind(claim.marks.as_slice())
        .bind(
            claim
                .slots
                .iter()
                .map(|slot| slot.session_id)
                .collect::<Vec<Uuid>>(),
        )
        .bind(vec![1_i32; claim.slots.len()])
        .fetch_all(connection)
        .await
        .map_err(database)
}

impl Row {
    fn bare(self) -> Bare {
        let run = LeasedRun {
            tenant_id: self.tenant_id,
            run_id: self.run_id,
            epoch: self.epoch,
            workflow: self.workflow.into(),
            revision_id: self.revision_id,
            revision: self.digest.into(),
            next_seq: self.next_seq,
            priority: self.priority,
            trigger_kind: self.trigger_kind,
            journal: Vec::new(),
            inbox: Vec::new(),
        };
        Bare {
            run,
            has_inbox: self.inbox_seq > 0,
        }
    }
}
