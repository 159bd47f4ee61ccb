//! Sessions and leases: who holds what, and what happens when a runner is gone.

use std::time::Duration;

use sqlx::Executor;
use uuid::Uuid;

use super::{BRIEFLY, SOON, World, succeeded};
use crate::{
    queue::{CommitStatus, Error, Held, NewRun, Settings},
    store::runs::State,
};

/// Sessions end as soon as they have expired, and a test says when that is.
fn at_once() -> Settings {
    Settings {
        close_after: Duration::ZERO,
        ..Settings::default()
    }
}

impl World {
    /// As if the last heartbeat were long ago.
    async fn expire(&self, session_id: Uuid) {
        let statement =
            "UPDATE fp.runner_session SET expires_at = now() - interval '1 second' WHERE session_id = $1";
        let mut superuser = self.database.superuser().await;
        sqlx::query(statement)
            .bind(session_id)
            .execute(&mut superuser)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_lost_lease_answer_loses_nothing() {
    let world = World::new().await;
    let run_id = world.start().await;
    let session = world.session().await;
    let first = world.lease(session).await;
    // The runner does not know of it: it gets it again, under the same epoch.
    let again = world.lease(session).await;
    assert_eq!((again.run_id, again.epoch), (run_id, first.epoch));
    assert!(
        world
            .lease_with(session, &[run_id], BRIEFLY)
            .await
            .unwrap()
            .runs
            .is_empty(),
        "now it does"
    );
}

#[tokio::test]
async fn a_silent_runner_loses_its_runs_to_another_and_is_fenced() {
    let world = World::with(at_once()).await;
    let run_id = world.start().await;
    let silent = world.session().await;
    let old = world.lease(silent).await;
    world.expire(silent).await;
    let other = world.session().await;
    let new = world.lease(other).await;
    assert_eq!(
        (new.run_id, new.epoch),
        (run_id, old.epoch + 2),
        "one for the sweep, one for the lease"
    );
    assert_eq!(
        world.commit(world.commit_of(&old, 1, succeeded())).await,
        CommitStatus::Fenced
    );
    let beat = world.queue.heartbeat(world.tenant.tenant_id, silent, &[]).await;
    assert!(matches!(beat, Err(Error::SessionClosed { .. })), "{beat:?}");
    assert_eq!(world.get(run_id).await.run.crashes, 1);
    assert_eq!(
        world.commit(world.commit_of(&new, 1, succeeded())).await,
        CommitStatus::Ok
    );
}

#[tokio::test]
async fn a_heartbeat_renews_a_session_and_a_poll_ends_with_its_session() {
    let world = World::with(at_once()).await;
    let (renewed, silent) = (world.session().await, world.session().await);
    let mut superuser = world.database.superuser().await;
    let soon = "UPDATE fp.runner_session SET expires_at = now() + interval '500 milliseconds'";
    superuser.execute(soon).await.unwrap();
    world
        .queue
        .heartbeat(world.tenant.tenant_id, renewed, &[])
        .await
        .unwrap();
    let ended = world.lease_with(silent, &[], SOON).await;
    assert!(matches!(ended, Err(Error::SessionClosed { .. })), "{ended:?}");
    world
        .queue
        .heartbeat(world.tenant.tenant_id, renewed, &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn no_session_is_closed_while_the_database_has_not_answered_for_long() {
    let world = World::new().await;
    let session = world.session().await;
    world.expire(session).await;
    // Longer than the sweeper's tick.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    world
        .queue
        .heartbeat(world.tenant.tenant_id, session, &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_run_that_loses_its_runner_too_often_is_held() {
    let world = World::with(Settings {
        max_crashes: 1,
        ..at_once()
    })
    .await;
    let run_id = world.start().await;
    let session = world.session().await;
    world.lease(session).await;
    world.expire(session).await;
    world
        .until("SELECT count(*) FROM fp.run_live WHERE state = 'held'", 1)
        .await;
    let other = world.session().await;
    assert!(
        world
            .lease_with(other, &[], BRIEFLY)
            .await
            .unwrap()
            .runs
            .is_empty(),
        "nobody gets it any more"
    );
    assert_eq!(world.get(run_id).await.run.state, State::Held);
}

#[tokio::test]
async fn a_goodbye_gives_runs_back_at_once_and_counts_no_crash() {
    let world = World::new().await;
    let run_id = world.start().await;
    let leaving = world.session().await;
    world.lease(leaving).await;
    let other = world.session().await;
    let waiting = world.lease(other);
    let goodbye = world.queue.close_session(world.tenant.tenant_id, leaving);
    let (run, done) = tokio::join!(waiting, goodbye);
    done.unwrap();
    assert_eq!(run.run_id, run_id);
    assert_eq!(world.get(run_id).await.run.crashes, 0);
    let late = world.lease_with(leaving, &[], BRIEFLY).await;
    assert!(matches!(late, Err(Error::SessionClosed { .. })), "{late:?}");
}

#[tokio::test]
async fn a_heartbeat_names_what_is_lost_and_gives_back_what_is_unknown() {
    let world = World::with(Settings {
        give_back_after: Duration::ZERO,
        ..Settings::default()
    })
    .await;
    let run_id = world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    let tenant_id = world.tenant.tenant_id;
    let held = Held {
        run_id,
        epoch: run.epoch,
    };
    let fine = world.queue.heartbeat(tenant_id, session, &[held]).await.unwrap();
    assert!(fine.lost.is_empty() && fine.expires_at > fine.now);
    let wrong = Held {
        epoch: run.epoch - 1,
        ..held
    };
    assert_eq!(
        world
            .queue
            .heartbeat(tenant_id, session, &[wrong])
            .await
            .unwrap()
            .lost,
        [run_id]
    );
    world.queue.heartbeat(tenant_id, session, &[]).await.unwrap();
    let other = world.session().await;
    assert_eq!(world.lease(other).await.epoch, run.epoch + 2);
}

#[tokio::test]
async fn urgent_runs_go_first_and_equal_ones_by_age() {
    let world = World::new().await;
    let mut expected = Vec::new();
    for priority in [3, 2, 0, 2, 1] {
        let run = NewRun {
            priority,
            ..world.new_run()
        };
        expected.push((priority, run.run_id));
        world.queue.start_run(run).await.unwrap();
    }
    expected.sort_by_key(|(priority, _)| *priority);
    let session = world.session().await;
    let mut held = Vec::new();
    for (_, run_id) in expected {
        let mut asking = world.asking(session, &held, SOON);
        asking.free = 1;
        let lease = world
            .queue
            .lease(asking, &tokio_util::sync::CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(
            lease.runs.iter().map(|run| run.run_id).collect::<Vec<_>>(),
            [run_id]
        );
        held.push(run_id);
    }
}

#[tokio::test]
async fn runs_spread_over_the_runners_that_wait() {
    let world = World::new().await;
    let (first, second) = (world.session().await, world.session().await);
    let polls = [
        world.lease_with(first, &[], SOON),
        world.lease_with(second, &[], SOON),
    ];
    let starts = async {
        // Both must wait: the first alone would rightly get all.
        while world.queue.shared.dispatcher.open_polls(world.workflow.pool_id) < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for _ in 0..6 {
            world.queue.start_run(world.new_run()).await.unwrap();
        }
    };
    let (leases, ()) = tokio::join!(futures::future::join_all(polls), starts);
    for lease in leases {
        assert!(!lease.unwrap().runs.is_empty());
    }
}

#[tokio::test]
async fn a_run_started_on_one_replica_reaches_a_runner_that_waits_on_another() {
    // Without its fallback only the notification can wake the other replica.
    let world = World::with(Settings {
        fallback: Duration::from_hours(1),
        ..Settings::default()
    })
    .await;
    let replica = world.replica();
    let session = world.session().await;
    let none = tokio_util::sync::CancellationToken::new();
    let waiting = replica.lease(world.asking(session, &[], SOON), &none);
    let starting = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.start().await;
    };
    let (lease, ()) = tokio::join!(waiting, starting);
    assert_eq!(lease.unwrap().runs.len(), 1);
}

#[tokio::test]
async fn a_lost_notification_is_made_up_for_by_the_fallback() {
    let world = World::with(Settings {
        fallback: Duration::from_millis(300),
        ..Settings::default()
    })
    .await;
    let session = world.session().await;
    let run_id = world.start().await;
    world.lease(session).await;
    let held = [run_id];
    let waiting = world.lease_with(session, &held, SOON);
    let behind_our_back = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut superuser = world.database.superuser().await;
        sqlx::query(
            "INSERT INTO fp.run_live (tenant_id, run_id, workflow_id, revision_id, pool_id, state, ready_at, trigger_kind, actor) \
             SELECT tenant_id, gen_random_uuid(), workflow_id, revision_id, pool_id, 'ready', now() - interval '1 hour', 0, 'x' FROM fp.run_live",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
    };
    let (lease, ()) = tokio::join!(waiting, behind_our_back);
    assert_eq!(lease.unwrap().runs.len(), 1);
}

#[tokio::test]
async fn depths_count_what_waits_and_what_is_held() {
    let world = World::new().await;
    let depth = async || world.queue.pool_depths(None).await.unwrap().remove(0);
    let idle = depth().await;
    assert_eq!((idle.tenant.as_str(), idle.class.as_str()), ("acme", "default"));
    assert_eq!(
        (idle.ready, idle.leased, idle.sessions, idle.oldest_millis),
        (0, 0, 0, 0)
    );
    let mut news = world.queue.subscribe();
    world.start().await;
    world.start().await;
    let pool_id = world.workflow.pool_id;
    let heard = async { while news.recv().await.unwrap() != (crate::queue::Event::PoolReady { pool_id }) {} };
    tokio::time::timeout(SOON, heard)
        .await
        .expect("whoever scales runners is told");
    let waiting = depth().await;
    assert_eq!((waiting.ready, waiting.leased), (2, 0));
    let session = world.session().await;
    world.lease_with(session, &[], SOON).await.unwrap();
    let working = world.queue.pool_depths(Some(&[pool_id])).await.unwrap().remove(0);
    assert_eq!(
        (working.ready, working.leased, working.sessions, working.capacity),
        (0, 2, 1, 8)
    );
}
