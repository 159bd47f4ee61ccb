//! What a lane does with a group: statements, answers, and the news that follow.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sqlx::{Connection, PgConnection, Postgres, pool::PoolConnection};
use tokio::sync::oneshot;

use super::Item;
use crate::{
    queue::{
        CommitOutcome, CommitStatus, Error, Event, LeasedRun, NewRun, Next, Result, RunCommit, RunEnd,
        Shared, Started, commit,
        dispatch::Slot,
        error::database,
        lease::read_inbox,
        start::{self, Stored},
    },
    store::journal::JournalRow,
};

/// A connection that was unused for longer is asked for a sign of life first: a start that fails half-way cannot be
/// repeated without risk, so it should not meet a connection that died long ago.
const TRUSTED_IDLE: Duration = Duration::from_secs(2);

struct StartItem {
    run: Box<NewRun>,
    slot: Option<Slot>,
    done: oneshot::Sender<Result<Started>>,
}

struct CommitItem {
    commit: Box<RunCommit>,
    done: oneshot::Sender<Result<CommitOutcome>>,
}

/// The hands of a lane.
pub(super) struct Writer {
    shared: Arc<Shared>,
    connection: Option<PoolConnection<Postgres>>,
    used_at: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            connection: None,
            used_at: Instant::now(),
        }
    }

    pub(super) async fn write(&mut self, group: Vec<Item>) {
        let (mut starts, mut commits) = (Vec::new(), Vec::new());
        for item in group {
            match item {
                Item::Start { run, done } => {
                    let slot = self.shared.dispatcher.reserve(run.pool_id);
                    starts.push(StartItem { run, slot, done });
                }
                Item::Commit { commit, done } => commits.push(CommitItem { commit, done }),
            }
        }
        // Commits first: the runners that they come from are about to ask for more.
        if !commits.is_empty() {
            self.commits(commits).await;
        }
        if !starts.is_empty() {
            self.starts(starts).await;
        }
    }

    async fn starts(&mut self, items: Vec<StartItem>) {
        let stored = self.store_starts(&items).await;
        self.settle(stored.as_ref().err());
        match stored {
            Ok(stored) => {
                for (item, stored) in items.into_iter().zip(stored) {
                    self.started(item, stored);
                }
            }
            // One bad item must not take the others with it.
            Err(error) if items.len() > 1 && !error.is_unavailable() => {
                for item in items {
                    let stored = self.store_starts(std::slice::from_ref(&item)).await;
                    self.settle(stored.as_ref().err());
                    match stored.map(|mut stored| stored.pop()) {
                        Ok(Some(stored)) => self.started(item, stored),
                        Ok(None) => self.not_started(item, Error::Stopping),
                        Err(error) => self.not_started(item, error),
                    }
                }
            }
            Err(error) => {
                for item in items {
                    self.not_started(item, error.clone());
                }
            }
        }
    }

    async fn store_starts(&mut self, items: &[StartItem]) -> Result<Vec<Stored>> {
        let connection = self.connection().await?;
        let mut stored = if let [item] = items {
            vec![start::one(connection, &item.run, session(item)).await?]
        } else {
            let runs: Vec<_> = items.iter().map(|item| (&*item.run, session(item))).collect();
            start::batch(connection, &runs).await?
        };
        for (stored, item) in stored.iter_mut().zip(items) {
            if matches!(stored, Stored::Duplicate(None)) {
                *stored = Stored::Duplicate(start::find(connection, &item.run).await?);
            }
        }
        Ok(stored)
    }

    fn started(&self, item: StartItem, stored: Stored) {
        let StartItem { run, slot, done } = item;
        let answer = match (stored, slot) {
            (Stored::Leased(at), Some(slot)) => {
                self.changed(&run);
                if !self.shared.dispatcher.deliver(slot, leased(&run, at)) {
                    self.shared.wake_elsewhere(slot.session_id);
                }
                Ok(Started::Leased)
            }
            (Stored::Leased(_) | Stored::Ready, _) => {
                self.changed(&run);
                self.shared.pool_ready(run.pool_id);
                Ok(Started::Ready)
            }
            (Stored::Duplicate(existing), slot) => {
                if let Some(slot) = slot {
                    self.shared.dispatcher.release(slot);
                }
                // The key's row went away between the two statements: its day was over.
                existing
                    .map(|(existing, same_body)| Started::Duplicate { existing, same_body })
                    .ok_or(Error::Overloaded)
            }
        };
        // Whoever asked may have gone; the run is stored all the same.
        let _ = done.send(answer);
    }

    fn not_started(&self, item: StartItem, error: Error) {
        if let Some(slot) = item.slot {
            // If the start did happen, the session finds it with its next lease.
            self.shared.dispatcher.release(slot);
            if error.is_unavailable() {
                self.shared.dispatcher.wake(slot.session_id);
            }
        }
        let _ = item.done.send(Err(error));
    }

    fn changed(&self, run: &NewRun) {
        let (tenant_id, run_id) = (run.tenant_id, run.run_id);
        self.shared.bus.publish(Event::RunChanged {
            tenant_id,
            run_id,
            seq: 1,
            finished: false,
        });
    }

    async fn commits(&mut self, items: Vec<CommitItem>) {
        let mut stored = self.store_commits(&items).await;
        if stored.as_ref().is_err_and(Error::is_unavailable) {
            // A commit may be repeated at will: the fence tells what became of the first attempt.
            self.settle(stored.as_ref().err());
            stored = self.store_commits(&items).await;
        }
        self.settle(stored.as_ref().err());
        match stored {
            Ok(stored) => {
                for (item, outcome) in items.into_iter().zip(stored) {
                    let _ = item.done.send(Ok(outcome));
                }
            }
            Err(error) if items.len() > 1 && !error.is_unavailable() => {
                for item in items {
                    let stored = self.store_commits(std::slice::from_ref(&item)).await;
                    self.settle(stored.as_ref().err());
                    let outcome = stored.and_then(|mut stored| stored.pop().ok_or(Error::Stopping));
                    let _ = item.done.send(outcome);
                }
            }
            Err(error) => {
                for item in items {
                    let _ = item.done.send(Err(error.clone()));
                }
            }
        }
    }

    async fn store_commits(&mut self, items: &[CommitItem]) -> Result<Vec<CommitOutcome>> {
        let shared = Arc::clone(&self.shared);
        let connection = self.connection().await?;
        let commits: Vec<&RunCommit> = items.iter().map(|item| &*item.commit).collect();
        let express = if let [only] = commits.as_slice() {
            commit::one(connection, only).await?
        } else {
            None
        };
        let stored = match express {
            Some(stored) => vec![stored],
            None => commit::batch(connection, &commits).await?,
        };
        let mut outcomes = Vec::with_capacity(stored.len());
        for (stored, commit) in stored.into_iter().zip(commits) {
            tell(&shared, commit, &stored);
            let unread = stored.status == CommitStatus::Ok
                && commit.next == Next::Continue
                && stored.inbox_seq > commit.inbox_seen;
            let inbox = if unread {
                read_inbox(connection, &[commit.tenant_id], &[commit.run_id]).await?
            } else {
                Vec::new()
            };
            let inbox = inbox.into_iter().map(|(_, message)| message).collect();
            outcomes.push(CommitOutcome {
                status: stored.status,
                inbox,
            });
        }
        Ok(outcomes)
    }

    async fn connection(&mut self) -> Result<&mut PgConnection> {
        if let Some(connection) = &mut self.connection
            && self.used_at.elapsed() > TRUSTED_IDLE
            && connection.ping().await.is_err()
        {
            self.drop_connection();
        }
        self.used_at = Instant::now();
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(self.shared.pools.engine.acquire().await.map_err(database)?)),
        }
    }

    /// After a failure nothing is known about the connection.
    fn settle(&mut self, error: Option<&Error>) {
        self.used_at = Instant::now();
        if error.is_some_and(Error::is_unavailable) {
            self.drop_connection();
        }
    }

    fn drop_connection(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
    }
}

/// The news that a commit makes.
fn tell(shared: &Shared, commit: &RunCommit, stored: &commit::Stored) {
    let finished = matches!(commit.next, Next::Finish { .. });
    // An end that an earlier attempt stored, whose answer was lost with its connection, is still news.
    if stored.status != CommitStatus::Ok && !(finished && stored.status == CommitStatus::Dup) {
        return;
    }
    if let (Next::Finish { outcome, error }, Some(finished_at)) = (&commit.next, stored.finished_at) {
        let end = || RunEnd {
            outcome: *outcome,
            error: error.clone(),
            finished_at,
            body: commit.body.clone(),
        };
        shared.bus.ends().ended(commit.tenant_id, commit.run_id, end);
    }
    shared.bus.publish(Event::RunChanged {
        tenant_id: commit.tenant_id,
        run_id: commit.run_id,
        seq: commit.seq + i32::from(commit.n),
        finished,
    });
    if let Some(pool_id) = stored.ready_in {
        shared.pool_ready(pool_id);
    }
    if let Next::Park {
        wake_at: Some(wake_at),
    } = commit.next
    {
        shared.sweeper.timer(wake_at);
    }
    if stored.mirrored {
        shared.bus.publish(Event::MirrorChanged);
    }
}

fn session(item: &StartItem) -> Option<uuid::Uuid> {
    item.slot.map(|slot| slot.session_id)
}

/// A run that went to a waiting runner in the commit that started it: its journal is known without reading it.
fn leased(run: &NewRun, at: Timestamp) -> LeasedRun {
    LeasedRun {
        tenant_id: run.tenant_id,
        run_id: run.run_id,
        epoch: 1,
        workflow: Arc::clone(&run.workflow),
        revision_id: run.revision_id,
        revision: Arc::clone(&run.revision),
        next_seq: 1,
        priority: run.priority,
        trigger_kind: run.trigger_kind,
        journal: vec![JournalRow {
            seq: 0,
            n: 1,
            epoch: 0,
            at,
            body: run.body.as_ref().to_owned(),
        }],
        inbox: Vec::new(),
    }
}
