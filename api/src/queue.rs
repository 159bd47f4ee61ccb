//! The queue: starts, leases, commits, messages, timers.
//!
//! ```text
//! start_run ─┐                       ┌─ lease (waiting polls of runners)
//!            ├─► lane 0 │ lane 1 ──► dispatcher ◄── claimer (one statement for all waiting runners of a pool)
//! commit ────┘     │  group commits      ▲
//!                  ▼                     │ "something is ready"
//!                 bus ──► notifier ──► Postgres ──► listener (other replicas)
//!                                        ▲
//!                             sweeper ───┘ timers, lost runners, upkeep
//! ```
//!
//! Everything that decides is a statement in Postgres; what stands in memory only saves time. A replica may die at any
//! moment: what it held is found again by the next lease, the sweeper, or the fallback of the claimer.

mod bus;
mod cancel;
mod commit;
mod depth;
mod dispatch;
mod ends;
mod error;
mod lane;
mod lease;
mod mirror;
mod session;
mod start;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod wire;

use std::{hash::BuildHasher, sync::Arc, time::Duration};

use tokio::{sync::broadcast, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use bus::Event;
pub use cancel::Cancelled;
pub use commit::{CommitOutcome, CommitStatus, Next, RunCommit};
pub use depth::PoolDepth;
pub use ends::{EndWait, Ending, RunEnd};
pub use error::{Error, Result};
pub use lease::{Lease, LeaseRequest, LeasedRun, Message};
pub use mirror::MirrorEntry;
pub use session::{Heartbeat, Held, NewSession, OpenedSession};
pub use start::{Dedupe, NewRun, Started};

use crate::store::Pools;

/// Connections that write commits. A run always uses the same one, so its commits stay in order.
const LANES: usize = 2;

/// What differs between an installation and a test.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// A session without a heartbeat for so long is over.
    pub session_ttl: Duration,
    /// Sessions are only closed when the database has answered for so long without a gap: a runner whose heartbeats
    /// had nowhere to go must not lose its session for it.
    pub close_after: Duration,
    /// Lost runners after which a run waits for a person.
    pub max_crashes: i32,
    /// Runs unknown to the runner that should hold them go back after so long.
    pub give_back_after: Duration,
    /// While a runner waits, its pool is looked at so often even without news.
    pub fallback: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let session_ttl = Duration::from_secs(flowpilot_engine::protocol::runner::SESSION_TTL_SECONDS);
        Self {
            session_ttl,
            close_after: session_ttl,
            max_crashes: 5,
            give_back_after: Duration::from_secs(10),
            fallback: Duration::from_secs(5),
        }
    }
}

/// What the tasks of a replica share.
#[derive(Debug)]
pub(crate) struct Shared {
    pools: Pools,
    settings: Settings,
    dispatcher: dispatch::Dispatcher,
    bus: bus::Bus,
    sweeper: sweep::Hint,
    sessions: session::Known,
    /// Names this queue in notifications, so that it does not hear itself.
    replica: u64,
    stop: CancellationToken,
}

/// The queue of one replica. Cheap to clone; ends with [`Self::shutdown`].
#[derive(Clone, Debug)]
pub struct Queue {
    shared: Arc<Shared>,
    lanes: Arc<[lane::Lane]>,
    hasher: std::collections::hash_map::RandomState,
    tasks: Arc<tokio::sync::Mutex<JoinSet<()>>>,
}

impl Queue {
    /// Starts the background tasks. They end when `stop` is cancelled.
    #[must_use]
    pub fn start(pools: Pools, settings: Settings, stop: CancellationToken) -> Self {
        let (bus, outbox) = bus::Bus::new();
        let shared = Arc::new(Shared {
            pools,
            settings,
            dispatcher: dispatch::Dispatcher::new(settings.fallback),
            bus,
            sweeper: sweep::Hint::default(),
            sessions: session::Known::default(),
            replica: rand::random(),
            stop,
        });
        let mut tasks = JoinSet::new();
        let lanes: Arc<[lane::Lane]> = (0..LANES).map(|_| lane::spawn(&mut tasks, &shared)).collect();
        tasks.spawn(dispatch::claim::run(Arc::clone(&shared)));
        tasks.spawn(sweep::run(Arc::clone(&shared)));
        tasks.spawn(wire::notify(Arc::clone(&shared), outbox));
        tasks.spawn(wire::listen(Arc::clone(&shared)));
        Self {
            shared,
            lanes,
            hasher: std::collections::hash_map::RandomState::new(),
            tasks: Arc::new(tokio::sync::Mutex::new(tasks)),
        }
    }

    /// News of this replica and of the others. Slow readers miss some and are told so by the channel; they then read
    /// again what they watch.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.shared.bus.subscribe()
    }

    /// Waits from now on for the end of a run, which need not have started.
    #[must_use]
    pub fn end_of(&self, tenant_id: Uuid, run_id: Uuid) -> EndWait {
        self.shared.bus.ends().wait(tenant_id, run_id)
    }

    /// Tells every replica that the registry of a tenant changed.
    pub fn registry_changed(&self, tenant_id: Uuid) {
        self.shared.bus.publish(Event::RegistryChanged { tenant_id });
    }

    /// The connections the queue works on.
    #[must_use]
    pub fn pools(&self) -> &Pools {
        &self.shared.pools
    }

    /// Ends the tasks and waits for them: what lanes have accepted is still written.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
    }

    fn lane(&self, run_id: Uuid) -> &lane::Lane {
        let hash = self.hasher.hash_one(run_id);
        let index = usize::try_from(hash % self.lanes.len() as u64).unwrap_or(0);
        &self.lanes[index]
    }
}

impl Shared {
    /// A run became ready here: its pool's waiting runners are served, the other replicas are told.
    fn pool_ready(&self, pool_id: i32) {
        if self.dispatcher.ready(pool_id) {
            self.bus.publish(Event::PoolReady { pool_id });
        }
    }

    /// News from another replica.
    fn heard(&self, event: Event) {
        match event {
            Event::PoolReady { pool_id } => {
                self.dispatcher.ready(pool_id);
            }
            Event::SessionWake { session_id } => self.dispatcher.wake(session_id),
            Event::SessionMessage { session_id } => {
                self.dispatcher.message(session_id);
            }
            Event::Missed => self.dispatcher.all_ready(),
            Event::RunChanged { .. } | Event::RegistryChanged { .. } | Event::MirrorChanged => {}
        }
        self.bus.hear(event);
    }
}
