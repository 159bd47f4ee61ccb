//! A run from its start to its row in the history.

use flowpilot_engine::journal::RunOutcome;
use jiff::{SignedDuration, Timestamp};

use super::{BRIEFLY, World, succeeded};
use crate::{
    queue::{CommitStatus, Event, Next, RunCommit, sweep},
    store::{
        TenantTx, journal,
        runs::{self, RunError, State},
    },
};

#[tokio::test]
async fn a_run_is_started_claimed_continued_and_finished() {
    let world = World::new().await;
    let run_id = world.start().await;
    assert_eq!(world.get(run_id).await.run.state, State::Queued);

    let session = world.session().await;
    let run = world.lease(session).await;
    assert_eq!((run.run_id, run.epoch, run.next_seq), (run_id, 1, 1));
    assert_eq!(
        (&*run.workflow, &*run.revision),
        ("refund", world.workflow.digest.as_str())
    );
    assert_eq!(run.journal.len(), 1);
    assert_eq!(
        run.journal[0].body,
        r#"[{"type":"RunStarted","inputs":{"order":7}}]"#
    );
    assert_eq!(world.get(run_id).await.run.state, State::Running);

    assert_eq!(
        world.commit(world.commit_of(&run, 1, Next::Continue)).await,
        CommitStatus::Ok
    );
    let body = r#"[{"type":"RunFinished","outputs":{"total":12.50}}]"#.to_owned();
    let last = RunCommit {
        body,
        ..world.commit_of(&run, 2, succeeded())
    };
    assert_eq!(world.commit(last).await, CommitStatus::Ok);

    let detail = world.get(run_id).await;
    assert_eq!(detail.run.state, State::Succeeded);
    assert_eq!((detail.run.next_seq, detail.run.actor.as_str()), (3, "ada"));
    assert!(detail.run.started_at.is_some() && detail.run.finished_at.is_some());
    assert_eq!(
        detail.outputs.unwrap().get(),
        r#"{"total":12.50}"#,
        "byte for byte"
    );

    let mut tx = TenantTx::begin(&world.pools.app, world.tenant.tenant_id)
        .await
        .unwrap();
    let all = journal::read(&mut tx, run_id, -1, 100).await.unwrap();
    assert_eq!(
        all.iter()
            .map(|row| (row.seq, row.n, row.epoch))
            .collect::<Vec<_>>(),
        [(0, 1, 0), (1, 1, 1), (2, 1, 1)]
    );
    let after = journal::read(&mut tx, run_id, 1, 100).await.unwrap();
    assert_eq!(after.iter().map(|row| row.seq).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn a_failed_run_says_why() {
    let world = World::new().await;
    let run_id = world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    let error = RunError {
        code: "Timeout".to_owned(),
        step: Some("call".to_owned()),
        message: Some("no answer in 30 s".to_owned()),
    };
    let next = Next::Finish {
        outcome: RunOutcome::Failed,
        error: Some(error.clone()),
    };
    assert_eq!(
        world.commit(world.commit_of(&run, 1, next)).await,
        CommitStatus::Ok
    );
    let detail = world.get(run_id).await;
    assert_eq!((detail.run.state, detail.run.error), (State::Failed, Some(error)));
}

#[tokio::test]
async fn a_parked_run_holds_no_runner_and_its_timer_wakes_it() {
    let world = World::new().await;
    let run_id = world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    let wake_at = Timestamp::now() + SignedDuration::from_millis(400);
    let park = Next::Park {
        wake_at: Some(wake_at),
    };
    assert_eq!(
        world.commit(world.commit_of(&run, 1, park)).await,
        CommitStatus::Ok
    );
    let waiting = world.get(run_id).await.run;
    assert_eq!(waiting.state, State::Waiting);
    assert!(
        world
            .lease_with(session, &[], BRIEFLY)
            .await
            .unwrap()
            .runs
            .is_empty()
    );
    let again = world.lease(session).await;
    assert_eq!((again.run_id, again.epoch, again.next_seq), (run_id, 2, 2));
    assert!(Timestamp::now() >= wake_at);
}

#[tokio::test]
async fn a_run_that_parks_for_a_time_that_has_passed_is_ready_at_once() {
    let world = World::new().await;
    world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    let park = Next::Park {
        wake_at: Some(Timestamp::UNIX_EPOCH),
    };
    assert_eq!(
        world.commit(world.commit_of(&run, 1, park)).await,
        CommitStatus::Ok
    );
    assert_eq!(world.lease(session).await.epoch, 2);
}

#[tokio::test]
async fn a_run_that_yields_is_taken_again() {
    let world = World::new().await;
    world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    assert_eq!(
        world.commit(world.commit_of(&run, 1, Next::Yield)).await,
        CommitStatus::Ok
    );
    let again = world.lease(session).await;
    assert_eq!((again.epoch, again.journal.len()), (2, 2));
}

#[tokio::test]
async fn pages_walk_all_runs_once_newest_first() {
    let world = World::new().await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(world.finished_run().await);
        expected.push(world.start().await);
        let session = world.session().await;
        let run = world.lease(session).await;
        let park = world.commit_of(&run, 1, Next::Park { wake_at: None });
        assert_eq!(world.commit(park).await, CommitStatus::Ok);
    }
    expected.reverse();
    let list = async |filter: runs::Filter, limit| {
        let mut tx = TenantTx::begin(&world.pools.app, world.tenant.tenant_id)
            .await
            .unwrap();
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = runs::list(&mut tx, &filter, before, limit).await.unwrap();
            assert!(page.runs.len() <= limit);
            found.extend(page.runs.into_iter().map(|run| run.run_id));
            before = page.next;
            if before.is_none() {
                return found;
            }
        }
    };
    for limit in [1, 3, 10, 50] {
        assert_eq!(
            list(runs::Filter::default(), limit).await,
            expected,
            "pages of {limit}"
        );
    }
    let waiting = runs::Filter {
        states: vec![State::Waiting],
        ..runs::Filter::default()
    };
    assert_eq!(
        list(waiting, 2).await,
        expected.iter().step_by(2).copied().collect::<Vec<_>>()
    );
    let done = runs::Filter {
        states: vec![State::Succeeded, State::Failed],
        workflow_id: Some(world.workflow.workflow_id),
        ..runs::Filter::default()
    };
    assert_eq!(
        list(done, 2).await,
        expected.iter().skip(1).step_by(2).copied().collect::<Vec<_>>()
    );
    let elsewhere = runs::Filter {
        workflow_id: Some(uuid::Uuid::nil()),
        ..runs::Filter::default()
    };
    assert!(list(elsewhere, 10).await.is_empty());
    let failed = runs::Filter {
        states: vec![State::Failed],
        ..runs::Filter::default()
    };
    assert!(list(failed, 10).await.is_empty());
    let later = runs::Filter {
        since: Some(Timestamp::now() + SignedDuration::from_secs(5)),
        ..runs::Filter::default()
    };
    assert!(list(later, 10).await.is_empty());
    let earlier = runs::Filter {
        until: Some(runs::created_at(expected[4])),
        ..runs::Filter::default()
    };
    assert_eq!(list(earlier, 10).await, expected[5..]);
}

#[tokio::test]
async fn every_change_of_a_run_is_news_here_and_on_other_replicas() {
    let world = World::new().await;
    let replica = world.replica();
    let (mut here, mut there) = (world.queue.subscribe(), replica.subscribe());
    // The other replica says when it listens: until then everything may have been missed.
    while there.recv().await.unwrap() != Event::Missed {}
    let run_id = world.finished_run().await;
    let tenant_id = world.tenant.tenant_id;
    let end = Event::RunChanged {
        tenant_id,
        run_id,
        seq: 2,
        finished: true,
    };
    for bus in [&mut here, &mut there] {
        let heard = async { while bus.recv().await.unwrap() != end {} };
        tokio::time::timeout(super::SOON, heard)
            .await
            .expect("the end is heard");
    }
}

#[tokio::test]
async fn the_sweeper_sleeps_as_long_as_no_timer_is_near() {
    let world = World::new().await;
    let shared = &world.queue.shared;
    assert_eq!(
        sweep::tick(shared, true).await.unwrap(),
        None,
        "there are no timers"
    );
    world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    let wake_at = Some(Timestamp::now() + SignedDuration::from_hours(1));
    let park = world.commit_of(&run, 1, Next::Park { wake_at });
    assert_eq!(world.commit(park).await, CommitStatus::Ok);
    let millis = sweep::tick(shared, true).await.unwrap().unwrap();
    assert!((3_500_000..=3_600_000).contains(&millis), "{millis}");
}
