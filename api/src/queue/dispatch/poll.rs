//! Polls: how the wait of a runner begins, what it may hear, how it ends.

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Dispatcher,
    pool::{Pool, Waiter},
};
use crate::queue::lease::{LeaseRequest, LeasedRun, RUNS};

/// Sessions whose pool is remembered. When full, all are forgotten, which costs each session one read.
const SESSIONS: usize = 65_536;

/// What a waiting poll gets.
#[derive(Debug)]
pub(in crate::queue) enum Delivery {
    /// A run.
    Run(Box<LeasedRun>),
    /// Ask again: something may have been given that did not arrive.
    Again,
    /// A run that the session holds has a message.
    Message,
    /// The session is over.
    Closed,
}

impl Dispatcher {
    /// The pool of a session that has waited here.
    pub(in crate::queue) fn pool_of(&self, session_id: Uuid, tenant_id: Uuid) -> Option<i32> {
        let known = self.state().sessions.get(&session_id).copied();
        known
            .filter(|(_, tenant)| *tenant == tenant_id)
            .map(|(pool_id, _)| pool_id)
    }

    /// Begins a poll. An earlier poll of the same session ends. Nothing is given to the new one before
    /// [`Waiting::open`].
    pub(in crate::queue) fn wait(&self, request: &LeaseRequest, pool_id: i32) -> Waiting<'_> {
        let (deliveries, inbox) = mpsc::unbounded_channel();
        let session_id = request.session_id;
        let mut state = self.state();
        state.polls += 1;
        let number = state.polls;
        if state.sessions.len() >= SESSIONS {
            state.sessions.clear();
        }
        state.sessions.insert(session_id, (pool_id, request.tenant_id));
        let pool = state
            .pools
            .entry(pool_id)
            .or_insert_with(|| Pool::new(request.tenant_id));
        if let Some(index) = pool
            .waiters
            .iter()
            .position(|waiter| waiter.session_id == session_id)
            && let Some(mut earlier) = pool.waiters.remove(index)
        {
            earlier.tell(Delivery::Again);
        }
        pool.waiters.push_back(Waiter {
            session_id,
            number,
            free: 0,
            deliveries,
        });
        drop(state);
        Waiting {
            dispatcher: self,
            pool_id,
            number,
            inbox,
        }
    }

    /// Ends the poll of a session, so that it asks again.
    pub(in crate::queue) fn wake(&self, session_id: Uuid) {
        self.tell(session_id, Delivery::Again);
    }

    /// A run of a session has a message: the poll takes it along. False if the session does not wait here; it is told by
    /// its next heartbeat.
    pub(in crate::queue) fn message(&self, session_id: Uuid) -> bool {
        self.tell(session_id, Delivery::Message)
    }

    /// A session is over.
    pub(in crate::queue) fn close(&self, tenant_id: Uuid, session_id: Uuid) {
        if self.pool_of(session_id, tenant_id).is_some() {
            self.expire(session_id);
        }
    }

    /// A session has expired, whoever's it is.
    pub(in crate::queue) fn expire(&self, session_id: Uuid) {
        self.tell(session_id, Delivery::Closed);
        self.state().sessions.remove(&session_id);
    }

    fn tell(&self, session_id: Uuid, delivery: Delivery) -> bool {
        let mut state = self.state();
        let Some((pool_id, _)) = state.sessions.get(&session_id).copied() else {
            return false;
        };
        let pool = state.pools.get_mut(&pool_id);
        let waiter = pool.and_then(|pool| pool.waiter(session_id));
        waiter.map(|waiter| waiter.tell(delivery)).is_some()
    }

    /// Takes a poll away. False if that had happened before: a newer one of its session has replaced it.
    fn end(&self, pool_id: i32, number: u64) -> bool {
        let mut state = self.state();
        let Some(pool) = state.pools.get_mut(&pool_id) else {
            return false;
        };
        let index = pool.waiters.iter().position(|waiter| waiter.number == number);
        index.and_then(|index| pool.waiters.remove(index)).is_some()
    }
}

/// A poll that is waiting. Dropped, it is forgotten; what was given to it and not taken is found by the next lease.
#[derive(Debug)]
pub(in crate::queue) struct Waiting<'a> {
    dispatcher: &'a Dispatcher,
    pool_id: i32,
    number: u64,
    inbox: mpsc::UnboundedReceiver<Delivery>,
}

impl Waiting<'_> {
    /// Offers the slots of the poll. What its session was given before has been looked for by now: were the slots open
    /// earlier, a run could come by both ways.
    pub(in crate::queue) fn open(&self, free: usize) {
        let mut state = self.dispatcher.state();
        // One that was told to end meanwhile is about to: its slots would lead nowhere.
        if !self.inbox.is_empty() {
            return;
        }
        let pool = state.pools.get_mut(&self.pool_id);
        if let Some(waiter) = pool.and_then(|pool| pool.poll(self.number)) {
            waiter.free = free.min(RUNS);
        }
        if state.consider(self.pool_id) {
            drop(state);
            self.dispatcher.wake.notify_one();
        }
    }

    /// The next delivery.
    pub(in crate::queue) async fn next(&mut self) -> Delivery {
        // The sender lives as long as the poll is known.
        self.inbox.recv().await.unwrap_or(Delivery::Again)
    }

    /// Ends the poll and returns the runs that it may hand out: those it has already, and what was given to it since.
    /// There are none if a newer poll of its session has replaced it: that one finds them all.
    pub(in crate::queue) fn finish(mut self, mut runs: Vec<LeasedRun>) -> Vec<LeasedRun> {
        if !self.dispatcher.end(self.pool_id, self.number) {
            return Vec::new();
        }
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
