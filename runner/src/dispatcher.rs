//! The only one that speaks to the API server.
//!
//! It owns the session, the leases, the plans and the commits, and hears of everything in one ordered stream:
//! answers to its own calls, what executors hand over, and the clock. Executors never wait for it except for the
//! answer to a commit; it never waits for an executor.
//!
//! ```text
//!          ┌──────────────── calls: open, lease, heartbeat, commit ◄──┐
//! loop: ── answer ──► handle ──► start what should be under way ──────┘
//!          commit of an executor ──► queue of commits
//!          executor ended ──► its place is free
//! ```

mod calls;
mod commits;
mod handle;
mod held;
mod session;

use std::sync::Arc;
use std::time::Duration;

use flowpilot_engine::protocol::runner::{Heartbeat, LeaseRequest, OpenSession};
use snafu::{ResultExt, Snafu};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::actions::Actions;
use crate::api::{Api, Failure};
use crate::config::Config;
use crate::executor::Submission;
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::plans::Plans;
use crate::script::Scripts;
use calls::Answer;
use commits::Commits;
use held::HeldRuns;
use session::Session;

/// From the signal to the end of the process. Kubernetes waits longer; the runs should not.
const DRAIN: Duration = Duration::from_millis(1_700);
/// Submissions taken before calls are started, so that what arrives together leaves together.
const SUBMISSIONS: usize = 64;
/// The name under which readiness is told.
const READINESS: &str = "session";

/// Why a runner cannot run.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum Error {
    /// The client of the API server could not be made.
    #[snafu(display("failed to make a client of the API server at {url}: {message}"))]
    Client {
        /// The address that was given.
        url: String,
        /// Why.
        message: String,
    },
    /// The capacity is zero.
    #[snafu(display("a runner with capacity 0 would never run anything: give it at least 1"))]
    NoCapacity,
    /// The path of this program is not known, which scripts run in.
    #[snafu(display("failed to find this program, in which scripts run"))]
    Worker {
        /// What the system says.
        source: std::io::Error,
    },
    /// A bug.
    #[snafu(display("a call to the API server ended in a panic"))]
    Call {
        /// What tokio says of it.
        source: JoinError,
    },
}

/// Runs until `shutdown`, and for up to two seconds more.
pub(crate) async fn run(config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    if config.capacity == 0 {
        return NoCapacitySnafu.fail();
    }
    let api = Api::new(&config.api_url, config.token.clone()).map_err(|message| Error::Client {
        url: config.api_url.to_string(),
        message,
    })?;
    let scripts = Scripts::new().context(WorkerSnafu)?;
    config.health.set_ready(READINESS, false);
    let (submissions, received) = mpsc::channel(SUBMISSIONS);
    let dispatcher = Dispatcher {
        api: Arc::new(api),
        actions: Actions::new(Guard::new(config.egress.clone()), scripts),
        session: Session::none(),
        held: HeldRuns::new(config.metrics.clone()),
        commits: Commits::default(),
        plans: Plans::default(),
        calls: JoinSet::new(),
        executors: JoinSet::new(),
        submissions,
        may_start: watch::Sender::new(false),
        drain: CancellationToken::new(),
        drained_at: None,
        metrics: config.metrics.clone(),
        config,
    };
    dispatcher.run(received, shutdown).await
}

struct Dispatcher {
    config: Config,
    api: Arc<Api>,
    actions: Actions,
    session: Session,
    held: HeldRuns,
    commits: Commits,
    plans: Plans,
    calls: JoinSet<Answer>,
    executors: JoinSet<()>,
    /// Handed to executors.
    submissions: mpsc::Sender<Submission>,
    /// False while the API server may have given the runs to others.
    may_start: watch::Sender<bool>,
    /// Cancelled when the process is about to end.
    drain: CancellationToken,
    /// When it must have ended.
    drained_at: Option<Instant>,
    metrics: Metrics,
}

impl Dispatcher {
    async fn run(
        mut self,
        mut received: mpsc::Receiver<Submission>,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        let mut together = Vec::with_capacity(SUBMISSIONS);
        loop {
            if self.is_drained() {
                self.say_goodbye().await;
                return Ok(());
            }
            self.start_calls();
            let timer = self.next_timer();
            tokio::select! {
                () = shutdown.cancelled(), if self.drained_at.is_none() => self.start_draining(),
                Some(answer) = self.calls.join_next() => match answer {
                    Ok(answer) => self.answered(answer),
                    // Calls end early when their session or this process does.
                    Err(error) if error.is_cancelled() => {}
                    Err(source) => return Err(Error::Call { source }),
                },
                _ = received.recv_many(&mut together, SUBMISSIONS) => {
                    for submission in together.drain(..) {
                        self.submitted(submission);
                    }
                }
                Some(ended) = self.executors.join_next_with_id() => self.ended(ended),
                () = sleep_until(timer) => {}
            }
        }
    }

    // What should be under way.

    fn start_calls(&mut self) {
        let now = Instant::now();
        let Session::Open(open) = &mut self.session else {
            if self.drained_at.is_none() && self.session.may_open(now) {
                self.open_session();
            }
            return;
        };
        open.judge_silence(now, &self.may_start, &self.config.health);
        let session = open.id;
        if !open.beating && now >= open.beat_at {
            open.beating = true;
            let body = Heartbeat {
                session,
                held: self.held.fences(),
                draining: self.drained_at.is_some(),
            };
            self.calls.spawn(calls::heartbeat(Arc::clone(&self.api), body));
        }
        let free = self.config.capacity.saturating_sub(self.held.count());
        if self.drained_at.is_none() && open.leasing.is_none() && free > 0 && now >= open.lease_at {
            let body = LeaseRequest {
                session,
                free,
                wait_seconds: flowpilot_engine::protocol::runner::LEASE_WAIT_SECONDS,
                have: self.plans.digests(),
                held: self.held.ids(),
            };
            open.leasing = Some(self.calls.spawn(calls::lease(Arc::clone(&self.api), body)));
        }
        while let Some(batch) = self.commits.next_batch() {
            self.calls
                .spawn(calls::commit(Arc::clone(&self.api), session, batch));
        }
    }

    fn open_session(&mut self) {
        let body = OpenSession {
            runner: self.config.runner.clone(),
            pool: self.config.pool.clone(),
            capacity: self.config.capacity,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.session.opening();
        self.calls.spawn(calls::open(Arc::clone(&self.api), body));
    }

    fn next_timer(&self) -> Instant {
        let session = self.session.next_timer();
        self.drained_at.map_or(session, |drained| session.min(drained))
    }

    // What ends.

    fn lose(&mut self, run: Uuid, why: &str) {
        if self.held.drop_run(run) {
            tracing::info!(run.id = %run, why, "run lost");
            self.metrics.runs_lost.inc();
        }
    }

    /// What a failure says about the session itself.
    fn trouble(&mut self, failure: &Failure) {
        let Session::Open(open) = &mut self.session else {
            return;
        };
        let closed = match failure {
            Failure::SessionClosed => true,
            Failure::Unauthorized { .. } => {
                self.api.renew_token();
                open.is_locked_out()
            }
            Failure::Away { .. } | Failure::Refused { .. } => false,
        };
        if closed {
            tracing::warn!(session.id = %open.id, runs = self.held.count(), "session closed: dropping its runs");
            self.close_session();
        }
    }

    fn close_session(&mut self) {
        self.held.clear();
        self.commits = Commits::default();
        self.calls.abort_all();
        self.session = Session::none();
        self.may_start.send_replace(false);
        self.metrics.session.set(0);
        self.config.health.set_ready(READINESS, false);
    }

    fn start_draining(&mut self) {
        tracing::info!(runs = self.held.count(), "handing runs back");
        self.config.health.drain();
        self.drained_at = Some(Instant::now() + DRAIN);
        self.drain.cancel();
        if let Session::Open(open) = &mut self.session
            && let Some(lease) = open.leasing.take()
        {
            lease.abort();
        }
    }

    fn is_drained(&self) -> bool {
        let Some(at) = self.drained_at else { return false };
        let nothing_left = self.executors.is_empty() && self.commits.is_empty();
        nothing_left || self.session.id().is_none() || Instant::now() >= at
    }

    async fn say_goodbye(&mut self) {
        if let Some(session) = self.session.id() {
            calls::close(&self.api, session).await;
        }
        self.close_session();
    }
}
