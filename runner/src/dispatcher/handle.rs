//! What the dispatcher does about what it hears.

use std::sync::Arc;

use flowpilot_engine::plan::Plan;
use flowpilot_engine::protocol::runner::{CommitStatus, LeasedRun};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::calls::{Answer, Batch, Beat, Leases, Stored};
use super::held::{self, Held};
use super::session::{Open, Session};
use super::{Dispatcher, READINESS};
use crate::api::Failure;
use crate::executor::{self, Links, Submission};

impl Dispatcher {
    pub(super) fn answered(&mut self, answer: Answer) {
        if answer
            .session()
            .is_some_and(|session| Some(session) != self.session.id())
        {
            // It says nothing about the session of now.
            return;
        }
        match answer {
            Answer::Opened(Ok(opened)) => {
                tracing::info!(session.id = %opened.session, "session opened");
                self.metrics.session.set(1);
                self.session = Session::Open(Open::new(&opened));
                self.may_start.send_replace(true);
                self.config.health.set_ready(READINESS, true);
            }
            Answer::Opened(Err(failure)) => self.session.refused(&failure, &self.api),
            Answer::Beat { sent, result, .. } => self.beat(sent, result),
            Answer::Leased { result, .. } => self.leased(result),
            Answer::Committed { batch, result, .. } => self.committed(batch, result),
        }
    }

    fn beat(&mut self, sent: Instant, result: Result<Beat, Failure>) {
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
                for inbox in leases.inbox {
                    self.held.deliver(inbox.run, inbox.messages);
                }
                for (run, plan) in self.with_plans(leases.runs) {
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

    /// Finds the plans of runs. Those that are here already are taken first, so that no new one pushes them out.
    fn with_plans(&mut self, runs: Vec<LeasedRun>) -> Vec<(LeasedRun, Arc<Plan>)> {
        let known: Vec<Option<Arc<Plan>>> = runs.iter().map(|run| self.plans.get(&run.revision)).collect();
        let plan = |(mut run, known): (LeasedRun, Option<Arc<Plan>>)| {
            let plan = run.plan.take().map(|plan| {
                let plan = Arc::new(*plan);
                self.plans.insert(run.revision.clone(), Arc::clone(&plan));
                plan
            });
            let plan = plan.or(known);
            if plan.is_none() {
                // It is not in `have` of the next lease, and comes with the run when that is handed out again.
                tracing::warn!(run.id = %run.run, revision = run.revision, "leased without its plan");
            }
            plan.map(|plan| (run, plan))
        };
        runs.into_iter().zip(known).filter_map(plan).collect()
    }

    fn start(&mut self, run: LeasedRun, plan: Arc<Plan>) {
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

    pub(super) fn submitted(&mut self, submission: Submission) {
        // Of a run that was dropped meanwhile: the executor hears it, because its answer's sender goes away.
        if self.held.epoch(submission.run) == Some(submission.epoch) {
            self.commits.push(submission);
        }
    }

    fn committed(&mut self, batch: Batch, result: Result<Vec<Stored>, Failure>) {
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

    fn stored(&mut self, submission: Submission, result: Stored) {
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

    pub(super) fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
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
}
