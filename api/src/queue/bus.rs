//! News inside this replica, and the way out to the others.
//!
//! Nobody depends on hearing: each event only saves its readers a wait.

use std::sync::Arc;

use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use super::ends::Ends;

/// Events that a slow reader may be behind before it loses some.
const BACKLOG: usize = 4_096;
/// Events on their way to other replicas. When it is full they are told to look for themselves.
const OUTBOUND: usize = 16_384;

/// Something that others may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A run's journal grew, or its state changed.
    RunChanged {
        /// Its tenant.
        tenant_id: Uuid,
        /// The run.
        run_id: Uuid,
        /// Number of events it has now.
        seq: i32,
        /// It has ended.
        finished: bool,
    },
    /// A pool that had nothing ready has something now.
    PoolReady {
        /// The pool.
        pool_id: i32,
    },
    /// Tenants or workflows changed.
    RegistryChanged {
        /// The tenant.
        tenant_id: Uuid,
    },
    /// A run of a WorkflowRun object has begun or ended.
    MirrorChanged,
    /// A runner was given something while it was not waiting here: its poll should end and begin again.
    SessionWake {
        /// The session.
        session_id: Uuid,
    },
    /// A run that a session holds has a message: its poll should end with it.
    SessionMessage {
        /// The session.
        session_id: Uuid,
    },
    /// Events were lost on the way: everybody reads again what they watch.
    Missed,
}

/// The bus of one replica.
#[derive(Debug)]
pub(crate) struct Bus {
    local: broadcast::Sender<Event>,
    outbound: mpsc::Sender<Event>,
    ends: Arc<Ends>,
}

impl Bus {
    /// The bus, and what the notifier takes to the other replicas.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Event>) {
        let (outbound, outbox) = mpsc::channel(OUTBOUND);
        (
            Self {
                local: broadcast::Sender::new(BACKLOG),
                outbound,
                ends: Arc::default(),
            },
            outbox,
        )
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.local.subscribe()
    }

    /// Those who wait for the end of a run.
    pub(crate) fn ends(&self) -> &Arc<Ends> {
        &self.ends
    }

    /// Tells everybody, here and elsewhere.
    pub(crate) fn publish(&self, event: Event) {
        self.hear(event);
        // The notifier sees a full channel itself and tells the others that they missed something.
        let _ = self.outbound.try_send(event);
    }

    /// Tells this replica.
    pub(crate) fn hear(&self, event: Event) {
        self.ends.hear(&event);
        // Without readers there is nobody to tell.
        let _ = self.local.send(event);
    }
}
