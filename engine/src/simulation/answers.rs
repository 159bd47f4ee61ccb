//! Answers that will come.

use std::collections::BTreeMap;

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
    /// Number of the call.
    pub(super) call: usize,
    /// Its output can be used again.
    pub(super) cache: Option<CacheUse>,
    /// It is an earlier output.
    pub(super) is_cached: bool,
    /// What comes; nothing if the attempt was stopped.
    pub(super) result: Option<Result<Value, StepError>>,
}

/// Answers on their way, by moment, then by call.
#[derive(Debug, Default)]
pub(super) struct Answers(BTreeMap<(Timestamp, usize), Due>);

impl Answers {
    pub(super) fn push(&mut self, at: Timestamp, due: Due) {
        self.0.insert((at, due.call), due);
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the first answer that is there by now.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Due> {
        let entry = self.0.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Takes the answer of a step's attempt under way, with its moment.
    pub(super) fn take(&mut self, run: usize, step: &str) -> Option<(Timestamp, Due)> {
        let mut of_step = self.0.iter().filter(|(_, due)| due.run == run && due.step == step);
        let key = *of_step.next()?.0;
        self.0.remove(&key).map(|due| (key.0, due))
    }
}
