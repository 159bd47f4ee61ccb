//! Rounds of claiming: whose turn it is, with which slots, and what a claim tells about its pool.

use std::{collections::HashSet, time::Instant};

use uuid::Uuid;

use super::{
    Dispatcher, Slot,
    pool::{PRIORITIES, Readiness},
};

/// One claim to be made.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) pool_id: i32,
    pub(super) tenant_id: Uuid,
    pub(super) marks: [Option<i64>; PRIORITIES],
    /// Interleaved, so that few runs spread over many runners.
    pub(super) slots: Vec<Slot>,
}

impl Dispatcher {
    /// Puts up the pools that somebody waits on and that nobody looked at for a while, in case news were lost.
    pub(super) fn fall_back(&self) {
        let mut state = self.state();
        let waited: HashSet<i32> = state
            .pools
            .iter()
            .filter(|(_, pool)| pool.readiness == Readiness::Empty && pool.has_room())
            .filter(|(_, pool)| pool.full_at.is_none_or(|at| at.elapsed() >= self.fallback))
            .map(|(pool_id, _)| *pool_id)
            .collect();
        for pool_id in waited {
            if let Some(pool) = state.pools.get_mut(&pool_id) {
                pool.readiness = Readiness::Ready;
            }
            state.consider(pool_id);
        }
    }

    /// The next claim to make. Its slots are taken; [`Self::claimed`] returns what was not used.
    pub(super) fn next_claim(&self) -> Option<Claim> {
        let mut state = self.state();
        loop {
            let pool_id = state.queue.pop_front()?;
            let Some(pool) = state.pools.get_mut(&pool_id) else {
                continue;
            };
            pool.queued = false;
            if !pool.is_due() {
                continue;
            }
            pool.readiness = Readiness::Claiming;
            let full = pool.full_at.is_none_or(|at| at.elapsed() >= self.fallback);
            if full {
                pool.full_at = Some(Instant::now());
                pool.marks = [None; PRIORITIES];
            }
            return Some(Claim {
                pool_id,
                tenant_id: pool.tenant_id,
                marks: pool.marks,
                slots: pool.take_slots(pool_id),
            });
        }
    }

    /// Ends a claim: how many runs came, how new they were, and which slots stayed free.
    pub(super) fn claimed(&self, claim: &Claim, ready_at: &[(usize, i64)], unused: &[Slot]) {
        let mut state = self.state();
        let Some(pool) = state.pools.get_mut(&claim.pool_id) else {
            return;
        };
        for slot in unused {
            pool.give_back(*slot);
        }
        for (priority, micros) in ready_at {
            if let Some(mark) = pool.marks.get_mut(*priority) {
                // A second less than the newest: clocks of transactions that overlap are that far apart at most, and
                // what is further back is picked up by the next look from the beginning.
                *mark = (*mark).max(Some(micros - 1_000_000));
            }
        }
        // Whatever became ready during the claim has set Ready again.
        if pool.readiness == Readiness::Claiming {
            let all_taken = ready_at.len() == claim.slots.len();
            pool.readiness = if all_taken {
                Readiness::Ready
            } else {
                Readiness::Empty
            };
        }
        state.consider(claim.pool_id);
    }

    /// A claim failed: whether it happened is not known, so the polls of its sessions begin again.
    pub(super) fn claim_failed(&self, claim: &Claim) {
        let sessions: HashSet<Uuid> = claim.slots.iter().map(|slot| slot.session_id).collect();
        if let Some(pool) = self.state().pools.get_mut(&claim.pool_id) {
            pool.readiness = Readiness::Ready;
        }
        for session_id in sessions {
            self.wake(session_id);
        }
    }
}
