//! Events on their way to the journal.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use flowpilot_engine::journal::Event;
use flowpilot_engine::protocol::runner::{CommitItem, InboxMessage, Then};
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use super::submission::{Submission, failed_item};
use crate::actions::internal;

/// Events that wait so long are committed for their own sake: people follow a run live.
const OLD_AFTER: Duration = Duration::from_millis(200);
/// Bytes of events in one item: half of what a call may have.
const ITEM_BYTES: usize = 4 * 1024 * 1024;
/// What an event without values takes, roughly.
const EVENT_BYTES: usize = 200;

/// The events of one run that are not stored yet.
pub(super) struct Outbox {
    run: Uuid,
    epoch: i32,
    /// Events that are stored.
    seq: i32,
    /// Events of the commit under way.
    under_way: i32,
    pending: VecDeque<(Event, usize)>,
    bytes: usize,
    /// When the first pending event was recorded.
    since: Option<Instant>,
    inbox_seen: i32,
    last: Option<Then>,
}

impl Outbox {
    pub(super) fn new(run: Uuid, epoch: i32, seq: i32) -> Self {
        Self {
            run,
            epoch,
            seq,
            under_way: 0,
            pending: VecDeque::new(),
            bytes: 0,
            since: None,
            inbox_seen: 0,
            last: None,
        }
    }

    pub(super) fn run(&self) -> Uuid {
        self.run
    }

    pub(super) fn record(&mut self, event: Event) {
        let bytes = size(&event);
        self.bytes += bytes;
        self.pending.push_back((event, bytes));
        self.since.get_or_insert_with(Instant::now);
    }

    /// The run ended: this is the last thing to say.
    pub(super) fn finish(&mut self, then: Then) {
        self.last = Some(then);
    }

    /// Whether a message is new; from now on it is not.
    pub(super) fn sees(&mut self, message: i32) -> bool {
        let new = message > self.inbox_seen;
        self.inbox_seen = self.inbox_seen.max(message);
        new
    }

    /// Events that are stored.
    pub(super) fn stored(&self) -> i32 {
        self.seq
    }

    /// Events that there are, stored or not.
    pub(super) fn recorded(&self) -> i32 {
        self.seq + self.under_way + i32::try_from(self.pending.len()).unwrap_or(i32::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.last.is_some()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes > ITEM_BYTES
    }

    pub(super) fn is_old(&self, now: Instant) -> bool {
        self.old_at().is_some_and(|at| at <= now)
    }

    /// When the events have waited long enough. While a commit is under way they go with the next one anyway.
    pub(super) fn old_at(&self) -> Option<Instant> {
        self.since
            .filter(|_| self.under_way == 0)
            .map(|since| since + OLD_AFTER)
    }

    /// Hands over as many events as fit. What comes afterwards is said with the last of them.
    pub(super) fn submit(
        &mut self,
        then: Then,
    ) -> Option<(Submission, oneshot::Receiver<Vec<InboxMessage>>)> {
        let mut events = Vec::with_capacity(self.pending.len());
        let mut bytes = 0;
        while let Some((_, size)) = self.pending.front()
            && (events.is_empty() || bytes + size <= ITEM_BYTES)
            && let Some((event, size)) = self.pending.pop_front()
        {
            bytes += size;
            events.push(event);
        }
        self.bytes -= bytes;
        self.under_way = i32::try_from(events.len()).unwrap_or(i32::MAX);
        let then = if self.pending.is_empty() {
            self.since = None;
            self.last.take().unwrap_or(then)
        } else {
            Then::Continue
        };
        let Self {
            run,
            epoch,
            seq,
            inbox_seen,
            ..
        } = *self;
        Submission::new(&CommitItem {
            run,
            epoch,
            seq,
            events,
            inbox_seen,
            then,
        })
    }

    /// The commit under way is stored.
    pub(super) fn acknowledged(&mut self) {
        self.seq += self.under_way;
        self.under_way = 0;
    }

    /// The end of a run that cannot go on; nothing while a commit is under way, because then the number of stored
    /// events is not known. The run is handed out again, and fails there.
    pub(super) fn fail(self, message: String) -> Option<(Submission, oneshot::Receiver<Vec<InboxMessage>>)> {
        if self.under_way > 0 {
            return None;
        }
        let events = self.pending.into_iter().map(|(event, _)| event).collect();
        let item = failed_item(self.run, self.epoch, self.seq, events, internal(message));
        Submission::new(&item)
    }
}

/// What an event takes as JSON, roughly: only values can be large.
fn size(event: &Event) -> usize {
    let values = match event {
        Event::StepSucceeded { output, .. } => length(output),
        Event::StepFailed { error, output, .. } => length(error) + length(output),
        Event::IterationsOpened { items, carried, .. } => length(items) + length(carried),
        Event::IterationEnded { end, .. } => length(end),
        Event::Voted { vote, .. } => length(vote),
        Event::RunFinished { outputs, error, .. } => length(outputs) + length(error),
        _ => 0,
    };
    EVENT_BYTES + values
}

fn length(value: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What cannot be written is noticed when it is.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}
