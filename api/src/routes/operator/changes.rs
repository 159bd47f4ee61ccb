//! `GET /runs/changes`, `GET /pools/changes`: long polls of the operator.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use flowpilot_engine::protocol::operator::{PoolChanges, PoolDepth, RunChanges};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use uuid::Uuid;

use super::runs::report;
use crate::auth::{Caller, OperatorProtocol};
use crate::http::{Parameters, Reply};
use crate::problem::Problem;
use crate::queue::Event;

/// Longest wait.
const WAIT: u64 = 25;
/// Changes in one answer; outputs travel with them.
const CHANGES: i32 = 50;
/// The pools are counted at most this often, however fast the runs go.
const COUNT: Duration = Duration::from_millis(250);
/// Without news they are counted this often, in case the way of the news is broken.
const FALLBACK: Duration = Duration::from_secs(5);

/// Where to go on, and how long to wait.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    after: Option<i64>,
    #[serde(default)]
    wait: u64,
}

/// Runs of WorkflowRuns that began or ended.
pub async fn runs(
    caller: Caller<OperatorProtocol>,
    Parameters(query): Parameters<Query>,
) -> Result<Reply<RunChanges>, Problem> {
    let after = query.after.unwrap_or(0);
    let deadline = deadline(&query);
    let mut news = caller.queue.subscribe();
    loop {
        let (entries, next) = caller.queue.mirror_after(after, CHANGES).await?;
        let changes: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| {
                let uid = entry
                    .run
                    .run
                    .trigger_id
                    .as_deref()
                    .and_then(|uid| uid.parse::<Uuid>().ok())?;
                Some(report(uid, entry.run))
            })
            .collect();
        if next != after || over(&caller, deadline) {
            return Ok(Reply::ok(RunChanges { changes, next }));
        }
        let wanted = |event: Event| matches!(event, Event::MirrorChanged | Event::Missed);
        hear(
            &mut news,
            wanted,
            deadline.min(Instant::now() + FALLBACK),
            &caller,
        )
        .await;
    }
}

/// The work that waits for runners.
pub async fn pools(
    caller: Caller<OperatorProtocol>,
    Parameters(query): Parameters<Query>,
) -> Result<Reply<PoolChanges>, Problem> {
    let deadline = deadline(&query);
    let mut news = caller.queue.subscribe();
    loop {
        let counted = Instant::now();
        let depths = caller.queue.pool_depths(None).await?;
        let pools: Vec<PoolDepth> = depths
            .into_iter()
            .map(|depth| PoolDepth {
                tenant: depth.tenant,
                runner_class: depth.class,
                ready: depth.ready.into(),
                leased: depth.leased.into(),
                oldest_ms: depth.oldest_millis,
            })
            .collect();
        let version = version(&pools);
        if query.after != Some(version) || over(&caller, deadline) {
            return Ok(Reply::ok(PoolChanges { pools, version }));
        }
        let wanted = |event: Event| !matches!(event, Event::SessionWake { .. } | Event::MirrorChanged);
        hear(
            &mut news,
            wanted,
            deadline.min(Instant::now() + FALLBACK),
            &caller,
        )
        .await;
        tokio::time::sleep_until(deadline.min(counted + COUNT)).await;
    }
}

/// A number that changes with the pools; how long something waits is no change.
fn version(pools: &[PoolDepth]) -> i64 {
    let mut hasher = DefaultHasher::new();
    for pool in pools {
        (&pool.tenant, &pool.runner_class, pool.ready, pool.leased).hash(&mut hasher);
    }
    // The protocol has signed numbers, and JSON readers that only know 53 bits.
    i64::try_from(hasher.finish() >> 11).unwrap_or(0)
}

fn deadline(query: &Query) -> Instant {
    Instant::now() + Duration::from_secs(query.wait.min(WAIT))
}

fn over(caller: &Caller<OperatorProtocol>, deadline: Instant) -> bool {
    Instant::now() >= deadline || caller.draining.is_cancelled()
}

/// Waits for an event that is wanted, until `until`.
async fn hear(
    news: &mut Receiver<Event>,
    wanted: impl Fn(Event) -> bool,
    until: Instant,
    caller: &Caller<OperatorProtocol>,
) {
    let heard = async {
        loop {
            match news.recv().await {
                Ok(event) if wanted(event) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    };
    tokio::select! {
        _ = tokio::time::timeout_at(until, heard) => {}
        () = caller.draining.cancelled() => {}
    }
}
