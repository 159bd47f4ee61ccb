//! Ending runs on request, and messages on their way.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{BRIEFLY, SOON, World, scalar, succeeded};
use crate::{
    queue::{Cancelled, CommitStatus, Dedupe, Held, NewRun, Next, RunCommit},
    store::{TenantTx, journal, runs::State},
};

impl World {
    async fn cancel(&self, run_id: Uuid) -> Cancelled {
        self.queue
            .cancel(self.tenant.tenant_id, run_id, "ada", Timestamp::now())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_run_that_no_runner_touched_ends_at_once() {
    let world = World::new().await;
    let run_id = world.start().await;
    assert_eq!(world.cancel(run_id).await, Cancelled::Now);
    assert_eq!(world.cancel(run_id).await, Cancelled::AlreadyFinished);
    assert_eq!(world.cancel(Uuid::now_v7()).await, Cancelled::NotFound);
    let detail = world.get(run_id).await;
    assert_eq!((detail.run.state, detail.run.next_seq), (State::Cancelled, 3));
    let mut tx = TenantTx::begin(&world.pools.app, world.tenant.tenant_id)
        .await
        .unwrap();
    let last = journal::read(&mut tx, run_id, 0, 10).await.unwrap().remove(0);
    let events: Vec<flowpilot_engine::journal::Event> = serde_json::from_str(&last.body).unwrap();
    assert_eq!((last.seq, last.n, events.len()), (1, 2, 2));
}

#[tokio::test]
async fn a_neighbour_cannot_cancel_and_does_not_learn_that_the_run_exists() {
    let world = World::new().await;
    let neighbour = world.another_tenant("globex").await;
    let run_id = world.start().await;
    let theirs = world
        .queue
        .cancel(neighbour.tenant_id, run_id, "eve", Timestamp::now())
        .await
        .unwrap();
    assert_eq!(theirs, Cancelled::NotFound);
    assert_eq!(world.get(run_id).await.run.state, State::Queued);
}

#[tokio::test]
async fn a_running_run_is_told_once_by_heartbeat_and_by_commit() {
    let world = World::new().await;
    let run_id = world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    assert_eq!(world.cancel(run_id).await, Cancelled::Requested);
    assert_eq!(world.cancel(run_id).await, Cancelled::Requested);
    let held = [Held {
        run_id,
        epoch: run.epoch,
    }];
    let beat = world
        .queue
        .heartbeat(world.tenant.tenant_id, session, &held)
        .await
        .unwrap();
    assert_eq!(beat.inbox.len(), 1, "asking twice is one message");
    assert_eq!((beat.inbox[0].0, beat.inbox[0].1.seq), (run_id, 1));
    let body: flowpilot_engine::protocol::runner::InboxBody =
        serde_json::from_str(&beat.inbox[0].1.body).unwrap();
    let flowpilot_engine::protocol::runner::InboxBody::CancelRequested { by } = body;
    assert_eq!(by, "ada");
    let outcome = world
        .queue
        .commit(vec![world.commit_of(&run, 1, Next::Continue)])
        .await
        .remove(0)
        .unwrap();
    assert_eq!((outcome.status, outcome.inbox.len()), (CommitStatus::Ok, 1));
    let seen = RunCommit {
        inbox_seen: 1,
        ..world.commit_of(&run, 2, Next::Continue)
    };
    let outcome = world.queue.commit(vec![seen]).await.remove(0).unwrap();
    assert_eq!((outcome.status, outcome.inbox.len()), (CommitStatus::Ok, 0));
    assert_eq!(
        world.commit(world.commit_of(&run, 3, succeeded())).await,
        CommitStatus::Ok
    );
    let mut superuser = world.database.superuser().await;
    assert_eq!(
        scalar(&mut superuser, "SELECT count(*) FROM fp.run_inbox").await,
        0
    );
}

#[tokio::test]
async fn a_cancel_ends_the_poll_of_the_runner_that_holds_the_run_on_any_replica() {
    let world = World::new().await;
    let session = world.session().await;
    let other = world.replica();
    for queue in [&world.queue, &other] {
        let run_id = world.start().await;
        let run = world.lease(session).await;
        let never = CancellationToken::new();
        let polling = queue.lease(world.asking(session, &[run_id], SOON), &never);
        let cancelling = async {
            // The poll has to be known before it can be told.
            while !queue.shared.dispatcher.waits(session) {
                tokio::time::sleep(BRIEFLY / 10).await;
            }
            world.cancel(run_id).await
        };
        let (lease, cancelled) = tokio::join!(polling, cancelling);
        assert_eq!(cancelled, Cancelled::Requested);
        let lease = lease.unwrap();
        let told: Vec<_> = lease
            .inbox
            .iter()
            .map(|(run, message)| (*run, message.seq))
            .collect();
        assert_eq!((lease.runs.len(), told), (0, vec![(run_id, 1)]));
        let seen = RunCommit {
            inbox_seen: 1,
            ..world.commit_of(&run, 1, succeeded())
        };
        assert_eq!(world.commit(seen).await, CommitStatus::Ok);
    }
}

#[tokio::test]
async fn a_message_wakes_a_parked_run_and_a_park_does_not_miss_one() {
    let world = World::new().await;
    let run_id = world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    let park = Next::Park { wake_at: None };
    assert_eq!(
        world.commit(world.commit_of(&run, 1, park.clone())).await,
        CommitStatus::Ok
    );
    assert_eq!(world.cancel(run_id).await, Cancelled::Requested);
    let woken = world.lease(session).await;
    assert_eq!((woken.run_id, woken.inbox.len()), (run_id, 1));
    // It parks without having seen the message: it must not sleep on it.
    assert_eq!(
        world.commit(world.commit_of(&woken, 2, park.clone())).await,
        CommitStatus::Ok
    );
    let again = world.lease(session).await;
    let seen = RunCommit {
        inbox_seen: 1,
        ..world.commit_of(&again, 3, park)
    };
    assert_eq!(world.commit(seen).await, CommitStatus::Ok);
    assert_eq!(world.get(run_id).await.run.state, State::Waiting);
}

#[tokio::test]
async fn the_mirror_tells_begin_and_end_of_resource_runs_once_and_in_order() {
    let world = World::new().await;
    let mut uids = Vec::new();
    for _ in 0..3 {
        let uid = Uuid::now_v7();
        let run = NewRun {
            trigger_kind: 5,
            trigger_id: Some(uid.to_string()),
            dedupe: Some(Dedupe {
                scope: 4,
                key: uid,
                body_hash: Vec::new(),
            }),
            ..world.new_run()
        };
        uids.push((uid.to_string(), run.run_id));
        world.queue.start_run(run).await.unwrap();
    }
    world.finished_run_of_nobody().await;
    let (entries, next) = world.queue.mirror_after(0, 100).await.unwrap();
    let told: Vec<(State, Option<String>)> = entries
        .into_iter()
        .map(|entry| (entry.run.run.state, entry.run.run.trigger_id))
        .collect();
    assert_eq!(told.len(), 3, "each run once: {told:?}");
    assert!(
        uids.iter()
            .all(|(uid, _)| told.contains(&(State::Running, Some(uid.clone()))))
    );
    assert!(world.queue.mirror_after(next, 100).await.unwrap().0.is_empty());

    assert_eq!(world.cancel(uids[0].1).await, Cancelled::Requested);
    world.finish_all().await;
    let (entries, after) = world.queue.mirror_after(next, 2).await.unwrap();
    assert_eq!(entries.len(), 2);
    let (rest, _) = world.queue.mirror_after(after, 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert!(
        entries
            .iter()
            .chain(&rest)
            .all(|entry| entry.run.run.state == State::Succeeded)
    );
}

impl World {
    /// A run that no object asked for, and with it everything that was ready is leased.
    async fn finished_run_of_nobody(&self) {
        let session = self.session().await;
        let lease = self.lease_with(session, &[], super::SOON).await.unwrap();
        assert_eq!(lease.runs.len(), 3);
        let run_id = self.start().await;
        let held: Vec<Uuid> = lease.runs.iter().map(|run| run.run_id).collect();
        let run = self
            .lease_with(session, &held, super::SOON)
            .await
            .unwrap()
            .runs
            .remove(0);
        assert_eq!(run.run_id, run_id);
        assert_eq!(
            self.commit(self.commit_of(&run, 1, succeeded())).await,
            CommitStatus::Ok
        );
    }

    async fn finish_all(&self) {
        let mut superuser = self.database.superuser().await;
        let leased: Vec<(Uuid, i32)> = sqlx::query_as("SELECT run_id, epoch FROM fp.run_live")
            .fetch_all(&mut superuser)
            .await
            .unwrap();
        for (run_id, epoch) in leased {
            let commit = RunCommit {
                tenant_id: self.tenant.tenant_id,
                run_id,
                epoch,
                seq: 1,
                n: 1,
                body: "[{}]".to_owned(),
                inbox_seen: 0,
                next: succeeded(),
            };
            assert_eq!(self.commit(commit).await, CommitStatus::Ok);
        }
    }
}
