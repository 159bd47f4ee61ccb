//! Postgres away in the middle: answers say so, nothing is lost or doubled, and everything goes on by itself.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{SOON, World, scalar, succeeded};
use crate::queue::{CommitStatus, Next, Result, Started};

impl World {
    /// Shuts the door of the database and throws everybody out.
    async fn close_database(&self) -> PgConnection {
        let mut url = url::Url::parse(&self.database.superuser_url).unwrap();
        let name = url.path().trim_start_matches('/').to_owned();
        url.set_path("template1");
        let mut outside = PgConnection::connect(url.as_str()).await.unwrap();
        for statement in [
            format!("ALTER DATABASE {name} WITH CONNECTION LIMIT 0"),
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
        ] {
            outside.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        outside
    }

    async fn open_database(&self, mut outside: PgConnection) {
        let url = url::Url::parse(&self.database.superuser_url).unwrap();
        let name = url.path().trim_start_matches('/');
        let statement = format!("ALTER DATABASE {name} WITH CONNECTION LIMIT -1");
        outside.execute(AssertSqlSafe(statement)).await.unwrap();
    }
}

async fn insist<T>(mut attempt: impl AsyncFnMut() -> Result<T>) -> T {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => {
                assert!(error.is_unavailable(), "{error:?}");
                assert!(tokio::time::Instant::now() < deadline, "still away: {error:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[tokio::test]
async fn an_outage_is_answered_as_one_and_the_work_goes_on_after_it() {
    let world = World::new().await;
    let session = world.session().await;
    let run_id = world.start().await;
    let run = world.lease(session).await;

    let outside = world.close_database().await;
    let refused = world.queue.start_run(world.new_run()).await;
    assert!(
        matches!(&refused, Err(error) if error.is_unavailable()),
        "{refused:?}"
    );
    let refused = world
        .queue
        .commit(vec![world.commit_of(&run, 1, Next::Continue)])
        .await
        .remove(0);
    assert!(
        matches!(&refused, Err(error) if error.is_unavailable()),
        "{refused:?}"
    );
    let refused = world.lease_with(session, &[run_id], SOON).await;
    assert!(
        matches!(&refused, Err(error) if error.is_unavailable()),
        "{refused:?}"
    );
    world.open_database(outside).await;

    let kept = insist(async || {
        world
            .queue
            .commit(vec![world.commit_of(&run, 1, Next::Continue)])
            .await
            .remove(0)
    })
    .await;
    assert_eq!(kept.status, CommitStatus::Ok);
    let waiting = insist(async || world.lease_with(session, &[run_id], SOON).await);
    let starting = insist(async || world.queue.start_run(world.new_run()).await);
    let (lease, started) = tokio::join!(waiting, starting);
    assert_eq!(lease.runs.len(), 1, "claimer, lanes and listener are back");
    assert!(matches!(started, Started::Ready | Started::Leased));
    assert_eq!(
        world.commit(world.commit_of(&run, 2, succeeded())).await,
        CommitStatus::Ok
    );
    let mut superuser = world.database.superuser().await;
    let events = scalar(
        &mut superuser,
        &format!("SELECT count(*) FROM fp.run_journal WHERE run_id = '{run_id}'"),
    )
    .await;
    assert_eq!(events, 3, "nothing is doubled");
}

#[tokio::test]
async fn connections_that_die_while_commits_fly_lose_and_double_nothing() {
    let world = World::new().await;
    let mut killer = world.database.superuser().await;
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let working = async {
        let mut acknowledged = 0;
        for _ in 0..30 {
            let run = world.new_run();
            let started = world.queue.start_run(run).await;
            acknowledged += i64::from(started.is_ok());
            if let Err(error) = started {
                assert!(error.is_unavailable(), "{error:?}");
            }
        }
        acknowledged
    };
    let killing = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(30)).await;
            scalar(&mut killer, kill).await;
        }
    };
    let (acknowledged, ()) = tokio::join!(working, killing);
    let session = insist(async || {
        let session_id = uuid::Uuid::now_v7();
        let tenant_id = world.tenant.tenant_id;
        let new = crate::queue::NewSession {
            session_id,
            tenant_id,
            class: "default",
            runner: "r",
            capacity: 8,
        };
        world.queue.open_session(new).await.map(|_| session_id)
    })
    .await;
    let mut superuser = world.database.superuser().await;
    let stored = scalar(&mut superuser, "SELECT count(*) FROM fp.run_live").await;
    assert!(
        stored >= acknowledged,
        "{stored} stored, {acknowledged} acknowledged"
    );
    let mut done = 0;
    while done < stored {
        let lease = insist(async || world.lease_with(session, &[], SOON).await).await;
        for run in lease.runs {
            let commit = world.commit_of(&run, 1, succeeded());
            let outcome = insist(async || world.queue.commit(vec![commit.clone()]).await.remove(0)).await;
            done += i64::from(outcome.status == CommitStatus::Ok);
        }
    }
    assert_eq!(
        scalar(&mut superuser, "SELECT count(*) FROM fp.run_done").await,
        stored
    );
    assert_eq!(
        scalar(&mut superuser, "SELECT count(*) FROM fp.run_journal").await,
        2 * stored
    );
}
