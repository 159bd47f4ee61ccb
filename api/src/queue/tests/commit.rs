//! The fence, and what a repeated or foreign commit is told.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{World, scalar, succeeded};
use crate::queue::{CommitStatus, Next, RunCommit};

#[tokio::test]
async fn a_repeated_commit_is_a_dup_and_a_wrong_number_a_gap() {
    let world = World::new().await;
    world.start().await;
    let session = world.session().await;
    let run = world.lease(session).await;
    assert_eq!(
        world.commit(world.commit_of(&run, 1, Next::Continue)).await,
        CommitStatus::Ok
    );
    assert_eq!(
        world.commit(world.commit_of(&run, 1, Next::Continue)).await,
        CommitStatus::Dup
    );
    assert_eq!(
        world.commit(world.commit_of(&run, 5, Next::Continue)).await,
        CommitStatus::Gap
    );
    assert_eq!(
        world.commit(world.commit_of(&run, 2, succeeded())).await,
        CommitStatus::Ok
    );
    assert_eq!(
        world.commit(world.commit_of(&run, 2, succeeded())).await,
        CommitStatus::Dup,
        "its own finish"
    );
    assert_eq!(
        world.commit(world.commit_of(&run, 3, Next::Continue)).await,
        CommitStatus::Fenced,
        "it has ended"
    );
    let mut superuser = world.database.superuser().await;
    assert_eq!(
        scalar(&mut superuser, "SELECT count(*) FROM fp.run_journal").await,
        3,
        "nothing twice"
    );
}

#[tokio::test]
async fn the_same_results_come_from_the_batch() {
    let world = World::new().await;
    let mut runs = Vec::new();
    let session = world.session().await;
    for _ in 0..4 {
        world.start().await;
        let held: Vec<Uuid> = runs
            .iter()
            .map(|run: &crate::queue::LeasedRun| run.run_id)
            .collect();
        runs.extend(world.lease_with(session, &held, super::SOON).await.unwrap().runs);
    }
    assert_eq!(runs.len(), 4);
    assert_eq!(
        world.commit(world.commit_of(&runs[1], 1, Next::Continue)).await,
        CommitStatus::Ok
    );
    let stranger = RunCommit {
        run_id: Uuid::now_v7(),
        ..world.commit_of(&runs[0], 1, Next::Continue)
    };
    let zombie = RunCommit {
        epoch: 0,
        ..world.commit_of(&runs[3], 1, Next::Continue)
    };
    let commits = vec![
        world.commit_of(&runs[0], 1, succeeded()),
        world.commit_of(&runs[1], 1, Next::Continue),
        world.commit_of(&runs[2], 9, Next::Continue),
        zombie,
        stranger,
    ];
    let results = world.queue.commit(commits).await;
    let statuses: Vec<CommitStatus> = results.into_iter().map(|result| result.unwrap().status).collect();
    assert_eq!(
        statuses,
        [
            CommitStatus::Ok,
            CommitStatus::Dup,
            CommitStatus::Gap,
            CommitStatus::Fenced,
            CommitStatus::Fenced
        ]
    );
}

#[tokio::test]
async fn an_old_epoch_is_refused_in_every_way_to_commit() {
    let world = World::new().await;
    let run_id = world.start().await;
    let first = world.session().await;
    let old = world.lease(first).await;
    world
        .queue
        .close_session(world.tenant.tenant_id, first)
        .await
        .unwrap();
    let second = world.session().await;
    let new = world.lease(second).await;
    assert_eq!(new.run_id, run_id);
    assert!(new.epoch > old.epoch);
    for next in [
        Next::Continue,
        succeeded(),
        Next::Yield,
        Next::Park { wake_at: None },
    ] {
        assert_eq!(
            world.commit(world.commit_of(&old, 1, next.clone())).await,
            CommitStatus::Fenced,
            "{next:?}"
        );
    }
    assert_eq!(
        world.commit(world.commit_of(&new, 1, succeeded())).await,
        CommitStatus::Ok
    );
}

/// A test of the fence that would also pass without it proves nothing: here the fence is taken out of each statement.
#[tokio::test]
async fn without_the_fence_a_zombie_would_be_believed() {
    let world = World::new().await;
    let fences = [
        (
            "commit_batch",
            include_str!("../sql/commit_batch.sql"),
            " AND h.epoch = i.epoch AND h.next_seq = i.from_seq\n",
        ),
        (
            "continue_one",
            include_str!("../sql/continue_one.sql"),
            " AND epoch = $3",
        ),
        (
            "finish_one",
            include_str!("../sql/finish_one.sql"),
            " AND r.epoch = $3",
        ),
    ];
    for (name, statement, fence) in fences {
        assert_eq!(statement.matches(fence).count(), 1, "{name} has its fence");
        world.start().await;
        let first = world.session().await;
        let old = world.lease(first).await;
        world
            .queue
            .close_session(world.tenant.tenant_id, first)
            .await
            .unwrap();
        let second = world.session().await;
        let new = world.lease(second).await;
        let without = statement.replace(
            fence,
            if name == "commit_batch" {
                " AND h.next_seq = i.from_seq\n"
            } else {
                ""
            },
        );
        // Statements do not say what they do not use: the parameter has to stay.
        let without = if name == "commit_batch" {
            without
        } else {
            format!("{without} WHERE $3::int IS NOT NULL")
        };
        assert!(
            !believed(&world, statement, name, old.run_id, old.epoch).await,
            "{name} refuses a zombie"
        );
        assert!(
            believed(&world, &without, name, old.run_id, old.epoch).await,
            "{name} without its fence"
        );
        let status = world.commit(world.commit_of(&new, 1, succeeded())).await;
        assert_ne!(
            status,
            CommitStatus::Ok,
            "and the rightful runner is the one that is cut off"
        );
    }
}

async fn believed(world: &World, statement: &str, name: &str, run_id: Uuid, epoch: i32) -> bool {
    let mut connection = world.pools.engine.acquire().await.unwrap();
    let (tenant_id, body) = (world.tenant.tenant_id, "[{}]");
    let statement = AssertSqlSafe(statement.to_owned());
    if name == "commit_batch" {
        let none: Vec<Option<String>> = vec![None];
        let rows: Vec<sqlx::postgres::PgRow> = sqlx::query(statement)
            .bind(vec![tenant_id])
            .bind(vec![run_id])
            .bind(vec![epoch])
            .bind(vec![1])
            .bind(vec![1_i16])
            .bind(vec!["continue"])
            .bind(&none)
            .bind(vec![None::<jiff_sqlx::Timestamp>])
            .bind(vec![0])
            .bind(vec![body])
            .bind(&none)
            .bind(&none)
            .bind(&none)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        return sqlx::Row::get::<String, _>(&rows[0], "result") == "ok";
    }
    let mut query = sqlx::query(statement)
        .bind(tenant_id)
        .bind(run_id)
        .bind(epoch)
        .bind(1)
        .bind(1_i16)
        .bind(body);
    if name == "finish_one" {
        query = query
            .bind("succeeded")
            .bind(None::<String>)
            .bind(None::<String>)
            .bind(None::<String>);
    }
    query.fetch_optional(&mut *connection).await.unwrap().is_some()
}

#[tokio::test]
async fn a_runner_of_another_tenant_can_neither_lease_nor_commit_nor_close() {
    let world = World::new().await;
    let neighbour = world.another_tenant("globex").await;
    let run_id = world.start().await;
    let session = world.session().await;
    let mut asking = world.asking(session, &[], super::BRIEFLY);
    asking.tenant_id = neighbour.tenant_id;
    let none = tokio_util::sync::CancellationToken::new();
    let refused = world.queue.lease(asking.clone(), &none).await;
    assert!(
        matches!(refused, Err(crate::queue::Error::SessionClosed { .. })),
        "{refused:?}"
    );
    let run = world.lease(session).await;
    let refused = world.queue.lease(asking, &none).await;
    assert!(
        matches!(refused, Err(crate::queue::Error::SessionClosed { .. })),
        "also once the session is known"
    );

    let theirs = RunCommit {
        tenant_id: neighbour.tenant_id,
        ..world.commit_of(&run, 1, succeeded())
    };
    assert_eq!(world.commit(theirs).await, CommitStatus::Fenced);
    let held = [crate::queue::Held {
        run_id,
        epoch: run.epoch,
    }];
    let beat = world.queue.heartbeat(neighbour.tenant_id, session, &held).await;
    assert!(
        matches!(beat, Err(crate::queue::Error::SessionClosed { .. })),
        "{beat:?}"
    );
    world
        .queue
        .close_session(neighbour.tenant_id, session)
        .await
        .unwrap();
    assert_eq!(
        world.commit(world.commit_of(&run, 1, succeeded())).await,
        CommitStatus::Ok,
        "nothing was taken away"
    );
}
