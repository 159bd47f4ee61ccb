//! Who waits, and for what: the matching of ready runs with waiting runners, in memory.
//!
//! A pool is *empty* when its last claim found less than it asked for and nothing became ready since. Only then may a
//! start hand its run to a waiting runner directly: otherwise it would overtake.

pub(super) mod claim;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::lease::{LeaseRequest, LeasedRun, RUNS};

/// Levels of priority.
pub(super) const PRIORITIES: usize = 4;

/// Sessions whose pool is remembered. When full, all are forgotten, which costs each session one read.
const SESSIONS: usize = 65_536;

/// What a waiting poll gets.
#[derive(Debug)]
pub(super) enum Delivery {
    /// A run.
    Run(Box<LeasedRun>),
    /// Ask again: something may have been given that did not arrive.
    Again,
    /// The session is over.
    Closed,
}

/// A slot of a waiting runner, taken for a run that is about to be leased to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) pool_id: i32,
    pub(super) session_id: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    /// Never looked.
    Unknown,
    /// Nothing was left.
    Empty,
    /// A claim is under way.
    Claiming,
    /// Something may be ready.
    Ready,
}

#[derive(Debug)]
struct Waiter {
    session_id: Uuid,
    number: u64,
    free: usize,
    deliveries: mpsc::UnboundedSender<Delivery>,
}

#[derive(Debug)]
struct Pool {
    tenant_id: Uuid,
    readiness: Readiness,
    waiters: VecDeque<Waiter>,
    /// Per priority the newest `ready_at` claimed, in microseconds.
    marks: [Option<i64>; PRIORITIES],
    /// When a claim last looked from the beginning of time.
    full_at: Option<Instant>,
    queued: bool,
}

impl Pool {
    fn new(tenant_id: Uuid) -> Self {
        Self {
            tenant_id,
            readiness: Readiness::Unknown,
            waiters: VecDeque::new(),
            marks: [None; PRIORITIES],
            full_at: None,
            queued: false,
        }
    }

    fn has_room(&self) -> bool {
        self.waiters.iter().any(|waiter| waiter.free > 0)
    }

    fn waiter(&mut self, session_id: Uuid) -> Option<&mut Waiter> {
        self.waiters
            .iter_mut()
            .find(|waiter| waiter.session_id == session_id)
    }
}

#[derive(Debug, Default)]
struct State {
    pools: HashMap<i32, Pool>,
    /// Pools worth a claim.
    queue: VecDeque<i32>,
    /// Sessions that have waited here: pool and tenant.
    sessions: HashMap<Uuid, (i32, Uuid)>,
    polls: u64,
}

impl State {
    /// Puts a pool up for a claim if both sides may be there.
    fn consider(&mut self, pool_id: i32) -> bool {
        let Some(pool) = self.pools.get_mut(&pool_id) else {
            return false;
        };
        let due = matches!(pool.readiness, Readiness::Unknown | Readiness::Ready);
        if !due || pool.queued || !pool.has_room() {
            return false;
        }
        pool.queued = true;
        self.queue.push_back(pool_id);
        true
    }
}

/// One claim to be made.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) pool_id: i32,
    pub(super) tenant_id: Uuid,
    pub(super) marks: [Option<i64>; PRIORITIES],
    /// One entry per free slot, interleaved, so that few runs spread over many runners.
    pub(super) sessions: Vec<Uuid>,
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
        // Every change below is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pool of a session that has waited here.
    pub(super) fn pool_of(&self, session_id: Uuid, tenant_id: Uuid) -> Option<i32> {
        let known = self.state().sessions.get(&session_id).copied();
        known
            .filter(|(_, tenant)| *tenant == tenant_id)
            .map(|(pool_id, _)| pool_id)
    }

    /// Begins a poll. An earlier poll of the same session ends.
    pub(super) fn wait(&self, request: &LeaseRequest, pool_id: i32) -> Waiting<'_> {
        let (deliveries, inbox) = mpsc::unbounded_channel();
        let mut state = self.state();
        state.polls += 1;
        let number = state.polls;
        if state.sessions.len() >= SESSIONS {
            state.sessions.clear();
        }
        state
            .sessions
            .insert(request.session_id, (pool_id, request.tenant_id));
        let pool = state
            .pools
            .entry(pool_id)
            .or_insert_with(|| Pool::new(request.tenant_id));
        if let Some(index) = pool
            .waiters
            .iter()
            .position(|waiter| waiter.session_id == request.session_id)
            && let Some(earlier) = pool.waiters.remove(index)
        {
            // A poll that has ended by itself does not hear it.
            let _ = earlier.deliveries.send(Delivery::Again);
        }
        let session_id = request.session_id;
        pool.waiters.push_back(Waiter {
            session_id,
            number,
            free: request.free.min(RUNS),
            deliveries,
        });
        let claim = state.consider(pool_id);
        drop(state);
        if claim {
            self.wake.notify_one();
        }
        Waiting {
            dispatcher: self,
            pool_id,
            number,
            inbox,
        }
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

    /// A slot of a waiting runner for a run that is being started, if it would overtake nobody.
    pub(super) fn reserve(&self, pool_id: i32) -> Option<Slot> {
        let mut state = self.state();
        let pool = state.pools.get_mut(&pool_id)?;
        if pool.readiness != Readiness::Empty {
            return None;
        }
        let index = pool.waiters.iter().position(|waiter| waiter.free > 0)?;
        let mut waiter = pool.waiters.remove(index)?;
        waiter.free -= 1;
        let session_id = waiter.session_id;
        pool.waiters.push_back(waiter);
        Some(Slot { pool_id, session_id })
    }

    /// The run that a slot was taken for did not come.
    pub(super) fn release(&self, slot: Slot) {
        let mut state = self.state();
        if let Some(waiter) = state
            .pools
            .get_mut(&slot.pool_id)
            .and_then(|pool| pool.waiter(slot.session_id))
        {
            waiter.free += 1;
        }
        if state.consider(slot.pool_id) {
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Hands a leased run to the poll of its session. False if none waits here any more; the run is then found by the
    /// session's next lease.
    pub(super) fn deliver(&self, slot: Slot, run: LeasedRun) -> bool {
        let mut state = self.state();
        let waiter = state
            .pools
            .get_mut(&slot.pool_id)
            .and_then(|pool| pool.waiter(slot.session_id));
        waiter.is_some_and(|waiter| waiter.deliveries.send(Delivery::Run(Box::new(run))).is_ok())
    }

    /// Ends the poll of a session, so that it asks again.
    pub(super) fn wake(&self, session_id: Uuid) {
        self.tell(session_id, || Delivery::Again);
    }

    /// A session is over.
    pub(super) fn close(&self, tenant_id: Uuid, session_id: Uuid) {
        if self.pool_of(session_id, tenant_id).is_some() {
            self.expire(session_id);
        }
    }

    /// A session has expired, whoever's it is.
    pub(super) fn expire(&self, session_id: Uuid) {
        self.tell(session_id, || Delivery::Closed);
        self.state().sessions.remove(&session_id);
    }

    fn tell(&self, session_id: Uuid, delivery: impl Fn() -> Delivery) {
        let mut state = self.state();
        let Some((pool_id, _)) = state.sessions.get(&session_id).copied() else {
            return;
        };
        let Some(pool) = state.pools.get_mut(&pool_id) else {
            return;
        };
        if let Some(waiter) = pool.waiter(session_id) {
            waiter.free = 0;
            // A poll that has ended by itself does not hear it.
            let _ = waiter.deliveries.send(delivery());
        }
    }

    /// Puts up the pools that somebody waits on and that nobody looked at for a while, in case news were lost.
    fn fall_back(&self) {
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
    fn next_claim(&self) -> Option<Claim> {
        let mut state = self.state();
        loop {
            let pool_id = state.queue.pop_front()?;
            let Some(pool) = state.pools.get_mut(&pool_id) else {
                continue;
            };
            pool.queued = false;
            if !matches!(pool.readiness, Readiness::Unknown | Readiness::Ready) || !pool.has_room() {
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
                sessions: take_slots(pool),
            });
        }
    }

    /// Ends a claim: how many runs came, how new they were, and which slots stayed free.
    fn claimed(&self, claim: &Claim, ready_at: &[(usize, i64)], unused: &[Uuid]) {
        let mut state = self.state();
        let Some(pool) = state.pools.get_mut(&claim.pool_id) else {
            return;
        };
        for session_id in unused {
            if let Some(waiter) = pool.waiter(*session_id) {
                waiter.free += 1;
            }
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
            let all_taken = ready_at.len() == claim.sessions.len();
            pool.readiness = if all_taken {
                Readiness::Ready
            } else {
                Readiness::Empty
            };
        }
        state.consider(claim.pool_id);
    }

    /// A claim failed: whether it happened is not known, so the polls of its sessions begin again.
    fn claim_failed(&self, claim: &Claim) {
        let sessions: HashSet<Uuid> = claim.sessions.iter().copied().collect();
        if let Some(pool) = self.state().pools.get_mut(&claim.pool_id) {
            pool.readiness = Readiness::Ready;
        }
        for session_id in sessions {
            self.wake(session_id);
        }
    }

    /// Whether the last claim of a pool found nothing more.
    #[cfg(test)]
    pub(super) fn is_empty(&self, pool_id: i32) -> bool {
        self.state()
            .pools
            .get(&pool_id)
            .is_some_and(|pool| pool.readiness == Readiness::Empty)
    }

    fn end(&self, pool_id: i32, number: u64) {
        if let Some(pool) = self.state().pools.get_mut(&pool_id) {
            pool.waiters.retain(|waiter| waiter.number != number);
        }
    }
}

/// Takes free slots, one of each waiter in turn, as many as one answer may carry.
fn take_slots(pool: &mut Pool) -> Vec<Uuid> {
    let mut sessions = Vec::new();
    let mut found = true;
    while found {
        found = false;
        for waiter in pool.waiters.iter_mut().filter(|waiter| waiter.free > 0) {
            if sessions.len() == RUNS {
                return sessions;
            }
            waiter.free -= 1;
            sessions.push(waiter.session_id);
            found = true;
        }
    }
    sessions
}

/// A poll that is waiting. Dropped, it is forgotten; what was given to it and not taken is found by the next lease.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    dispatcher: &'a Dispatcher,
    pool_id: i32,
    number: u64,
    inbox: mpsc::UnboundedReceiver<Delivery>,
}

impl Waiting<'_> {
    /// The next delivery.
    pub(super) async fn next(&mut self) -> Delivery {
        // The sender lives as long as the poll is known.
        self.inbox.recv().await.unwrap_or(Delivery::Again)
    }

    /// Ends the poll and returns the runs that were given to it meanwhile.
    pub(super) fn finish(mut self) -> Vec<LeasedRun> {
        self.dispatcher.end(self.pool_id, self.number);
        let mut runs = Vec::new();
        while let Ok(delivery) = self.inbox.try_recv() {
            if let Delivery::Run(run) = delivery {
                runs.push(*run);
            }
        }
        runs
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.dispatcher.end(self.pool_id, self.number);
    }
}
