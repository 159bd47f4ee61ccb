//! A writer lane: one connection that stores starts and commits in groups.
//!
//! A lane sends what arrived while the previous statement was under way. There is no timer: idle, an item waits for
//! nothing; busy, groups form by themselves and share the disk's one flush.

mod writer;

use std::{collections::HashSet, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use uuid::Uuid;

use super::{CommitOutcome, Error, NewRun, Result, RunCommit, Shared, Started};
use writer::Writer;

/// Items in one statement: beyond it latency grows and throughput falls.
const ITEMS: usize = 64;
/// Bytes of events in one statement.
const BYTES: usize = 1024 * 1024;
/// Items that may wait for a lane: about a second of work. More are refused, so that callers back off.
const WAITING: usize = 4_096;

/// What a lane stores.
pub(super) enum Item {
    Start {
        run: Box<NewRun>,
        done: oneshot::Sender<Result<Started>>,
    },
    Commit {
        commit: Box<RunCommit>,
        done: oneshot::Sender<Result<CommitOutcome>>,
    },
}

impl Item {
    fn run_id(&self) -> Uuid {
        match self {
            Self::Start { run, .. } => run.run_id,
            Self::Commit { commit, .. } => commit.run_id,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Start { run, .. } => run.body.len(),
            Self::Commit { commit, .. } => commit.body.len(),
        }
    }
}

/// The way into a lane.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    items: mpsc::Sender<Item>,
}

impl Lane {
    pub(super) fn send(&self, item: Item) -> Result<()> {
        self.items.try_send(item).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::Stopping,
        })
    }
}

/// Starts a lane.
pub(super) fn spawn(tasks: &mut JoinSet<()>, shared: &Arc<Shared>) -> Lane {
    let (items, inbox) = mpsc::channel(WAITING);
    tasks.spawn(run(Arc::clone(shared), inbox));
    Lane { items }
}

async fn run(shared: Arc<Shared>, mut inbox: mpsc::Receiver<Item>) {
    let mut writer = Writer::new(Arc::clone(&shared));
    let mut left = None;
    loop {
        let first = if left.is_some() {
            left.take()
        } else {
            tokio::select! {
                item = inbox.recv() => item,
                () = shared.stop.cancelled(), if !inbox.is_closed() => {
                    // What was accepted is still written; nothing more is accepted.
                    inbox.close();
                    continue;
                }
            }
        };
        let Some(first) = first else { return };
        let (group, next) = gather(first, &mut inbox);
        left = next;
        writer.write(group).await;
    }
}

/// The group that begins with an item, and the item that did not fit into it.
fn gather(first: Item, inbox: &mut mpsc::Receiver<Item>) -> (Vec<Item>, Option<Item>) {
    let mut bytes = first.bytes();
    let mut runs = HashSet::from([first.run_id()]);
    let mut group = vec![first];
    while group.len() < ITEMS {
        let Ok(item) = inbox.try_recv() else { break };
        bytes += item.bytes();
        // Two commits of one run in one statement would both be judged by the state before it.
        if bytes > BYTES || !runs.insert(item.run_id()) {
            return (group, Some(item));
        }
        group.push(item);
    }
    (group, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Next;

    fn commit(run_id: Uuid, bytes: usize) -> Item {
        let commit = RunCommit {
            tenant_id: Uuid::nil(),
            run_id,
            epoch: 1,
            seq: 1,
            n: 1,
            body: "x".repeat(bytes),
            inbox_seen: 0,
            next: Next::Continue,
        };
        Item::Commit {
            commit: Box::new(commit),
            done: oneshot::channel().0,
        }
    }

    #[test]
    fn a_group_holds_each_run_once_and_is_bounded_in_items_and_bytes() {
        let (sender, mut inbox) = mpsc::channel(200);
        let twice = Uuid::now_v7();
        sender.try_send(commit(Uuid::now_v7(), 1)).ok();
        sender.try_send(commit(twice, 1)).ok();
        sender.try_send(commit(Uuid::now_v7(), 1)).ok();
        let (group, left) = gather(commit(twice, 1), &mut inbox);
        assert_eq!((group.len(), left.map(|item| item.run_id())), (2, Some(twice)));

        for _ in 0..100 {
            sender.try_send(commit(Uuid::now_v7(), 1)).ok();
        }
        assert_eq!(gather(commit(Uuid::now_v7(), 1), &mut inbox).0.len(), ITEMS);

        sender.try_send(commit(Uuid::now_v7(), BYTES)).ok();
        let (group, left) = gather(commit(Uuid::now_v7(), 2 * BYTES), &mut inbox);
        assert_eq!(
            (group.len(), left.is_some()),
            (1, true),
            "a large item goes alone, and goes"
        );
    }
}
