//! The same driver with a clock that somebody else reads: a real run without a server.
//!
//! ```text
//! begin ─► loop { advance(now) ─► wait for next_moment, or the end of an attempt, or somebody ─► ended, signal_at }
//! ```
//!
//! Boundary: pure. Attempts are in somebody's hands ([`super::Reply::Later`]); time is what the caller says it is, and
//! never runs backwards.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::performing::LATER;
use super::{Report, SignalKind, Simulation};
use crate::journal::StepError;

impl Simulation<'_> {
    /// Lets every run decide what it does first.
    pub fn begin(&mut self) {
        self.settle();
    }

    /// Lets everything happen whose time has come.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while self.fault.is_none() {
            if let Some(due) = self.answers.due(self.now) {
                self.answer(due);
            } else if self.timer().is_some_and(|timer| timer <= self.now) {
                self.ring();
            } else {
                return;
            }
            self.settle();
        }
    }

    /// When [`Simulation::advance`] has something to do by itself.
    #[must_use]
    pub fn next_moment(&self) -> Option<Timestamp> {
        let answer = self.answers.next().filter(|at| *at != LATER);
        [answer, self.timer()].into_iter().flatten().min()
    }

    /// An attempt ended. Nothing comes of one that nobody waits for any more.
    pub fn ended(
        &mut self,
        run: Uuid,
        step: &str,
        attempt: u32,
        result: Result<Value, StepError>,
        now: Timestamp,
    ) {
        self.now = self.now.max(now);
        let Some(number) = self.runs.iter().position(|live| live.id == run) else {
            return;
        };
        let is_meant = |due: &super::answers::Due| due.attempt == attempt && due.result.is_none();
        if let Some((place, due)) = self.answers.take(number, step) {
            if place.0 == LATER && is_meant(&due) {
                let result = Some(result);
                self.answers
                    .put((self.now, place.1), super::answers::Due { result, ..due });
            } else {
                self.answers.put(place, due);
            }
        }
        self.advance(now);
    }

    /// People or the world do something.
    pub fn signal_at(&mut self, what: SignalKind, now: Timestamp) {
        self.now = self.now.max(now);
        self.signal(what);
        self.settle();
        self.advance(now);
    }

    /// Somebody wants all of it to end: the first run, and those that go on beside it.
    pub fn cancel_all(&mut self, by: &str, now: Timestamp) {
        self.now = self.now.max(now);
        for number in 0..self.runs.len() {
            if self.runs[number].caller.is_none() && !self.runs[number].run.is_finished() {
                let commands = self.runs[number].run.cancel(by, self.now);
                self.take(number, commands);
            }
        }
        self.settle();
        self.advance(now);
    }

    /// Every run has ended, or cannot go on.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.fault.is_some() || self.runs.iter().all(|live| live.run.is_finished())
    }

    /// Nothing happens any more unless somebody votes or sends an event, or a run's own timeout is over.
    #[must_use]
    pub fn waits_for_somebody(&self) -> bool {
        let goes_on = |live: &super::live::Live| live.run.next_step_timer().is_some();
        !self.is_over() && self.answers.next().is_none() && !self.runs.iter().any(goes_on)
    }

    /// What it came to.
    #[must_use]
    pub fn finish(self) -> Report {
        self.into_report()
    }
}
