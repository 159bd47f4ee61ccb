//! What waits to be stored, in batches.

use std::collections::{HashMap, VecDeque};

use flowpilot_engine::protocol::runner::{COMMIT_BYTES, COMMIT_ITEMS};
use uuid::Uuid;

use super::calls::Batch;
use crate::executor::Submission;

/// Commit calls at the same moment. One would make short runs wait for the long commits of others; many would
/// only queue at the database, which merges them anyway.
const CALLS: usize = 4;
/// Room for the session's id and the brackets around the items.
const ENVELOPE: usize = 256;

/// The queue. It is bounded by the number of runs, each of which has at most one entry.
#[derive(Debug, Default)]
pub(super) struct Commits {
    waiting: VecDeque<Submission>,
    /// Batches that were tried before.
    again: VecDeque<Batch>,
    under_way: usize,
    /// Runs with an entry in any of the three, and how many.
    runs: HashMap<Uuid, usize>,
}

impl Commits {
    pub(super) fn push(&mut self, submission: Submission) {
        *self.runs.entry(submission.run).or_default() += 1;
        self.waiting.push_back(submission);
    }

    /// Whether something of this run is on its way.
    pub(super) fn has(&self, run: Uuid) -> bool {
        self.runs.contains_key(&run)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.again.is_empty() && self.under_way == 0
    }

    /// The next call to make, if one may be made now.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        if self.under_way == CALLS {
            return None;
        }
        let batch = match self.again.pop_front() {
            Some(batch) => batch,
            None => Batch::new(self.take_waiting()?),
        };
        self.under_way += 1;
        Some(batch)
    }

    /// A call came back, with whatever answer.
    pub(super) fn answered(&mut self, batch: &Batch) {
        self.under_way -= 1;
        for submission in &batch.submissions {
            if let Some(count) = self.runs.get_mut(&submission.run) {
                *count -= 1;
                if *count == 0 {
                    self.runs.remove(&submission.run);
                }
            }
        }
    }

    /// Batches that must be sent again, before anything else.
    pub(super) fn again(&mut self, batches: impl IntoIterator<Item = Batch>) {
        for batch in batches {
            for submission in &batch.submissions {
                *self.runs.entry(submission.run).or_default() += 1;
            }
            self.again.push_back(batch);
        }
    }

    fn take_waiting(&mut self) -> Option<Vec<Submission>> {
        let mut bytes = ENVELOPE;
        let mut taken = Vec::new();
        while let Some(next) = self.waiting.front() {
            bytes += next.item.len() + 1;
            let fits = taken.is_empty() || (taken.len() < COMMIT_ITEMS && bytes <= COMMIT_BYTES);
            if !fits {
                break;
            }
            taken.extend(self.waiting.pop_front());
        }
        (!taken.is_empty()).then_some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    fn submission(bytes: usize) -> Submission {
        let (reply, _) = oneshot::channel();
        Submission {
            run: Uuid::new_v4(),
            epoch: 1,
            item: vec![b' '; bytes],
            next_seq: 2,
            closing: false,
            since: Instant::now(),
            reply,
        }
    }

    fn sizes(commits: &mut Commits) -> Vec<usize> {
        std::iter::from_fn(|| commits.next_batch())
            .map(|batch| batch.submissions.len())
            .collect()
    }

    #[test]
    fn batches_hold_to_the_limits_of_a_call() {
        let mut commits = Commits::default();
        (0..=COMMIT_ITEMS).for_each(|_| commits.push(submission(10)));
        assert_eq!(sizes(&mut commits), [COMMIT_ITEMS, 1]);

        let mut commits = Commits::default();
        for bytes in [COMMIT_BYTES / 2, COMMIT_BYTES / 2, 10, COMMIT_BYTES, 10] {
            commits.push(submission(bytes));
        }
        assert_eq!(sizes(&mut commits), [1, 2, 1, 1]);
    }

    #[test]
    fn few_calls_at_once_and_repeated_ones_first() {
        let mut commits = Commits::default();
        let first = submission(10);
        let run = first.run;
        commits.push(first);
        let batch = commits.next_batch().unwrap();
        for _ in 0..CALLS {
            commits.push(submission(COMMIT_BYTES));
        }
        assert_eq!(sizes(&mut commits).len(), CALLS - 1);
        commits.answered(&batch);
        assert!(!commits.has(run));
        commits.again([batch]);
        assert!(commits.has(run) && !commits.is_empty());
        assert_eq!(commits.next_batch().unwrap().submissions[0].run, run);
        assert!(commits.next_batch().is_none());
    }
}
