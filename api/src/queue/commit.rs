//! Progress of runs: what a runner reports, and the statements that store it behind the fence.

use flowpilot_engine::journal::RunOutcome;
use jiff::Timestamp;
use sqlx::{FromRow, PgConnection};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Error, Message, Queue, Result, error::database, lane::Item};
use crate::store::runs::RunError;

/// What happened in one run since its last commit.
#[derive(Clone, Debug)]
pub struct RunCommit {
    /// The tenant of the runner, from its proof.
    pub tenant_id: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// The fence.
    pub epoch: i32,
    /// Number of events that the runner believes are stored.
    pub seq: i32,
    /// Number of events in `body`.
    pub n: i16,
    /// The events, a JSON array.
    pub body: String,
    /// Number of the last message that is dealt with; 0 for none.
    pub inbox_seen: i32,
    /// What comes next.
    pub next: Next,
}

/// What comes after a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The runner goes on.
    Continue,
    /// Nothing to do until a time or a message.
    Park {
        /// The earliest timer.
        wake_at: Option<Timestamp>,
    },
    /// Another runner should go on.
    Yield,
    /// The run ended.
    Finish {
        /// How.
        outcome: RunOutcome,
        /// Why it failed.
        error: Option<RunError>,
    },
}

impl Next {
    fn action(&self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Park { .. } => "park",
            Self::Yield => "yield",
            Self::Finish { .. } => "finish",
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        if let Self::Park { wake_at } = self {
            *wake_at
        } else {
            None
        }
    }

    fn outcome(&self) -> Option<&'static str> {
        let Self::Finish { outcome, .. } = self else {
            return None;
        };
        Some(match outcome {
            RunOutcome::Succeeded => "succeeded",
            RunOutcome::Failed => "failed",
            RunOutcome::Cancelled => "cancelled",
        })
    }

    fn error(&self) -> Option<&RunError> {
        if let Self::Finish { error, .. } = self {
            error.as_ref()
        } else {
            None
        }
    }
}

/// Whether a commit was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStatus {
    /// Stored.
    Ok,
    /// Stored before: the answer was lost.
    Dup,
    /// The sequence number does not fit; nothing was stored.
    Gap,
    /// Somebody else holds the run, or it ended.
    Fenced,
}

/// What became of a commit.
#[derive(Clone, Debug)]
pub struct CommitOutcome {
    /// Stored or not.
    pub status: CommitStatus,
    /// Messages that the run has not dealt with, if its runner still holds it.
    pub inbox: Vec<Message>,
}

/// What a statement says about one commit.
pub(super) struct Stored {
    pub(super) status: CommitStatus,
    /// Set when the run went back into the queue.
    pub(super) ready_in: Option<i32>,
    /// Set when the run is kept: number of messages ever sent to it.
    pub(super) inbox_seq: i32,
    /// Set when the run ended: by the clock of the database.
    pub(super) finished_at: Option<Timestamp>,
    /// A WorkflowRun object waits for the news.
    pub(super) mirrored: bool,
}

impl Queue {
    /// Stores what happened in some runs; the results come in the order of the commits. Each may fail alone.
    pub async fn commit(&self, commits: Vec<RunCommit>) -> Vec<Result<CommitOutcome>> {
        let answers: Vec<_> = commits
            .into_iter()
            .map(|commit| {
                let (done, answer) = oneshot::channel();
                let lane = self.lane(commit.run_id);
                lane.send(Item::Commit {
                    commit: Box::new(commit),
                    done,
                })
                .map(|()| answer)
            })
            .collect();
        let mut results = Vec::with_capacity(answers.len());
        for answer in answers {
            results.push(match answer {
                Ok(answer) => answer.await.unwrap_or(Err(Error::Stopping)),
                Err(error) => Err(error),
            });
        }
        results
    }
}

/// The express statements, for a commit without messages. None: ask the batch statement, which says why.
pub(super) async fn one(connection: &mut PgConnection, commit: &RunCommit) -> Result<Option<Stored>> {
    if commit.n == 0 || commit.inbox_seen != 0 {
        return Ok(None);
    }
    let (inbox_seq, finished_at) = match &commit.next {
        Next::Continue => {
            let statement = plain(sqlx::query_scalar(include_str!("sql/continue_one.sql")), commit);
            let row: Option<i32> = statement.fetch_optional(connection).await.map_err(database)?;
            (row, None)
        }
        Next::Finish { error, .. } => {
            let statement = plain(sqlx::query_scalar(include_str!("sql/finish_one.sql")), commit)
                .bind(commit.next.outcome())
                .bind(error.as_ref().map(|error| &error.code))
                .bind(error.as_ref().and_then(|error| error.step.as_deref()))
                .bind(error.as_ref().and_then(|error| error.message.as_deref()));
            let row: Option<jiff_sqlx::Timestamp> =
                statement.fetch_optional(connection).await.map_err(database)?;
            (row.map(|_| 0), row.map(jiff_sqlx::Timestamp::to_jiff))
        }
        Next::Park { .. } | Next::Yield => return Ok(None),
    };
    Ok(inbox_seq.map(|inbox_seq| Stored {
        status: CommitStatus::Ok,
        ready_in: None,
        inbox_seq,
        finished_at,
        mirrored: false,
    }))
}

type Scalar<'q, T> = sqlx::query::QueryScalar<'q, sqlx::Postgres, T, sqlx::postgres::PgArguments>;

fn plain<'q, T>(query: Scalar<'q, T>, commit: &'q RunCommit) -> Scalar<'q, T> {
    query
        .bind(commit.tenant_id)
        .bind(commit.run_id)
        .bind(commit.epoch)
        .bind(commit.seq)
        .bind(commit.n)
        .bind(&commit.body)
}

#[derive(FromRow)]
struct BatchRow {
    result: String,
    state: Option<String>,
    inbox_seq: Option<i32>,
    pool_id: Option<i32>,
    finished_at: Option<jiff_sqlx::Timestamp>,
    mirrored: bool,
}

/// Many commits in one transaction; the answers come in their order. No run may be in it twice.
pub(super) async fn batch(connection: &mut PgConnection, commits: &[&RunCommit]) -> Result<Vec<Stored>> {
    fn column<'a, T>(commits: &[&'a RunCommit], get: impl Fn(&'a RunCommit) -> T) -> Vec<T> {
        commits.iter().map(|commit| get(commit)).collect()
    }
    let rows: Vec<BatchRow> = sqlx::query_as(include_str!("sql/commit_batch.sql"))
        .bind(column(commits, |commit| commit.tenant_id))
        .bind(column(commits, |commit| commit.run_id))
        .bind(column(commits, |commit| commit.epoch))
        .bind(column(commits, |commit| commit.seq))
        .bind(column(commits, |commit| commit.n))
        .bind(column(commits, |commit| commit.next.action()))
        .bind(column(commits, |commit| commit.next.outcome()))
        .bind(column(commits, |commit| {
            commit.next.wake_at().map(jiff_sqlx::Timestamp::from)
        }))
        .bind(column(commits, |commit| commit.inbox_seen))
        .bind(column(commits, |commit| commit.body.as_str()))
        .bind(column(commits, |commit| {
            commit.next.error().map(|error| error.code.as_str())
        }))
        .bind(column(commits, |commit| {
            commit.next.error().and_then(|error| error.step.as_deref())
        }))
        .bind(column(commits, |commit| {
            commit.next.error().and_then(|error| error.message.as_deref())
        }))
        .fetch_all(&mut *connection)
        .await
        .map_err(database)?;
    let mut stored = Vec::with_capacity(commits.len());
    for (row, commit) in rows.into_iter().zip(commits) {
        let status = match row.result.as_str() {
            "ok" => CommitStatus::Ok,
            "dup" => CommitStatus::Dup,
            "gap" => CommitStatus::Gap,
            "absent" if ended_by(connection, commit).await? => CommitStatus::Dup,
            _ => CommitStatus::Fenced,
        };
        let requeued = status == CommitStatus::Ok && row.state.as_deref() == Some("ready");
        stored.push(Stored {
            status,
            ready_in: row.pool_id.filter(|_| requeued),
            inbox_seq: row.inbox_seq.unwrap_or(0),
            finished_at: row.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
            mirrored: row.mirrored,
        });
    }
    Ok(stored)
}

/// Whether the run, which lives no longer, was ended by this very commit.
async fn ended_by(connection: &mut PgConnection, commit: &RunCommit) -> Result<bool> {
    let ours: Option<bool> = sqlx::query_scalar(include_str!("sql/done_check.sql"))
        .bind(commit.tenant_id)
        .bind(commit.run_id)
        .bind(commit.epoch)
        .bind(commit.seq + i32::from(commit.n))
        .fetch_optional(connection)
        .await
        .map_err(database)?;
    Ok(ours.unwrap_or(false))
}
