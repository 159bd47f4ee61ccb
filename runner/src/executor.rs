//! One run: a task that drives the engine's machine and the attempts it asks for.
//!
//! The machine says what to do; this says when. Before an action that changes the world starts, its beginning is
//! stored; everything else rides along with the next commit, so that a short run is one commit.
//!
//! ```text
//!           ┌─ recover, decide ─► Record ─► pending events ─► commit ─► stored
//! machine ──┤                  ─► Perform ─► (gate: begun and stored?) ─► attempt ─► succeeded, failed
//!           │                  ─► Abort ─► attempt
//!           └─                 ─► Finish ─► the last commit
//! ```

mod attempts;
mod outbox;
mod submission;
mod task;

use std::sync::Arc;
use std::time::Duration;

use flowpilot_engine::journal::{Event, StepError};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::protocol::runner::{InboxBody, InboxMessage, LeasedRun, Then};
use flowpilot_engine::run::{Command, Facts, ReplayError, Run};
use jiff::{SignedDuration, Timestamp};
use snafu::{ResultExt, Snafu};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::actions::Actions;
use crate::metrics::Metrics;
use outbox::Outbox;

pub(crate) use attempts::{Attempts, End, Gate};
pub(crate) use submission::{Submission, failed_run};

/// A run with nothing to do for longer than this gives its place away; a shorter wait costs less here.
const PARK_AFTER: SignedDuration = SignedDuration::from_secs(1);
/// How long running writes may go on when the process is about to end.
const DRAIN: Duration = Duration::from_millis(1_200);
/// A timer that never comes too late for anything.
const FAR: Duration = Duration::from_hours(1);

/// What connects a run with the rest of the runner.
pub(crate) struct Links {
    /// Events to store.
    pub(crate) submissions: mpsc::Sender<Submission>,
    /// Messages of people.
    pub(crate) inbox: mpsc::Receiver<Vec<InboxMessage>>,
    /// The run is somebody else's now.
    pub(crate) stop: CancellationToken,
    /// The process is about to end.
    pub(crate) drain: CancellationToken,
    /// Whether actions may start.
    pub(crate) may_start: watch::Receiver<bool>,
    pub(crate) actions: Actions,
    pub(crate) metrics: Metrics,
}

/// Executes a run until it ended, waits for something, or is taken away.
pub(crate) async fn execute(lease: LeasedRun, plan: Arc<Plan>, links: Links) {
    let stop = links.stop.clone();
    // Dropping the executor ends its attempts.
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = drive(lease, plan, links) => {}
    }
}

async fn drive(lease: LeasedRun, plan: Arc<Plan>, links: Links) {
    let LeasedRun {
        run,
        epoch,
        workflow,
        tenant,
        revision,
        seq,
        url,
        journal,
        inbox,
        plan: _,
    } = lease;
    let facts = Facts {
        run,
        tenant,
        workflow,
        revision,
        url,
        // Only approvals ask who started a run, and the API server takes none yet.
        started_by: String::new(),
        attempt: 1,
        jitter: true,
    };
    let outbox = Outbox::new(run, epoch, seq);
    let machine = match Run::resume(plan, facts, &journal) {
        Ok(machine) => machine,
        Err(source) => return give_up(outbox, &links.submissions, &Stuck::Journal { source }).await,
    };
    drop(journal);
    let attempts = Attempts::new(run, epoch, links.actions, links.metrics);
    let mut executor = Executor {
        machine,
        outbox,
        attempts,
        draining: false,
        beyond: None,
        may_start: links.may_start,
    };
    let driven = executor
        .drive(inbox, links.inbox, &links.submissions, &links.drain)
        .await;
    if let Err(error) = driven {
        let outbox = executor.outbox;
        drop(executor.attempts);
        give_up(outbox, &links.submissions, &error).await;
    }
}

/// Why a run cannot go on here.
#[derive(Debug, Snafu)]
enum Stuck {
    #[snafu(display("{source}"))]
    Journal { source: ReplayError },
    // The API server refuses such workflows when they are registered.
    #[snafu(display("it needs {what}, which this runner cannot do yet"))]
    Beyond { what: &'static str },
}

/// Ends a run that this version cannot continue, so that it does not go from runner to runner forever.
async fn give_up(outbox: Outbox, submissions: &mpsc::Sender<Submission>, error: &Stuck) {
    tracing::error!(run.id = %outbox.run(), %error, "the run cannot be continued: failing it");
    let message = format!("the run cannot be continued: {error}");
    if let Some((submission, answer)) = outbox.fail(message) {
        // Either end is the end of this task.
        let _ = submissions.send(submission).await;
        let _ = answer.await;
    }
}

struct Executor {
    machine: Run,
    outbox: Outbox,
    attempts: Attempts,
    /// The process is about to end: nothing is started any more.
    draining: bool,
    /// What the run needs and this runner cannot do.
    beyond: Option<&'static str>,
    may_start: watch::Receiver<bool>,
}

impl Executor {
    async fn drive(
        &mut self,
        inbox: Vec<InboxMessage>,
        mut messages: mpsc::Receiver<Vec<InboxMessage>>,
        submissions: &mpsc::Sender<Submission>,
        drain: &CancellationToken,
    ) -> Result<(), Stuck> {
        let recovered = self.machine.recover(Timestamp::now());
        self.obey(recovered);
        self.read_messages(inbox).context(JournalSnafu)?;
        let mut answer: Option<oneshot::Receiver<Vec<InboxMessage>>> = None;
        let mut closing = false;
        loop {
            if !self.draining && !closing {
                self.decide();
            }
            if let Some(what) = self.beyond {
                return BeyondSnafu { what }.fail();
            }
            if answer.is_none()
                && let Some(then) = self.next_commit()
            {
                let Some((submission, receiver)) = self.outbox.submit(then) else {
                    return Ok(());
                };
                closing = submission.closing;
                answer = Some(receiver);
                if submissions.send(submission).await.is_err() {
                    return Ok(());
                }
            }
            if !self.draining && *self.may_start.borrow_and_update() {
                self.attempts.start(self.outbox.stored());
            }
            let timer = self.next_timer(closing);
            tokio::select! {
                stored = answered(&mut answer) => {
                    answer = None;
                    // Without an answer the run was taken away.
                    let Some(inbox) = stored else { return Ok(()) };
                    if closing {
                        return Ok(());
                    }
                    self.outbox.acknowledged();
                    self.read_messages(inbox).context(JournalSnafu)?;
                }
                Some(end) = self.attempts.next_end(), if !closing => self.ended(end),
                Some(messages) = messages.recv(), if !closing => self.read_messages(messages).context(JournalSnafu)?,
                changed = self.may_start.changed(), if !closing && !self.draining => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
                () = drain.cancelled(), if !self.draining => self.start_draining(),
                () = sleep_until(timer) => self.attempts.end_overdue(Instant::now()),
            }
        }
    }

    /// Asks the machine until it has nothing more to say: an attempt that it wanted ended may have been the last.
    fn decide(&mut self) {
        loop {
            let commands = self.machine.decide(Timestamp::now());
            if commands.is_empty() {
                return;
            }
            self.obey(commands);
        }
    }

    fn obey(&mut self, commands: Vec<Command>) {
        let mut commands: std::collections::VecDeque<Command> = commands.into();
        while let Some(command) = commands.pop_front() {
            match command {
                Command::Record(event) => self.outbox.record(event),
                Command::Perform(perform) => {
                    let begun = self.outbox.recorded();
                    self.attempts.add(Gate { perform, begun });
                }
                Command::Abort { step } => {
                    for attempt in self.attempts.abort(&step) {
                        commands.extend(self.machine.attempt_cancelled(&step, attempt, Timestamp::now()));
                    }
                }
                Command::Ask(_) => self.beyond = Some("approvals"),
                Command::Listen { .. } | Command::Publish(_) => self.beyond = Some("events"),
                Command::Terminate { .. } => self.beyond = Some("containers"),
                Command::Finish {
                    outcome,
                    outputs,
                    error,
                } => {
                    self.outbox.finish(Then::Finish {
                        outcome,
                        outputs,
                        error,
                    });
                }
            }
        }
    }

    fn ended(&mut self, end: End) {
        // Ended by us and not by its run: whoever goes on with the run sees that it did not end.
        if self.draining && end.result.is_none() {
            return;
        }
        let now = Timestamp::now();
        let commands = match end.result {
            Some(Ok(output)) => self
                .machine
                .attempt_succeeded(&end.step, end.attempt, output, now),
            Some(Err(error)) => {
                let error = StepError {
                    step: Some(end.step.clone()),
                    attempt: Some(end.attempt),
                    ..error
                };
                self.machine.attempt_failed(&end.step, end.attempt, error, now)
            }
            None => self.machine.attempt_cancelled(&end.step, end.attempt, now),
        };
        self.obey(commands);
    }

    fn read_messages(&mut self, messages: Vec<InboxMessage>) -> Result<(), ReplayError> {
        for message in messages {
            // The same messages come until a commit says that they were seen.
            if !self.outbox.sees(message.seq) || self.machine.is_finished() {
                continue;
            }
            match message.body {
                InboxBody::CancelRequested { by } => {
                    let event = Event::CancelRequested {
                        at: Timestamp::now(),
                        by,
                    };
                    self.machine.apply(&event)?;
                    self.outbox.record(event);
                }
            }
        }
        Ok(())
    }

    /// What to commit now, if anything.
    fn next_commit(&self) -> Option<Then> {
        if self.outbox.is_finished() || self.outbox.is_full() {
            return Some(Then::Continue);
        }
        if self.attempts.is_idle() {
            if self.draining {
                return Some(Then::Yield);
            }
            if self.machine.running() == 0 && self.is_long_wait() {
                return Some(Then::Park {
                    wake_at: self.machine.next_timer(),
                });
            }
        }
        let wanted = self.attempts.waits_beyond(self.outbox.stored()) || self.outbox.is_old(Instant::now());
        (wanted && !self.outbox.is_empty()).then_some(Then::Continue)
    }

    fn is_long_wait(&self) -> bool {
        self.machine
            .next_timer()
            .is_none_or(|at| at.duration_since(Timestamp::now()) > PARK_AFTER)
    }

    fn next_timer(&self, closing: bool) -> Instant {
        let now = Instant::now();
        if closing {
            return now + FAR;
        }
        let machine = self
            .machine
            .next_timer()
            .filter(|_| !self.draining)
            .map(|at| now + until(at));
        let flush = self.outbox.old_at();
        [machine, flush, self.attempts.overdue_at()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + FAR)
    }

    fn start_draining(&mut self) {
        self.draining = true;
        // They begin again where the run goes on: the journal says that they began and did not end.
        self.attempts.abandon_all_but_writes(Instant::now() + DRAIN);
    }
}

fn until(at: Timestamp) -> Duration {
    // A moment more: timers of the machine are due at their time, and clocks are rounded.
    let wait = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
    wait.saturating_add(Duration::from_millis(1)).min(FAR)
}

/// The answer to the commit under way; never, if there is none.
async fn answered(answer: &mut Option<oneshot::Receiver<Vec<InboxMessage>>>) -> Option<Vec<InboxMessage>> {
    match answer {
        Some(receiver) => receiver.await.ok(),
        None => std::future::pending().await,
    }
}
