//! What an executor hands over to be stored.

use flowpilot_engine::journal::{Event, RunOutcome, StepError};
use flowpilot_engine::protocol::runner::{CommitItem, InboxMessage, Then};
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use crate::actions::internal;

/// One item of a commit, written down once: it is sent again unchanged until there is an answer.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) run: Uuid,
    pub(crate) epoch: i32,
    /// The [`CommitItem`] as JSON.
    pub(crate) item: Vec<u8>,
    /// Events that are stored afterwards.
    pub(crate) next_seq: i32,
    /// The run is not in this runner's hands afterwards.
    pub(crate) closing: bool,
    /// When it was handed over.
    pub(crate) since: Instant,
    /// Told when it is stored, with new messages; dropped when the run is lost.
    pub(crate) reply: oneshot::Sender<Vec<InboxMessage>>,
}

impl Submission {
    /// Nothing if the item cannot be written as JSON, which no value in it allows.
    pub(super) fn new(item: &CommitItem) -> Option<(Self, oneshot::Receiver<Vec<InboxMessage>>)> {
        let (reply, answer) = oneshot::channel();
        let json = serde_json::to_vec(item)
            .inspect_err(|error| tracing::error!(run.id = %item.run, %error, "events cannot be written"))
            .ok()?;
        let submission = Self {
            run: item.run,
            epoch: item.epoch,
            item: json,
            next_seq: item
                .seq
                .saturating_add(i32::try_from(item.events.len()).unwrap_or(i32::MAX)),
            closing: !matches!(item.then, Then::Continue),
            since: Instant::now(),
            reply,
        };
        Some((submission, answer))
    }
}

/// The end of a run whose executor panicked.
pub(crate) fn failed_run(run: Uuid, epoch: i32, seq: i32) -> Option<Submission> {
    let error = internal("the run could not be executed: the runner panicked, see its log");
    let item = failed_item(run, epoch, seq, Vec::new(), error);
    Submission::new(&item).map(|(submission, _)| submission)
}

pub(super) fn failed_item(
    run: Uuid,
    epoch: i32,
    seq: i32,
    mut events: Vec<Event>,
    error: StepError,
) -> CommitItem {
    let outcome = RunOutcome::Failed;
    let error = Some(error);
    let at = Timestamp::now();
    events.push(Event::RunFinished {
        at,
        outcome,
        outputs: None,
        error: error.clone(),
        message: None,
    });
    CommitItem {
        run,
        epoch,
        seq,
        events,
        inbox_seen: 0,
        then: Then::Finish {
            outcome,
            outputs: None,
            error,
        },
    }
}
