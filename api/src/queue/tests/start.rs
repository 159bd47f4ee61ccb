//! Starting once, and handing over directly.

use std::collections::HashSet;

use futures::future::join_all;
use uuid::Uuid;

use super::{SOON, World, scalar, succeeded};
use crate::queue::{CommitStatus, Dedupe, Error, NewRun, Started};

fn keyed(world: &World, key: Uuid, hash: &[u8]) -> NewRun {
    NewRun {
        dedupe: Some(Dedupe {
            scope: 1,
            key,
            body_hash: hash.to_vec(),
        }),
        ..world.new_run()
    }
}

#[tokio::test]
async fn two_hundred_starts_with_one_key_are_one_run() {
    let world = World::new().await;
    let replica = world.replica();
    let key = Uuid::now_v7();
    let starts = (0..200).map(|number| {
        let run = keyed(&world, key, b"body");
        let queue = if number % 2 == 0 { &world.queue } else { &replica };
        async move { (run.run_id, queue.start_run(run).await.unwrap()) }
    });
    let mut runs = HashSet::new();
    let mut made = 0;
    for (run_id, started) in join_all(starts).await {
        match started {
            Started::Duplicate { existing, same_body } => {
                assert!(same_body);
                runs.insert(existing);
            }
            Started::Ready | Started::Leased => {
                made += 1;
                runs.insert(run_id);
            }
        }
    }
    assert_eq!((made, runs.len()), (1, 1));
    let mut superuser = world.database.superuser().await;
    assert_eq!(
        scalar(&mut superuser, "SELECT count(*) FROM fp.run_live").await,
        1
    );
    assert_eq!(
        scalar(&mut superuser, "SELECT count(*) FROM fp.run_journal").await,
        1
    );
}

#[tokio::test]
async fn the_same_key_with_another_body_is_noticed() {
    let world = World::new().await;
    let key = Uuid::now_v7();
    let first = keyed(&world, key, b"one");
    let existing = first.run_id;
    assert_eq!(world.queue.start_run(first).await.unwrap(), Started::Ready);
    let other = world.queue.start_run(keyed(&world, key, b"two")).await.unwrap();
    assert_eq!(
        other,
        Started::Duplicate {
            existing,
            same_body: false
        }
    );
    let scoped = NewRun {
        dedupe: Some(Dedupe {
            scope: 4,
            key,
            body_hash: b"one".to_vec(),
        }),
        ..world.new_run()
    };
    assert_eq!(
        world.queue.start_run(scoped).await.unwrap(),
        Started::Ready,
        "scopes do not meet"
    );
}

#[tokio::test]
async fn a_waiting_runner_gets_the_run_in_the_commit_that_starts_it() {
    let world = World::new().await;
    let session = world.session().await;
    let waiting = world.lease_with(session, &[], SOON);
    let run = world.new_run();
    let run_id = run.run_id;
    let starting = async {
        world.claimed_nothing().await;
        world.queue.start_run(run).await.unwrap()
    };
    let (lease, started) = tokio::join!(waiting, starting);
    assert_eq!(started, Started::Leased);
    let run = lease.unwrap().runs.remove(0);
    assert_eq!(
        (run.run_id, run.epoch, run.next_seq, run.journal.len()),
        (run_id, 1, 1, 1)
    );
    assert_eq!(
        world.commit(world.commit_of(&run, 1, succeeded())).await,
        CommitStatus::Ok
    );
}

#[tokio::test]
async fn a_start_never_overtakes_what_waits_already() {
    let world = World::new().await;
    let first = world.start().await;
    let session = world.session().await;
    let mut asking = world.asking(session, &[], SOON);
    asking.free = 1;
    let none = tokio_util::sync::CancellationToken::new();
    let waiting = world.queue.lease(asking, &none);
    let (lease, second) = tokio::join!(waiting, world.queue.start_run(world.new_run()));
    assert_eq!(second.unwrap(), Started::Ready);
    assert_eq!(lease.unwrap().runs[0].run_id, first);
}

impl World {
    /// Waits until a poll has claimed and found nothing.
    async fn claimed_nothing(&self) {
        while !self.queue.shared.dispatcher.is_empty(self.workflow.pool_id) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn one_bad_start_does_not_take_the_others_with_it() {
    let world = World::new().await;
    let starts = (0..20).map(|number| {
        let mut run = world.new_run();
        if number == 7 {
            run.actor = "nul\0byte".to_owned();
        }
        world.queue.start_run(run)
    });
    let results = join_all(starts).await;
    let bad: Vec<usize> = results
        .iter()
        .enumerate()
        .filter(|(_, result)| result.is_err())
        .map(|(i, _)| i)
        .collect();
    assert_eq!(bad, [7]);
    assert!(
        matches!(&results[7], Err(error) if !error.is_unavailable()),
        "{:?}",
        results[7]
    );
}

#[tokio::test]
async fn a_stopped_queue_has_written_what_it_accepted_and_accepts_no_more() {
    let world = World::new().await;
    let starts: Vec<_> = (0..50).map(|_| world.new_run()).collect();
    let accepted = starts.into_iter().map(|run| world.queue.start_run(run));
    let (results, ()) = tokio::join!(join_all(accepted), async {
        tokio::task::yield_now().await;
        world.queue.shutdown().await;
    });
    let stored = results.iter().filter(|result| result.is_ok()).count();
    let mut superuser = world.database.superuser().await;
    let rows = scalar(&mut superuser, "SELECT count(*) FROM fp.run_live").await;
    assert_eq!(
        rows,
        i64::try_from(stored).unwrap(),
        "answered and stored are the same"
    );
    let late = world.queue.start_run(world.new_run()).await;
    assert!(matches!(late, Err(Error::Stopping)), "{late:?}");
}
