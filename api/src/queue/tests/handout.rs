//! A run goes out exactly once per lease, however polls and starts interleave.

use std::{collections::HashSet, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{BRIEFLY, SOON, World, succeeded};
use crate::queue::{
    CommitStatus, NewRun,
    dispatch::Slot,
    start::{self, Stored},
};

/// Starts of the stress test.
const STARTS: usize = 400;

impl World {
    /// Takes a slot as a start does, as soon as somebody waits.
    async fn slot(&self) -> Slot {
        loop {
            if let Some(slot) = self.queue.shared.dispatcher.reserve(self.workflow.pool_id) {
                return slot;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A poll ends while a start has taken a slot of it.
    async fn slot_of_an_ended_poll(&self, session_id: Uuid) -> Slot {
        let ending = CancellationToken::new();
        let poll = self.queue.lease(self.asking(session_id, &[], SOON), &ending);
        let taking = async {
            let slot = self.slot().await;
            ending.cancel();
            slot
        };
        let (lease, slot) = tokio::join!(poll, taking);
        assert!(lease.unwrap().runs.is_empty());
        slot
    }

    /// The statement of a start that has taken a slot; the run is not handed over yet.
    async fn store(&self, run: &NewRun, slot: Slot) {
        let mut connection = self.pools.engine.acquire().await.unwrap();
        let stored = start::one(&mut connection, run, Some(slot.session_id))
            .await
            .unwrap();
        assert!(matches!(stored, Stored::Leased(_)));
    }
}

#[tokio::test]
async fn a_run_that_the_next_poll_found_by_itself_is_not_delivered_to_the_one_after() {
    let world = World::new().await;
    let session = world.session().await;
    let slot = world.slot_of_an_ended_poll(session).await;
    let run = world.new_run();
    world.store(&run, slot).await;
    let found = world.lease(session).await;
    assert_eq!(found.run_id, run.run_id);
    assert_eq!(
        world.commit(world.commit_of(&found, 1, succeeded())).await,
        CommitStatus::Ok
    );
    let delivering = async {
        let other = world.slot().await;
        world.queue.shared.dispatcher.release(other);
        world.queue.shared.dispatcher.deliver(slot, found.clone());
    };
    let (lease, ()) = tokio::join!(world.lease_with(session, &[], SOON), delivering);
    assert!(lease.unwrap().runs.is_empty(), "it was handed out, and has ended");
}

#[tokio::test]
async fn a_poll_that_waits_while_an_earlier_one_was_given_a_run_is_told_to_look() {
    let world = World::new().await;
    let session = world.session().await;
    let slot = world.slot_of_an_ended_poll(session).await;
    let run = world.new_run();
    let delivering = async {
        // The next poll has looked and found nothing before the start is stored.
        let other = world.slot().await;
        world.queue.shared.dispatcher.release(other);
        world.store(&run, slot).await;
        let leased = crate::queue::LeasedRun {
            tenant_id: run.tenant_id,
            run_id: run.run_id,
            epoch: 1,
            workflow: run.workflow.clone(),
            revision_id: run.revision_id,
            revision: run.revision.clone(),
            next_seq: 1,
            priority: run.priority,
            trigger_kind: run.trigger_kind,
            journal: Vec::new(),
            inbox: Vec::new(),
        };
        world.queue.shared.dispatcher.deliver(slot, leased);
        tokio::time::Instant::now()
    };
    let (lease, delivered_at) = tokio::join!(world.lease_with(session, &[], SOON), delivering);
    assert!(lease.unwrap().runs.is_empty());
    assert!(delivered_at.elapsed() < SOON / 2, "it did not wait to its end");
    let found = world.lease(session).await;
    assert_eq!(
        (found.run_id, found.journal.len()),
        (run.run_id, 1),
        "as the database has it"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_starts_and_many_small_polls_hand_out_every_run_once() {
    let world = World::new().await;
    let session = world.session().await;
    let mut starts = JoinSet::new();
    for number in 0..STARTS {
        let (queue, run) = (world.queue.clone(), world.new_run());
        starts.spawn(async move {
            // Some come in groups, some while a poll waits for nothing else.
            tokio::time::sleep(Duration::from_millis(u64::try_from(number / 4).unwrap() * 5)).await;
            queue.start_run(run).await.unwrap();
        });
    }
    let (mut seen, mut held) = (HashSet::new(), HashSet::new());
    let mut commits = JoinSet::new();
    let none = CancellationToken::new();
    while seen.len() < STARTS {
        let known: Vec<Uuid> = held.iter().copied().collect();
        let mut asking = world.asking(session, &known, SOON);
        asking.free = 2;
        let lease = world.queue.lease(asking, &none).await.unwrap();
        for run in lease.runs {
            assert!(seen.insert(run.run_id), "{} came twice", run.run_id);
            held.insert(run.run_id);
            let (queue, commit) = (world.queue.clone(), world.commit_of(&run, 1, succeeded()));
            commits.spawn(async move { (run.run_id, queue.commit(vec![commit]).await.remove(0)) });
        }
        // As runners do: they hold a run until they know that its end is stored, and ask for more meanwhile.
        while let Some(committed) = commits.try_join_next() {
            let (run_id, outcome) = committed.unwrap();
            assert_eq!(outcome.unwrap().status, CommitStatus::Ok);
            held.remove(&run_id);
        }
    }
    for (_, outcome) in commits.join_all().await {
        assert_eq!(outcome.unwrap().status, CommitStatus::Ok);
    }
    starts.join_all().await;
    let late = world.lease_with(session, &[], BRIEFLY).await.unwrap();
    assert!(late.runs.is_empty(), "nothing comes after everything");
}
