//! Leases: runs that go out to a runner, with everything it needs to go on.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sqlx::{FromRow, PgConnection};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Error, Queue, Result, dispatch::Delivery, error::database};
use crate::store::journal::JournalRow;

/// Bytes of one run's journal that a lease carries. A longer one is read page by page.
const JOURNAL_BYTES: i64 = 16 * 1024 * 1024;
/// Runs handed out in one lease answer.
pub(crate) const RUNS: usize = 64;

/// What a waiting runner asks for.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    /// The tenant of the runner, from its proof.
    pub tenant_id: Uuid,
    /// Its session.
    pub session_id: Uuid,
    /// How many runs fit.
    pub free: usize,
    /// Runs that it holds: others that are leased to it are handed out again.
    pub held: Vec<Uuid>,
    /// How long to wait for one.
    pub wait: Duration,
}

/// Answer to a lease request.
#[derive(Clone, Debug, Default)]
pub struct Lease {
    /// The runs; empty when nothing came in time.
    pub runs: Vec<LeasedRun>,
    /// Messages not yet dealt with, of runs that the session holds, if one came meanwhile.
    pub inbox: Vec<(Uuid, Message)>,
}

/// One run that a runner now holds.
#[derive(Clone, Debug)]
pub struct LeasedRun {
    /// Its tenant.
    pub tenant_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// The fence.
    pub epoch: i32,
    /// Name of the workflow.
    pub workflow: Arc<str>,
    /// The revision.
    pub revision_id: i64,
    /// Its digest.
    pub revision: Arc<str>,
    /// Number of events that are stored.
    pub next_seq: i32,
    /// 0 critical to 3 low.
    pub priority: i16,
    /// 7 is a test.
    pub trigger_kind: i16,
    /// The commits so far. If the last one ends before `next_seq`, the rest is to be read page by page.
    pub journal: Vec<JournalRow>,
    /// Messages not yet dealt with.
    pub inbox: Vec<Message>,
}

/// A message to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number in the run, from 1.
    pub seq: i32,
    /// What it is about.
    pub kind: String,
    /// What it says, a JSON object that names the kind too.
    pub body: String,
    /// When it was sent.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct ResumeRow {
    pool_id: i32,
    run_id: Option<Uuid>,
    revision_id: Option<i64>,
    epoch: Option<i32>,
    next_seq: Option<i32>,
    inbox_seq: Option<i32>,
    priority: Option<i16>,
    trigger_kind: Option<i16>,
    digest: Option<String>,
    workflow: Option<String>,
}

/// A leased run before its journal is read.
pub(super) struct Bare {
    pub(super) run: LeasedRun,
    pub(super) has_inbox: bool,
}

impl ResumeRow {
    fn bare(self, tenant_id: Uuid) -> Option<Bare> {
        let run = LeasedRun {
            tenant_id,
            run_id: self.run_id?,
            epoch: self.epoch?,
            workflow: self.workflow?.into(),
            revision_id: self.revision_id?,
            revision: self.digest?.into(),
            next_seq: self.next_seq?,
            priority: self.priority?,
            trigger_kind: self.trigger_kind?,
            journal: Vec::new(),
            inbox: Vec::new(),
        };
        Some(Bare {
            run,
            has_inbox: self.inbox_seq? > 0,
        })
    }
}

impl Queue {
    /// Waits for runs. What the session was given before and does not know of comes first, under the same epoch. Ends
    /// early and empty when `cancel` is (the caller went away) or the server stops.
    pub async fn lease(&self, request: LeaseRequest, cancel: &CancellationToken) -> Result<Lease> {
        let deadline = Instant::now() + request.wait;
        let pool_id = match self
            .shared
            .dispatcher
            .pool_of(request.session_id, request.tenant_id)
        {
            Some(pool_id) => pool_id,
            None => self.resume(&request).await?.0,
        };
        // Waiting begins before looking, so that a run which an earlier poll does not get any more is found or heard
        // of. Slots are offered after it: what is found then was never on its way to this poll.
        let mut waiting = self.shared.dispatcher.wait(&request, pool_id);
        let (_, again) = self.resume(&request).await?;
        let mut runs = self.load(again).await?;
        let mut message = false;
        if runs.is_empty() {
            waiting.open(request.free);
            tokio::select! {
                first = timeout_at(deadline, waiting.next()) => match first {
                    Ok(Delivery::Run(run)) => runs.push(*run),
                    Ok(Delivery::Message) => message = true,
                    Ok(Delivery::Closed) => return Err(Error::SessionClosed { session_id: request.session_id }),
                    Ok(Delivery::Again) | Err(_) => {}
                },
                () = cancel.cancelled() => {}
                () = self.shared.stop.cancelled() => {}
            }
        }
        let runs = waiting.finish(runs);
        let inbox = if message {
            self.inbox_of(&request).await?
        } else {
            Vec::new()
        };
        Ok(Lease { runs, inbox })
    }

    async fn inbox_of(&self, request: &LeaseRequest) -> Result<Vec<(Uuid, Message)>> {
        let rows: Vec<MessageOf> = sqlx::query_as(include_str!("sql/session_inbox.sql"))
            .bind(request.session_id)
            .bind(request.tenant_id)
            .fetch_all(&self.shared.pools.engine)
            .await
            .map_err(database)?;
        Ok(rows.into_iter().map(MessageOf::message).collect())
    }

    /// The session's pool, and the runs it should know of and does not.
    async fn resume(&self, request: &LeaseRequest) -> Result<(i32, Vec<Bare>)> {
        let rows: Vec<ResumeRow> = sqlx::query_as(include_str!("sql/resume_lease.sql"))
            .bind(request.session_id)
            .bind(request.tenant_id)
            .bind(&request.held)
            .fetch_all(&self.shared.pools.engine)
            .await
            .map_err(database)?;
        let Some(first) = rows.first() else {
            return Err(Error::SessionClosed {
                session_id: request.session_id,
            });
        };
        let pool_id = first.pool_id;
        let bare = rows
            .into_iter()
            .filter_map(|row| row.bare(request.tenant_id))
            .take(RUNS)
            .collect();
        Ok((pool_id, bare))
    }

    async fn load(&self, bare: Vec<Bare>) -> Result<Vec<LeasedRun>> {
        if bare.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.shared.pools.engine.acquire().await.map_err(database)?;
        load(&mut connection, bare).await
    }
}

#[derive(FromRow)]
struct JournalOf {
    run_id: Uuid,
    #[sqlx(flatten)]
    row: crate::store::journal::Row,
}

#[derive(FromRow)]
struct MessageOf {
    run_id: Uuid,
    seq: i32,
    kind: String,
    body: String,
    at: jiff_sqlx::Timestamp,
}

impl MessageOf {
    fn message(self) -> (Uuid, Message) {
        let message = Message {
            seq: self.seq,
            kind: self.kind,
            body: self.body,
            at: self.at.to_jiff(),
        };
        (self.run_id, message)
    }
}

/// Journals and messages of runs that are going out.
pub(super) async fn load(connection: &mut PgConnection, bare: Vec<Bare>) -> Result<Vec<LeasedRun>> {
    let tenants: Vec<Uuid> = bare.iter().map(|bare| bare.run.tenant_id).collect();
    let ids: Vec<Uuid> = bare.iter().map(|bare| bare.run.run_id).collect();
    let journals: Vec<JournalOf> = sqlx::query_as(include_str!("sql/load_journals.sql"))
        .bind(&tenants)
        .bind(&ids)
        .bind(JOURNAL_BYTES)
        .fetch_all(&mut *connection)
        .await
        .map_err(database)?;
    let asked = bare
        .iter()
        .filter(|bare| bare.has_inbox)
        .map(|bare| (bare.run.tenant_id, bare.run.run_id));
    let (tenants, ids): (Vec<Uuid>, Vec<Uuid>) = asked.unzip();
    let inbox = if ids.is_empty() {
        Vec::new()
    } else {
        read_inbox(connection, &tenants, &ids).await?
    };

    let mut runs: std::collections::HashMap<Uuid, LeasedRun> =
        bare.into_iter().map(|bare| (bare.run.run_id, bare.run)).collect();
    for JournalOf { run_id, row } in journals {
        if let Some(run) = runs.get_mut(&run_id) {
            run.journal.push(row.into());
        }
    }
    for (run_id, message) in inbox {
        if let Some(run) = runs.get_mut(&run_id) {
            run.inbox.push(message);
        }
    }
    Ok(runs.into_values().collect())
}

/// Messages that runs have not dealt with, in order.
pub(super) async fn read_inbox(
    connection: &mut PgConnection,
    tenants: &[Uuid],
    runs: &[Uuid],
) -> Result<Vec<(Uuid, Message)>> {
    let rows: Vec<MessageOf> = sqlx::query_as(include_str!("sql/read_inbox.sql"))
        .bind(tenants)
        .bind(runs)
        .fetch_all(connection)
        .await
        .map_err(database)?;
    Ok(rows.into_iter().map(MessageOf::message).collect())
}
