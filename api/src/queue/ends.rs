//! Who waits here for the end of which run.
//!
//! A run that ends on this replica is told to its waiters with everything they need, in the moment its commit is
//! stored: no query, and nobody else is woken. What ends elsewhere, or otherwise, they are only told to look for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flowpilot_engine::journal::RunOutcome;
use jiff::Timestamp;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::Event;
use crate::store::runs::RunError;

/// Without news a run is looked at this often, in case the way of the news is broken.
const FALLBACK: Duration = Duration::from_secs(15);

/// The end of a run, as its last commit says it.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// How.
    pub outcome: RunOutcome,
    /// Why it failed.
    pub error: Option<RunError>,
    /// When, by the clock of the database.
    pub finished_at: Timestamp,
    /// The events of the last commit, a JSON array.
    pub body: String,
}

/// What a waiter hears.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It has ended.
    Ended(Box<RunEnd>),
    /// It may have ended: look.
    Look,
}

/// A tenant's run.
type Key = (Uuid, Uuid);

#[derive(Debug, Default)]
struct State {
    waiters: HashMap<Key, Vec<(u64, mpsc::Sender<Ending>)>>,
    numbers: u64,
}

/// The waiters of one replica; one request has one at most.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    state: Mutex<State>,
}

impl Ends {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits from now on.
    pub(super) fn wait(self: &Arc<Self>, tenant_id: Uuid, run_id: Uuid) -> EndWait {
        let (sender, inbox) = mpsc::channel(1);
        let mut state = self.state();
        state.numbers += 1;
        let number = state.numbers;
        let key = (tenant_id, run_id);
        state.waiters.entry(key).or_default().push((number, sender));
        drop(state);
        EndWait {
            ends: Arc::clone(self),
            key,
            number,
            inbox,
        }
    }

    /// A run has ended here. The end is only made if somebody waits for it.
    pub(super) fn ended(&self, tenant_id: Uuid, run_id: Uuid, end: impl FnOnce() -> RunEnd) {
        // Taken away: the news that follow would only make them look for what they know.
        let waiters = self.state().waiters.remove(&(tenant_id, run_id));
        if let Some(waiters) = waiters {
            tell(&waiters, &Ending::Ended(Box::new(end())));
        }
    }

    /// Passes on what the bus says.
    pub(super) fn hear(&self, event: &Event) {
        match event {
            Event::RunChanged {
                tenant_id,
                run_id,
                finished: true,
                ..
            } => {
                if let Some(waiters) = self.state().waiters.get(&(*tenant_id, *run_id)) {
                    tell(waiters, &Ending::Look);
                }
            }
            Event::Missed => {
                for waiters in self.state().waiters.values() {
                    tell(waiters, &Ending::Look);
                }
            }
            Event::RunChanged { .. }
            | Event::PoolReady { .. }
            | Event::RegistryChanged { .. }
            | Event::MirrorChanged
            | Event::SessionWake { .. }
            | Event::SessionMessage { .. } => {}
        }
    }
}

fn tell(waiters: &[(u64, mpsc::Sender<Ending>)], ending: &Ending) {
    for (_, waiter) in waiters {
        // One that was told something before and has not read it is about to look, and then sees this too.
        let _ = waiter.try_send(ending.clone());
    }
}

/// Waits for the end of one run. Begin before the run starts or is looked at, so that nothing falls between.
#[derive(Debug)]
pub struct EndWait {
    ends: Arc<Ends>,
    key: Key,
    number: u64,
    inbox: mpsc::Receiver<Ending>,
}

impl EndWait {
    /// The next thing that is known of the end.
    pub async fn next(&mut self) -> Ending {
        match tokio::time::timeout(FALLBACK, self.inbox.recv()).await {
            Ok(Some(ending)) => ending,
            // A waiter that was told of the end and asks again has to look like everybody.
            Ok(None) | Err(_) => Ending::Look,
        }
    }
}

impl Drop for EndWait {
    fn drop(&mut self) {
        let mut state = self.ends.state();
        if let Some(waiters) = state.waiters.get_mut(&self.key) {
            waiters.retain(|(number, _)| *number != self.number);
            if waiters.is_empty() {
                state.waiters.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn end() -> RunEnd {
        RunEnd {
            outcome: RunOutcome::Succeeded,
            error: None,
            finished_at: Timestamp::UNIX_EPOCH,
            body: "[]".to_owned(),
        }
    }

    #[tokio::test]
    async fn the_waiters_of_a_run_are_told_its_end_and_nobody_else_is() {
        let ends = Arc::new(Ends::default());
        let (tenant, run) = (Uuid::now_v7(), Uuid::now_v7());
        let mut waiting = [ends.wait(tenant, run), ends.wait(tenant, run)];
        let mut other_run = ends.wait(tenant, Uuid::now_v7());
        let mut other_tenant = ends.wait(Uuid::now_v7(), run);
        ends.ended(tenant, run, end);
        for wait in &mut waiting {
            assert!(matches!(wait.next().await, Ending::Ended(_)));
        }
        assert!(other_run.next().now_or_never().is_none());
        assert!(other_tenant.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn news_from_elsewhere_and_lost_news_make_waiters_look_and_wait_on() {
        let ends = Arc::new(Ends::default());
        let (tenant_id, run_id) = (Uuid::now_v7(), Uuid::now_v7());
        let mut wait = ends.wait(tenant_id, run_id);
        let news = |finished| Event::RunChanged {
            tenant_id,
            run_id,
            seq: 3,
            finished,
        };
        ends.hear(&news(false));
        assert!(wait.next().now_or_never().is_none(), "it goes on");
        for event in [Event::Missed, news(true)] {
            ends.hear(&event);
            assert!(matches!(wait.next().now_or_never(), Some(Ending::Look)));
        }
        ends.ended(tenant_id, run_id, end);
        assert!(matches!(wait.next().now_or_never(), Some(Ending::Ended(_))));
    }

    #[tokio::test]
    async fn whoever_stops_waiting_is_forgotten() {
        let ends = Arc::new(Ends::default());
        let (tenant, run) = (Uuid::now_v7(), Uuid::now_v7());
        let (first, second) = (ends.wait(tenant, run), ends.wait(tenant, run));
        drop(first);
        assert_eq!(ends.state().waiters.len(), 1);
        drop(second);
        assert!(ends.state().waiters.is_empty());
        ends.ended(tenant, run, || unreachable!("nobody waits: nothing is made"));
    }
}
