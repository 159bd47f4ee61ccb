//! The runs in this runner's hands.

use std::collections::HashMap;

use flowpilot_engine::protocol::runner::{HeldRun, InboxMessage};
use tokio::sync::mpsc;
use tokio::task::Id;
use tokio_util::sync::DropGuard;
use uuid::Uuid;

use crate::metrics::Metrics;

/// Deliveries that wait for an executor. What does not fit comes again with the next heartbeat, because it is
/// not seen until a commit says so.
pub(super) const MESSAGES: usize = 4;

/// One run.
#[derive(Debug)]
pub(super) struct Held {
    /// Its fence.
    pub(super) epoch: i32,
    /// Events that are stored.
    pub(super) seq: i32,
    /// To its executor.
    pub(super) messages: mpsc::Sender<Vec<InboxMessage>>,
    /// Stops its executor, and all its attempts, when this is dropped.
    pub(super) stop: DropGuard,
    /// Its executor.
    pub(super) task: Id,
}

/// All of them.
#[derive(Debug)]
pub(super) struct HeldRuns {
    runs: HashMap<Uuid, Held>,
    metrics: Metrics,
}

impl HeldRuns {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            runs: HashMap::new(),
            metrics,
        }
    }

    pub(super) fn insert(&mut self, run: Uuid, held: Held) {
        self.runs.insert(run, held);
        self.count_anew();
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.runs.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn ids(&self) -> Vec<Uuid> {
        self.runs.keys().copied().collect()
    }

    pub(super) fn fences(&self) -> Vec<HeldRun> {
        self.runs
            .iter()
            .map(|(run, held)| HeldRun {
                run: *run,
                epoch: held.epoch,
            })
            .collect()
    }

    pub(super) fn epoch(&self, run: Uuid) -> Option<i32> {
        self.runs.get(&run).map(|held| held.epoch)
    }

    /// Events were stored.
    pub(super) fn stored(&mut self, run: Uuid, seq: i32) {
        if let Some(held) = self.runs.get_mut(&run) {
            held.seq = seq;
        }
    }

    /// Hands messages to the executor.
    pub(super) fn deliver(&self, run: Uuid, messages: Vec<InboxMessage>) {
        if let Some(held) = self.runs.get(&run) {
            // Full: they come again.
            let _ = held.messages.try_send(messages);
        }
    }

    /// The run was given back properly: its executor ends by itself.
    pub(super) fn release(&mut self, run: Uuid, epoch: i32) {
        if self.epoch(run) == Some(epoch)
            && let Some(held) = self.runs.remove(&run)
        {
            // The answer to its last commit is about to reach it.
            let _ = held.stop.disarm();
        }
        self.count_anew();
    }

    /// Stops the executor and forgets the run; false if it was not held.
    pub(super) fn drop_run(&mut self, run: Uuid) -> bool {
        let held = self.runs.remove(&run).is_some();
        self.count_anew();
        held
    }

    /// The run whose executor this was.
    pub(super) fn remove_task(&mut self, task: Id) -> Option<(Uuid, Held)> {
        let run = *self.runs.iter().find(|(_, held)| held.task == task)?.0;
        let held = self.runs.remove(&run)?;
        self.count_anew();
        Some((run, held))
    }

    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.count_anew();
    }

    fn count_anew(&self) {
        self.metrics.held.set(i64::from(self.count()));
    }
}
