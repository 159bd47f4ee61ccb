//! The calls of `/runner/v1`, each as a task that ends with its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flowpilot_engine::protocol::runner::{
    CommitResult, CommitStatus, Committed, Heartbeat, HeartbeatAnswer, InboxMessage, LEASE_WAIT_SECONDS,
    LeaseRequest, LeasedRun, OpenSession, RunInbox, SessionOpened,
};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;
use uuid::Uuid;

use crate::api::{Api, Failure};
use crate::backoff;
use crate::executor::Submission;

/// An answer that takes longer than this is not coming: the call is made again.
const CALL: Duration = Duration::from_secs(10);
/// A heartbeat has to be over before the next one is due.
const BEAT: Duration = Duration::from_secs(4);
/// What a lease may take beyond the time it is asked to wait.
const LEASE_SLACK: Duration = Duration::from_secs(10);
/// The last call of a process that is about to end.
const GOODBYE: Duration = Duration::from_millis(300);

/// Attempts of a batch as a whole.
const TOGETHER: u32 = 3;

/// The end of a call.
#[derive(Debug)]
pub(super) enum Answer {
    Opened(Result<SessionOpened, Failure>),
    Leased {
        session: Uuid,
        result: Result<Leases, Failure>,
    },
    Beat {
        session: Uuid,
        sent: Instant,
        result: Result<Beat, Failure>,
    },
    Committed {
        session: Uuid,
        batch: Batch,
        result: Result<Vec<Stored>, Failure>,
    },
}

impl Answer {
    /// The session in which the call was made.
    pub(super) fn session(&self) -> Option<Uuid> {
        match self {
            Self::Opened(_) => None,
            Self::Leased { session, .. } | Self::Beat { session, .. } | Self::Committed { session, .. } => {
                Some(*session)
            }
        }
    }
}

/// Runs that were handed out, and messages to those that are here.
#[derive(Debug, Default)]
pub(super) struct Leases {
    pub(super) runs: Vec<LeasedRun>,
    pub(super) inbox: Vec<RunInbox>,
}

/// What a heartbeat brought.
#[derive(Debug)]
pub(super) struct Beat {
    pub(super) lost: Vec<Uuid>,
    pub(super) inbox: Vec<RunInbox>,
}

/// What became of one item.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) status: CommitStatus,
    pub(super) inbox: Vec<InboxMessage>,
}

/// Items that are sent together, and again unchanged until there is an answer.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) submissions: Vec<Submission>,
    pub(super) attempt: u32,
    wait: Duration,
}

impl Batch {
    pub(super) fn new(submissions: Vec<Submission>) -> Self {
        Self {
            submissions,
            attempt: 1,
            wait: Duration::ZERO,
        }
    }

    /// The same again, later. After some attempts each by itself: it may be one of them that breaks the server.
    pub(super) fn delayed(self, failure: &Failure) -> Vec<Self> {
        let wait = backoff::wait(self.attempt, failure.retry_after());
        let attempt = self.attempt.saturating_add(1);
        let size = if attempt > TOGETHER {
            1
        } else {
            self.submissions.len().max(1)
        };
        let mut parts = Vec::new();
        let mut submissions = self.submissions.into_iter().peekable();
        while submissions.peek().is_some() {
            let submissions = submissions.by_ref().take(size).collect();
            parts.push(Self {
                submissions,
                attempt,
                wait,
            });
        }
        parts
    }

    /// Each item by itself; the item, if there is only one.
    pub(super) fn split(mut self) -> Result<Vec<Self>, Submission> {
        match self.submissions.pop() {
            Some(only) if self.submissions.is_empty() => Err(only),
            last => {
                let parts = self.submissions.into_iter().chain(last);
                Ok(parts.map(|submission| Self::new(vec![submission])).collect())
            }
        }
    }

    fn body(&self, session: Uuid) -> Bytes {
        let length = self
            .submissions
            .iter()
            .map(|submission| submission.item.len() + 1)
            .sum::<usize>();
        let mut body = Vec::with_capacity(length + 80);
        body.extend_from_slice(format!(r#"{{"session":"{session}","items":["#).as_bytes());
        for (index, submission) in self.submissions.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&submission.item);
        }
        body.extend_from_slice(b"]}");
        body.into()
    }
}

pub(super) async fn open(api: Arc<Api>, body: OpenSession) -> Answer {
    Answer::Opened(ask(&api, "sessions", &body, CALL).await.and_then(some))
}

pub(super) async fn lease(api: Arc<Api>, body: LeaseRequest) -> Answer {
    // Runs are read one by one: one that this version does not understand must not hold up the others.
    #[derive(Deserialize)]
    struct Leased {
        runs: Vec<Box<RawValue>>,
        #[serde(default)]
        inbox: Vec<RunInbox>,
    }
    let timeout = Duration::from_secs(LEASE_WAIT_SECONDS) + LEASE_SLACK;
    let leased: Result<Option<Leased>, Failure> = ask(&api, "lease", &body, timeout).await;
    let read = |run: Box<RawValue>| {
        serde_json::from_str::<LeasedRun>(run.get())
            .inspect_err(
                |error| tracing::error!(%error, "a leased run is not understood: leaving it to others"),
            )
            .ok()
    };
    let runs = |leased: Leased| Leases {
        runs: leased.runs.into_iter().filter_map(read).collect(),
        inbox: leased.inbox,
    };
    let result = leased.map(|leased| leased.map(runs).unwrap_or_default());
    Answer::Leased {
        session: body.session,
        result,
    }
}

pub(super) async fn heartbeat(api: Arc<Api>, body: Heartbeat) -> Answer {
    let sent = Instant::now();
    let answer: Result<HeartbeatAnswer, Failure> = ask(&api, "heartbeat", &body, BEAT).await.and_then(some);
    let result = answer.map(|HeartbeatAnswer { lost, inbox, .. }| Beat { lost, inbox });
    Answer::Beat {
        session: body.session,
        sent,
        result,
    }
}

pub(super) async fn commit(api: Arc<Api>, session: Uuid, batch: Batch) -> Answer {
    tokio::time::sleep(batch.wait).await;
    let answer: Result<Committed, Failure> =
        api.post("commit", batch.body(session), CALL).await.and_then(some);
    let result = answer.and_then(|committed| in_order(&batch, committed.results));
    Answer::Committed {
        session,
        batch,
        result,
    }
}

pub(super) async fn close(api: &Api, session: Uuid) {
    if let Err(failure) = api.delete(&format!("sessions/{session}"), GOODBYE).await {
        tracing::warn!(
            error = %failure,
            "failed to close the session: its runs wait until it expires"
        );
    }
}

fn in_order(batch: &Batch, results: Vec<CommitResult>) -> Result<Vec<Stored>, Failure> {
    let same = results.len() == batch.submissions.len()
        && results
            .iter()
            .zip(&batch.submissions)
            .all(|(result, submission)| result.run == submission.run);
    if !same {
        let reason = "the answer to a commit is not about the runs in it".to_owned();
        return Err(Failure::Away {
            reason,
            retry_after: None,
        });
    }
    Ok(results
        .into_iter()
        .map(|result| Stored {
            status: result.result,
            inbox: result.inbox,
        })
        .collect())
}

async fn ask<Answer: serde::de::DeserializeOwned>(
    api: &Api,
    path: &str,
    body: &impl Serialize,
    timeout: Duration,
) -> Result<Option<Answer>, Failure> {
    let body = serde_json::to_vec(body).map_err(|error| Failure::Refused {
        status: StatusCode::BAD_REQUEST,
        reason: format!("the request cannot be written: {error}"),
    })?;
    api.post(path, body.into(), timeout).await
}

fn some<Answer>(answer: Option<Answer>) -> Result<Answer, Failure> {
    answer.ok_or_else(|| Failure::Refused {
        status: StatusCode::NO_CONTENT,
        reason: "an empty answer".to_owned(),
    })
}
