//! The queue on a real Postgres.

mod cancel;
mod commit;
mod ends;
mod handout;
mod lease;
mod life;
mod outage;
mod start;

use std::time::Duration;

use flowpilot_engine::journal::RunOutcome;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    CommitStatus, Lease, LeaseRequest, LeasedRun, NewRun, NewSession, Next, Queue, Result, RunCommit,
    Settings, Started,
};
use crate::store::{
    Pools, TenantTx,
    registry::{self, RevisionEntry, TenantEntry},
    runs::{self, RunDetail},
    tenants::{self, Tenant},
    testing::TestDatabase,
    workflows::{self, Workflow},
};

/// A wait that is long enough for anything that should happen.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// A wait for what should not happen.
pub(crate) const BRIEFLY: Duration = Duration::from_millis(150);

/// A digest that differs by its number.
pub(crate) fn digest(number: u8) -> String {
    format!("sha256:{number:064x}")
}

/// One tenant with one workflow, and a queue.
pub(crate) struct World {
    pub(crate) queue: Queue,
    pub(crate) pools: Pools,
    pub(crate) tenant: Tenant,
    pub(crate) workflow: Workflow,
    // Dropped last: it takes the database away.
    pub(crate) database: TestDatabase,
}

impl Drop for World {
    fn drop(&mut self) {
        self.queue.shared.stop.cancel();
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let database = TestDatabase::migrated().await;
        let pools = database.pools().await;
        let tenant = register(&pools, "acme").await;
        let workflow = workflow(&pools, tenant.tenant_id).await;
        let queue = Queue::start(pools.clone(), settings, CancellationToken::new());
        // It says so once it hears the other replicas: what it says then would come in the midst of a test.
        let mut news = queue.subscribe();
        while !matches!(
            tokio::time::timeout(SOON, news.recv()).await.unwrap().unwrap(),
            super::Event::Missed
        ) {}
        Self {
            queue,
            pools,
            tenant,
            workflow,
            database,
        }
    }

    /// Another replica on the same database.
    pub(crate) fn replica(&self) -> Queue {
        Queue::start(
            self.pools.clone(),
            self.queue.shared.settings,
            self.queue.shared.stop.clone(),
        )
    }

    pub(crate) async fn another_tenant(&self, name: &str) -> Tenant {
        register(&self.pools, name).await
    }

    pub(crate) fn new_run(&self) -> NewRun {
        NewRun {
            tenant_id: self.tenant.tenant_id,
            run_id: Uuid::now_v7(),
            workflow_id: self.workflow.workflow_id,
            workflow: self.workflow.name.as_str().into(),
            revision_id: self.workflow.revision_id,
            revision: self.workflow.digest.as_str().into(),
            pool_id: self.workflow.pool_id,
            priority: 2,
            trigger_kind: 0,
            trigger_id: None,
            actor: "ada".to_owned(),
            body: r#"[{"type":"RunStarted","inputs":{"order":7}}]"#.into(),
            dedupe: None,
        }
    }

    /// A run that waits for a runner.
    pub(crate) async fn start(&self) -> Uuid {
        let run = self.new_run();
        let run_id = run.run_id;
        assert_eq!(self.queue.start_run(run).await.unwrap(), Started::Ready);
        run_id
    }

    pub(crate) async fn session(&self) -> Uuid {
        let session_id = Uuid::now_v7();
        let tenant_id = self.tenant.tenant_id;
        let new = NewSession {
            session_id,
            tenant_id,
            class: "default",
            runner: "r-1",
            capacity: 8,
        };
        let opened = self.queue.open_session(new).await.unwrap();
        assert_eq!(opened.pool_id, self.workflow.pool_id);
        session_id
    }

    pub(crate) fn asking(&self, session_id: Uuid, held: &[Uuid], wait: Duration) -> LeaseRequest {
        LeaseRequest {
            tenant_id: self.tenant.tenant_id,
            session_id,
            free: 8,
            held: held.to_vec(),
            wait,
        }
    }

    pub(crate) async fn lease_with(&self, session_id: Uuid, held: &[Uuid], wait: Duration) -> Result<Lease> {
        self.queue
            .lease(self.asking(session_id, held, wait), &CancellationToken::new())
            .await
    }

    /// Exactly one run.
    pub(crate) async fn lease(&self, session_id: Uuid) -> LeasedRun {
        let mut lease = self.lease_with(session_id, &[], SOON).await.unwrap();
        assert_eq!(lease.runs.len(), 1);
        lease.runs.remove(0)
    }

    pub(crate) fn commit_of(&self, run: &LeasedRun, seq: i32, next: Next) -> RunCommit {
        RunCommit {
            tenant_id: self.tenant.tenant_id,
            run_id: run.run_id,
            epoch: run.epoch,
            seq,
            n: 1,
            body: r#"[{"type":"StepSucceeded","step":"a"}]"#.to_owned(),
            inbox_seen: 0,
            next,
        }
    }

    pub(crate) async fn commit(&self, commit: RunCommit) -> CommitStatus {
        self.queue.commit(vec![commit]).await.remove(0).unwrap().status
    }

    pub(crate) async fn get(&self, run_id: Uuid) -> RunDetail {
        let mut tx = TenantTx::begin(&self.pools.app, self.tenant.tenant_id)
            .await
            .unwrap();
        runs::get(&mut tx, run_id)
            .await
            .unwrap()
            .expect("the run is known")
    }

    pub(crate) async fn finished_run(&self) -> Uuid {
        let run_id = self.start().await;
        let session = self.session().await;
        let run = self.lease(session).await;
        assert_eq!(
            self.commit(self.commit_of(&run, 1, succeeded())).await,
            CommitStatus::Ok
        );
        run_id
    }

    /// Waits until a count in the database is what it should be.
    pub(crate) async fn until(&self, count: &str, wanted: i64) {
        let mut superuser = self.database.superuser().await;
        let deadline = tokio::time::Instant::now() + SOON;
        while scalar(&mut superuser, count).await != wanted {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{count} never became {wanted}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) fn succeeded() -> Next {
    Next::Finish {
        outcome: RunOutcome::Succeeded,
        error: None,
    }
}

pub(crate) async fn scalar(connection: &mut PgConnection, statement: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn register(pools: &Pools, name: &str) -> Tenant {
    let uid = Uuid::now_v7();
    let entry = TenantEntry {
        uid,
        generation: 1,
        name,
        title: name,
        class: "default",
        variables: "{}",
    };
    registry::put_tenant(pools, entry).await.unwrap();
    tenants::by_name(pools, name).await.unwrap().unwrap()
}

async fn workflow(pools: &Pools, tenant_id: Uuid) -> Workflow {
    let entry = RevisionEntry {
        uid: Uuid::now_v7(),
        generation: 1,
        name: "refund",
        digest: &digest(7),
        spec: r#"{"steps":[]}"#,
        labels: "{}",
        class: "default",
    };
    registry::put_revision(pools, tenant_id, entry).await.unwrap();
    let mut tx = TenantTx::begin(&pools.app, tenant_id).await.unwrap();
    workflows::get(&mut tx, "refund").await.unwrap().unwrap()
}
