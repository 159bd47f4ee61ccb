//! Who waits, and for what: the matching of ready runs with waiting runners, in memory.
//!
//! A pool is *empty* when its last claim found less than it asked for and nothing became ready since. Only then may a
//! start hand its run to a waiting runner directly: otherwise it would overtake.
//!
//! A run reaches its runner once per lease, unless an answer was lost. Three rules see to it:
//! - a poll has slots only after it has looked for what its session was given before ([`poll::Waiting::open`]), so what it
//!   finds was never meant for itself;
//! - a run goes to exactly the poll whose slot it took ([`Slot`]), or to none: then the session's next poll finds it;
//! - a poll that another of its session has replaced hands nothing out: the newer one finds the same
//!   ([`poll::Waiting::finish`]).

pub(super) mod claim;
mod poll;
mod pool;
mod round;
mod slot;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use uuid::Uuid;

pub(super) use poll::Delivery;
use pool::{Pool, Readiness};
pub(super) use slot::Slot;

#[derive(Debug, Default)]
struct State {
    pools: HashMap<i32, Pool>,
    /// Pools worth a claim.
    queue: VecDeque<i32>,
    /// Sessions that have waited here: pool and tenant.
    sessions: HashMap<Uuid, (i32, Uuid)>,
    /// Polls so far; the newest has this number.
    polls: u64,
}

impl State {
    /// Puts a pool up for a claim if both sides may be there.
    fn consider(&mut self, pool_id: i32) -> bool {
        let Some(pool) = self.pools.get_mut(&pool_id) else {
            return false;
        };
        if !pool.is_due() || pool.queued {
            return false;
        }
        pool.queued = true;
        self.queue.push_back(pool_id);
        true
    }
}

/// The matching of one replica.
#[derive(Debug)]
pub(super) struct Dispatcher {
    state: Mutex<State>,
    wake: Notify,
    fallback: Duration,
}

impl Dispatcher {
    pub(super) fn new(fallback: Duration) -> Self {
        Self {
            state: Mutex::default(),
            wake: Notify::new(),
            fallback,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is ready in a pool. True if that is news for others: ready runs were not known here, or nobody here
    /// waits for them.
    pub(super) fn ready(&self, pool_id: i32) -> bool {
        let mut state = self.state();
        let Some(pool) = state.pools.get_mut(&pool_id) else {
            return true;
        };
        let news = pool.readiness != Readiness::Ready || pool.waiters.is_empty();
        pool.readiness = Readiness::Ready;
        if state.consider(pool_id) {
            drop(state);
            self.wake.notify_one();
        }
        news
    }

    /// Something may be ready anywhere.
    pub(super) fn all_ready(&self) {
        let mut state = self.state();
        let pools: Vec<i32> = state.pools.keys().copied().collect();
        for pool_id in pools {
            if let Some(pool) = state.pools.get_mut(&pool_id) {
                pool.readiness = Readiness::Ready;
            }
            state.consider(pool_id);
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Whether the last claim of a pool found nothing more.
    #[cfg(test)]
    pub(super) fn is_empty(&self, pool_id: i32) -> bool {
        self.state()
            .pools
            .get(&pool_id)
            .is_some_and(|pool| pool.readiness == Readiness::Empty)
    }

    /// Whether a session waits here.
    #[cfg(test)]
    pub(super) fn waits(&self, session_id: Uuid) -> bool {
        let mut state = self.state();
        state
            .pools
            .values_mut()
            .any(|pool| pool.waiter(session_id).is_some())
    }

    /// How many polls of a pool offer slots.
    #[cfg(test)]
    pub(super) fn open_polls(&self, pool_id: i32) -> usize {
        self.state().pools.get(&pool_id).map_or(0, |pool| {
            pool.waiters.iter().filter(|waiter| waiter.free > 0).count()
        })
    }
}
