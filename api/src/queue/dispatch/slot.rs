//! Slots: a place in one poll, taken before a run is leased and filled after it.

use uuid::Uuid;

use super::{Delivery, Dispatcher, State, pool::Readiness};
use crate::queue::lease::LeasedRun;

/// A slot of a waiting runner, taken for a run that is about to be leased to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::queue) struct Slot {
    pub(in crate::queue) pool_id: i32,
    pub(in crate::queue) session_id: Uuid,
    /// Number of the poll. A later poll of the session may have found the run by itself.
    pub(super) poll: u64,
}

impl Dispatcher {
    /// A slot of a waiting runner for a run that is being started, if it would overtake nobody.
    pub(in crate::queue) fn reserve(&self, pool_id: i32) -> Option<Slot> {
        let mut state = self.state();
        let pool = state.pools.get_mut(&pool_id)?;
        if pool.readiness != Readiness::Empty {
            return None;
        }
        let index = pool.waiters.iter().position(|waiter| waiter.free > 0)?;
        let mut waiter = pool.waiters.remove(index)?;
        waiter.free -= 1;
        let slot = Slot {
            pool_id,
            session_id: waiter.session_id,
            poll: waiter.number,
        };
        pool.waiters.push_back(waiter);
        Some(slot)
    }

    /// The run that a slot was taken for did not come.
    pub(in crate::queue) fn release(&self, slot: Slot) {
        let mut state = self.state();
        if let Some(pool) = state.pools.get_mut(&slot.pool_id) {
            pool.give_back(slot);
        }
        if state.consider(slot.pool_id) {
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Hands a leased run to the poll whose slot it took. If that has ended, a later poll of the session is made to
    /// ask again: it may have looked too early to find the run. False if the session does not wait here at all; it
    /// finds the run with its next lease.
    pub(in crate::queue) fn deliver(&self, slot: Slot, run: LeasedRun) -> bool {
        fill(&mut self.state(), slot, run)
    }

    /// Hands over all runs of one claim at once, so that a poll ends with all that it was given. Returns the sessions
    /// that do not wait here.
    pub(super) fn deliver_all(&self, runs: impl IntoIterator<Item = (Slot, LeasedRun)>) -> Vec<Uuid> {
        let mut state = self.state();
        let mut away = Vec::new();
        for (slot, run) in runs {
            if !fill(&mut state, slot, run) && !away.contains(&slot.session_id) {
                away.push(slot.session_id);
            }
        }
        away
    }
}

fn fill(state: &mut State, slot: Slot, run: LeasedRun) -> bool {
    let Some(pool) = state.pools.get_mut(&slot.pool_id) else {
        return false;
    };
    if let Some(waiter) = pool.poll(slot.poll) {
        // A poll that is known listens: it takes itself away before it ends.
        return waiter.deliveries.send(Delivery::Run(Box::new(run))).is_ok();
    }
    let Some(later) = pool.waiter(slot.session_id) else {
        return false;
    };
    later.tell(Delivery::Again);
    true
}
