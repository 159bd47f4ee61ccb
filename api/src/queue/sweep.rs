//! The sweeper: timers that are due, sessions that are over, rows whose time has passed.
//!
//! Every replica runs one; their statements skip what another has locked. It sleeps until the next timer, at most a
//! second.

use std::{
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sqlx::FromRow;
use tokio::{sync::Notify, time};
use uuid::Uuid;

use super::{Event, Result, Shared, error::database};
use crate::store;

/// Longest sleep.
const TICK: Duration = Duration::from_secs(1);
/// Shortest sleep: a timer that is due and still there is in the hands of another replica, or waits for the next
/// thousand.
const PAUSE: Duration = Duration::from_millis(2);
/// A tick that comes so late was not a tick: the process or the database stood still, and heartbeats could not arrive.
const GAP: Duration = Duration::from_secs(3);
/// Runs woken by one statement.
const TIMERS: i32 = 1_000;
/// Between two rounds of forgetting.
const FORGET_EVERY: Duration = Duration::from_mins(1);
/// Rows forgotten by one statement.
const FORGET: i32 = 1_000;
/// Between two looks at the partitions.
const UPKEEP_EVERY: Duration = Duration::from_hours(6);
/// What is forgotten.
const FORGETTABLE: [&str; 4] = [
    include_str!("sql/expire_starts.sql"),
    include_str!("sql/forget_sessions.sql"),
    include_str!("sql/forget_mirror.sql"),
    include_str!("sql/forget_inbox.sql"),
];

/// Tells the sweeper of a timer that may be earlier than what it sleeps for.
#[derive(Debug, Default)]
pub(super) struct Hint {
    next: Mutex<Option<Timestamp>>,
    wake: Notify,
}

impl Hint {
    pub(super) fn timer(&self, wake_at: Timestamp) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|next| wake_at < next) {
            *next = Some(wake_at);
            drop(next);
            self.wake.notify_one();
        }
    }

    /// Forgets what was heard: the tick that follows reads it.
    fn take(&self) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The sweeper is about to sleep: only an earlier timer should wake it.
    fn sleep_until(&self, at: Timestamp) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(at, |next| next.min(at)));
    }
}

#[derive(FromRow)]
struct Swept {
    tenant_id: Uuid,
    run_id: Uuid,
    next_seq: i32,
    pool_id: i32,
}

/// Sweeps until the queue stops.
pub(super) async fn run(shared: Arc<Shared>) {
    // Since when every tick has reached the database in time.
    let mut answering_since = Instant::now();
    let mut last_tick = Instant::now();
    let mut forgotten_at = Instant::now();
    let mut kept_up_at: Option<Instant> = None;
    loop {
        let begun = Instant::now();
        if begun.duration_since(last_tick) > GAP {
            answering_since = begun;
        }
        last_tick = begun;
        shared.sweeper.take();
        let may_close = answering_since.elapsed() >= shared.settings.close_after;
        let sleep = match tick(&shared, may_close).await {
            Ok(next) => next.map_or(TICK, |millis| Duration::from_millis(millis).clamp(PAUSE, TICK)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn StdError, "failed to sweep the queue");
                answering_since = Instant::now();
                TICK
            }
        };
        if forgotten_at.elapsed() >= FORGET_EVERY {
            forgotten_at = Instant::now();
            if let Err(error) = forget(&shared).await {
                tracing::warn!(
                    error = &error as &dyn StdError,
                    "failed to remove rows whose time has passed"
                );
            }
        }
        if kept_up_at.is_none_or(|at| at.elapsed() >= UPKEEP_EVERY) {
            kept_up_at = Some(Instant::now());
            if let Err(error) = store::upkeep(&shared.pools).await {
                tracing::error!(
                    error = &error as &dyn StdError,
                    "failed to make the partitions of the coming weeks"
                );
            }
        }
        shared.sweeper.sleep_until(Timestamp::now() + sleep);
        tokio::select! {
            () = time::sleep(sleep) => {}
            () = shared.sweeper.wake.notified() => {}
            () = shared.stop.cancelled() => return,
        }
    }
}

/// One round. Returns the milliseconds until the next timer; nothing without one.
pub(super) async fn tick(shared: &Shared, may_close: bool) -> Result<Option<u64>> {
    let mut connection = shared.pools.engine.acquire().await.map_err(database)?;
    if may_close {
        let closed: Vec<Uuid> = sqlx::query_scalar(include_str!("sql/close_expired.sql"))
            .fetch_all(&mut *connection)
            .await
            .map_err(database)?;
        for session_id in closed {
            tracing::info!(session.id = %session_id, "a runner stopped renewing its session");
            shared.sessions.forget(session_id);
            shared.dispatcher.expire(session_id);
        }
    }
    let lost: Vec<Swept> = sqlx::query_as(include_str!("sql/sweep.sql"))
        .bind(shared.settings.max_crashes)
        .fetch_all(&mut *connection)
        .await
        .map_err(database)?;
    let due: Vec<Swept> = sqlx::query_as(include_str!("sql/timers.sql"))
        .bind(TIMERS)
        .fetch_all(&mut *connection)
        .await
        .map_err(database)?;
    for Swept {
        tenant_id,
        run_id,
        next_seq,
        pool_id,
    } in lost.into_iter().chain(due)
    {
        shared.pool_ready(pool_id);
        shared.bus.publish(Event::RunChanged {
            tenant_id,
            run_id,
            seq: next_seq,
            finished: false,
        });
    }
    let next: Option<i64> = sqlx::query_scalar(include_str!("sql/next_timer.sql"))
        .fetch_optional(&mut *connection)
        .await
        .map_err(database)?;
    Ok(next.map(|millis| u64::try_from(millis).unwrap_or(0)))
}

async fn forget(shared: &Shared) -> Result<()> {
    for statement in FORGETTABLE {
        loop {
            let done = sqlx::query(statement)
                .bind(FORGET)
                .execute(&shared.pools.engine)
                .await
                .map_err(database)?;
            if done.rows_affected() < FORGET.unsigned_abs().into() {
                break;
            }
        }
    }
    Ok(())
}
