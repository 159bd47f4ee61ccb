//! Waiting for the end of a run: what is told is what the history says.

use futures::FutureExt;
use jiff::Timestamp;
use tokio::time::timeout;

use super::{SOON, World, succeeded};
use crate::{
    queue::{Cancelled, CommitStatus, EndWait, Ending, Next, RunCommit, RunEnd},
    store::runs::{self, RunError},
};
use flowpilot_engine::journal::RunOutcome;

async fn ended(wait: &mut EndWait) -> RunEnd {
    match timeout(SOON, wait.next()).await.unwrap() {
        Ending::Ended(end) => *end,
        Ending::Look => panic!("it was told here"),
    }
}

#[tokio::test]
async fn the_end_that_is_told_is_the_end_that_is_stored() {
    let world = World::new().await;
    let session = world.session().await;
    for (number, inbox_seen) in [0, 1].into_iter().enumerate() {
        let run_id = world.start().await;
        let mut wait = world.queue.end_of(world.tenant.tenant_id, run_id);
        let run = world.lease(session).await;
        if inbox_seen > 0 {
            // With a message the commit takes the statement of groups.
            let cancelled = world
                .queue
                .cancel(world.tenant.tenant_id, run_id, "ada", Timestamp::now())
                .await
                .unwrap();
            assert_eq!(cancelled, Cancelled::Requested);
        }
        let body = format!(r#"[{{"type":"RunFinished","outputs":{{"total":{number}}}}}]"#);
        let last = RunCommit {
            body: body.clone(),
            inbox_seen,
            ..world.commit_of(&run, 1, succeeded())
        };
        assert_eq!(world.commit(last).await, CommitStatus::Ok);
        let end = ended(&mut wait).await;
        let stored = world.get(run_id).await;
        assert_eq!(end.outcome, RunOutcome::Succeeded);
        assert_eq!(Some(end.finished_at), stored.run.finished_at);
        assert_eq!(
            runs::outputs_of(&end.body).unwrap().get(),
            stored.outputs.unwrap().get()
        );
        assert_eq!(end.error, None);
    }
}

#[tokio::test]
async fn a_failure_is_told_with_its_error_and_a_commit_that_ends_nothing_is_not_told() {
    let world = World::new().await;
    let session = world.session().await;
    let run_id = world.start().await;
    let mut wait = world.queue.end_of(world.tenant.tenant_id, run_id);
    let run = world.lease(session).await;
    let more = world.commit_of(&run, 1, Next::Continue);
    assert_eq!(world.commit(more).await, CommitStatus::Ok);
    assert!(wait.next().now_or_never().is_none());
    let error = RunError {
        code: "Timeout".to_owned(),
        step: Some("call".to_owned()),
        message: None,
    };
    let next = Next::Finish {
        outcome: RunOutcome::Failed,
        error: Some(error.clone()),
    };
    assert_eq!(
        world.commit(world.commit_of(&run, 2, next)).await,
        CommitStatus::Ok
    );
    let end = ended(&mut wait).await;
    assert_eq!((end.outcome, end.error), (RunOutcome::Failed, Some(error)));
}

#[tokio::test]
async fn whoever_waits_on_another_replica_or_for_a_run_that_is_cancelled_is_made_to_look() {
    let world = World::new().await;
    let other = world.replica();
    let session = world.session().await;
    let tenant_id = world.tenant.tenant_id;
    let run_id = world.start().await;
    let mut wait = other.end_of(tenant_id, run_id);
    let run = world.lease(session).await;
    assert_eq!(
        world.commit(world.commit_of(&run, 1, succeeded())).await,
        CommitStatus::Ok
    );
    assert!(matches!(timeout(SOON, wait.next()).await, Ok(Ending::Look)));

    let run_id = world.start().await;
    let mut wait = world.queue.end_of(tenant_id, run_id);
    let cancelled = world.queue.cancel(tenant_id, run_id, "ada", Timestamp::now());
    assert_eq!(cancelled.await.unwrap(), Cancelled::Now);
    assert!(matches!(timeout(SOON, wait.next()).await, Ok(Ending::Look)));
}
