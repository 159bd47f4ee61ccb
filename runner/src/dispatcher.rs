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
mod held;
mod session;

use std::sync::Arc;
use std::time::Duration;

use flowpilot_engine::protocol::runner::{Heartbeat, LeaseRequest, LeasedRun, OpenSession};
use snafu::Snafu;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::actions::Actions;
use crate::api::{Api, Failure};
use crate::config::Config;
use crate::executor::{self, Links, Submission};
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::plans::Plans;
use calls::{Answer, Batch, Leases};
use commits::Commits;
use held::{Held, HeldRuns};
use session::{Open, Session};

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
    config.health.set_ready(READINESS, false);
    let (submissions, received) = mpsc::channel(SUBMISSIONS);
    let dispatcher = Dispatcher {
        api: Arc::new(api),
        actions: Actions::new(Guard::new(config.egress.clone())),
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

    // What happened.

    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Opened(Ok(opened)) => {
                tracing::info!(session.id = %opened.session, "session opened");
                self.metrics.session.set(1);
                self.session = Session::Open(Open::new(&opened));
                self.may_start.send_replace(true);
                self.config.health.set_ready(READINESS, true);
            }
            Answer::Opened(Err(failure)) => self.session.refused(&failure, &self.api),
            // Answers to calls of an earlier session say nothing about this one.
            answer if answer.session() != self.session.id() => {}
            Answer::Beat { sent, result, .. } => self.beat(sent, result),
            Answer::Leased { result, .. } => self.leased(result),
            Answer::Committed { batch, result, .. } => self.committed(batch, result),
        }
    }

    fn beat(&mut self, sent: Instant, result: Result<calls::Beat, Failure>) {
        let Session::Open(open) = &mut self.session else {
            return;
        };
        open.beating = false;
        match result {
            Ok(beat) => {
                open.acknowledged(sent, &self.may_start, &self.config.health);
                for run in beat.lost {
                    self.lose(run, "it is not leased to this session any longer");
                }
                for inbox in beat.inbox {
                    self.held.deliver(inbox.run, inbox.messages);
                }
            }
            Err(failure) => {
                self.metrics.heartbeats_missed.inc();
                tracing::warn!(error = %failure, "heartbeat missed");
                open.missed(Instant::now());
                self.trouble(&failure);
            }
        }
    }

    fn leased(&mut self, result: Result<Leases, Failure>) {
        let Session::Open(open) = &mut self.session else {
            return;
        };
        open.leasing = None;
        match result {
            Ok(leases) => {
                open.lease_failures = 0;
                let taken = leases
                    .runs
                    .into_iter()
                    .map(|run| self.plan_of(run))
                    .collect::<Vec<_>>();
                for (run, plan) in taken.into_iter().flatten() {
                    self.start(run, plan);
                }
            }
            Err(failure) => {
                tracing::warn!(error = %failure, "failed to lease");
                open.lease_failed(Instant::now(), &failure);
                self.trouble(&failure);
            }
        }
    }

    /// Finds the plan of a run. All of one answer are looked up before any of them is started, so that none
    /// pushes another's plan out.
    fn plan_of(&mut self, mut run: LeasedRun) -> Option<(LeasedRun, Arc<flowpilot_engine::plan::Plan>)> {
        let plan = match run.plan.take() {
            Some(plan) => {
                let plan = Arc::new(*plan);
                self.plans.insert(run.revision.clone(), Arc::clone(&plan));
                Some(plan)
            }
            None => self.plans.get(&run.revision),
        };
        if plan.is_none() {
            // It is not in `have` of the next lease, and comes with the run when that is handed out again.
            tracing::warn!(run.id = %run.run, revision = run.revision, "leased without its plan");
        }
        plan.map(|plan| (run, plan))
    }

    fn start(&mut self, run: LeasedRun, plan: Arc<flowpilot_engine::plan::Plan>) {
        if self.held.epoch(run.run).is_some_and(|epoch| epoch >= run.epoch) {
            return;
        }
        // An older hold of the same run: the new one has its events.
        self.held.drop_run(run.run);
        let (id, epoch, seq) = (run.run, run.epoch, run.seq);
        tracing::debug!(run.id = %id, epoch, seq, workflow = run.workflow, "leased");
        let (messages, inbox) = mpsc::channel(held::MESSAGES);
        let stop = CancellationToken::new();
        let links = Links {
            submissions: self.submissions.clone(),
            inbox,
            stop: stop.clone(),
            drain: self.drain.clone(),
            may_start: self.may_start.subscribe(),
            actions: self.actions.clone(),
            metrics: self.metrics.clone(),
        };
        let task = self.executors.spawn(executor::execute(run, plan, links)).id();
        self.held.insert(
            id,
            Held {
                epoch,
                seq,
                messages,
                stop: stop.drop_guard(),
                task,
            },
        );
    }

    fn submitted(&mut self, submission: Submission) {
        // Of a run that was dropped meanwhile: the executor hears it, because its answer's sender goes away.
        if self.held.epoch(submission.run) == Some(submission.epoch) {
            self.commits.push(submission);
        }
    }

    fn committed(&mut self, batch: Batch, result: Result<Vec<calls::Stored>, Failure>) {
        self.commits.answered(&batch);
        match result {
            Ok(stored) => {
                for (submission, result) in batch.submissions.into_iter().zip(stored) {
                    self.stored(submission, result);
                }
            }
            Err(Failure::Refused { status, reason }) => match batch.split() {
                Ok(parts) => self.commits.again(parts),
                Err(submission) => {
                    tracing::error!(run.id = %submission.run, %status, reason, "events were refused: dropping the run");
                    self.held.drop_run(submission.run);
                }
            },
            Err(failure) => {
                tracing::warn!(
                    error = %failure,
                    runs = batch.submissions.len(),
                    attempt = batch.attempt,
                    "commit delayed"
                );
                self.commits.again(batch.delayed(&failure));
                self.trouble(&failure);
            }
        }
    }

    fn stored(&mut self, submission: Submission, result: calls::Stored) {
        use flowpilot_engine::protocol::runner::CommitStatus;
        let run = submission.run;
        match result.status {
            CommitStatus::Ok | CommitStatus::Dup => {
                self.metrics
                    .commit_seconds
                    .observe(submission.since.elapsed().as_secs_f64());
                if submission.closing {
                    self.held.release(run, submission.epoch);
                } else {
                    self.held.stored(run, submission.next_seq);
                }
                // The executor may have been dropped meanwhile.
                let _ = submission.reply.send(result.inbox);
            }
            CommitStatus::Fenced => self.lose(run, "somebody else holds it, or it has ended"),
            CommitStatus::Gap => {
                tracing::error!(run.id = %run, seq = submission.next_seq, "events do not follow those that are stored: dropping the run");
                self.held.drop_run(run);
            }
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (task, panicked) = match ended {
            Ok((task, ())) => (task, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some((run, held)) = self.held.remove_task(task) else {
            return;
        };
        if panicked {
            tracing::error!(run.id = %run, "the executor of the run panicked: failing the run");
            // Nothing of it may be under way, or the number of stored events is not known.
            if !self.commits.has(run)
                && let Some(submission) = executor::failed_run(run, held.epoch, held.seq)
            {
                self.held.insert(run, Held { task, ..held });
                self.commits.push(submission);
            }
        }
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
