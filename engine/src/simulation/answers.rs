//! Answers that will come.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use crate::journal::StepError;
use crate::run::CacheUse;

/// An answer on its way.
#[derive(Clone, Debug)]
pub(super) struct Due {
    /// The run that asked.
    pub(super) run: usize,
    /// The step as reports name it: an undo ends in `.undo`.
    pub(super) step: String,
    pub(super) attempt: u32,
    /// Number of the call; none left the engine if it is an earlier output.
    pub(super) call: Option<usize>,
    /// Its output can be used again.
    pub(super) cache: Option<CacheUse>,
    /// What comes; nothing if the attempt was stopped.
    pub(super) result: Option<Result<Value, StepError>>,
}

/// When an answer comes, and how many attempts began before its own.
type Place = (Timestamp, usize);

/// Answers on their way, by moment, then by attempt.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by_place: BTreeMap<Place, Due>,
    /// There is one per step of a run.
    by_step: HashMap<(usize, String), Place>,
    begun: usize,
}

impl Answers {
    /// Adds the answer of an attempt that begins.
    pub(super) fn begin(&mut self, at: Timestamp, due: Due) {
        self.begun += 1;
        self.put((at, self.begun), due);
    }

    /// Adds one that was taken, for another moment.
    pub(super) fn put(&mut self, place: Place, due: Due) {
        self.by_step.insert((due.run, due.step.clone()), place);
        self.by_place.insert(place, due);
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_place.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the first answer that is there by now.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Due> {
        let entry = self.by_place.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let due = entry.remove();
        self.by_step.remove(&(due.run, due.step.clone()));
        Some(due)
    }

    /// Takes the answer of a step's attempt under way, with its place.
    pub(super) fn take(&mut self, run: usize, step: &str) -> Option<(Place, Due)> {
        let place = self.by_step.remove(&(run, step.to_owned()))?;
        self.by_place.remove(&place).map(|due| (place, due))
    }
}
