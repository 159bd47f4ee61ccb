//! Early ends of a run: failing, cancel, timeout, `stop`. What runs is ended, clean-up runs, all else is skipped.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::record::Phase;
use super::{Command, Run, after};
use crate::action::Effect;
use crate::journal::{Event, SkipReason, StepError};
use crate::plan::{Edge, Work};

/// Who asks for the end when the run's timeout is over.
pub(super) const TIMEOUT: &str = "timeout";
/// Events of one run. Each is a row; what a run does beyond that should be several runs.
pub(super) const EVENTS: usize = 10_000;
/// A Write that runs when its block ends is left to finish so long, so that its answer is known.
const LEFT_TO_FINISH: SignedDuration = SignedDuration::from_secs(60);
/// Clean-up may take so long after the end began, or until the run's timeout if that is later: no run is stuck.
const CLEAN_UP: SignedDuration = SignedDuration::from_hours(1);

/// Why a run ends before all its steps have.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) cause: Cause,
    since: Timestamp,
    /// Pending steps were skipped and running ones ended.
    pub(super) swept: bool,
    /// Clean-up took too long and was ended, too.
    cut_short: bool,
}

/// What began the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A failure that nothing handles, the timeout, a limit: the error is in `Run::error`.
    Failing,
    /// Somebody wanted it.
    Cancelled,
    /// A `stop` step.
    Stopped { step: usize, succeeded: bool },
}

impl Run {
    fn ends(&mut self, cause: Cause, since: Timestamp) {
        self.ending.get_or_insert(Ending {
            cause,
            since,
            swept: false,
            cut_short: false,
        });
    }

    /// Nothing handles the failure of this step.
    pub(super) fn unhandled(&mut self, step: usize, at: Timestamp) {
        let record = &self.records[step];
        // What was under way when the end began is nobody's failure; clean-up is, if there is no other.
        if (self.ending.is_none() || record.clean_up) && self.error.is_none() {
            self.error.clone_from(&record.error);
        }
        self.ends(Cause::Failing, at);
    }

    pub(super) fn stops(&mut self, step: usize, succeeded: bool, at: Timestamp) {
        self.ends(Cause::Stopped { step, succeeded }, at);
    }

    pub(super) fn cancel_requested(&mut self, by: &str, at: Timestamp) {
        // A person may be called "timeout"; before the time is over that is a cancel like any other.
        if by == TIMEOUT && at >= self.deadline {
            let limit = SignedDuration::from_millis(i64::try_from(self.plan.timeout_ms).unwrap_or(i64::MAX));
            self.fails("Timeout", format!("the run took longer than {limit:#}"), at);
        } else {
            self.ends(Cause::Cancelled, at);
        }
    }

    /// A run with too many events fails; what is still recorded then is bounded by its steps.
    pub(super) fn limit_events(&mut self, at: Timestamp) {
        if self.events == EVENTS {
            self.fails(
                "LimitExceeded",
                format!("the run has more than {EVENTS} events"),
                at,
            );
        }
    }

    fn fails(&mut self, code: &str, message: String, at: Timestamp) {
        if self.ending.is_none() {
            self.error = Some(Arc::new(StepError {
                code: code.to_owned(),
                message,
                ..StepError::default()
            }));
            self.ends(Cause::Failing, at);
        }
    }

    /// When the run's timeout, or that of its clean-up, is over.
    pub(super) fn end_timer(&self) -> Option<Timestamp> {
        match &self.ending {
            None => Some(self.deadline),
            Some(ending) if !ending.cut_short => Some(after(ending.since, CLEAN_UP).max(self.deadline)),
            Some(_) => None,
        }
    }

    /// The end timer is due.
    pub(super) fn end_timer_due(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        match &mut self.ending {
            None => self.record(
                Event::CancelRequested {
                    at: now,
                    by: TIMEOUT.to_owned(),
                },
                commands,
            ),
            Some(ending) => {
                (ending.swept, ending.cut_short) = (true, true);
                if self.error.is_none() {
                    let message = "clean-up took too long".to_owned();
                    let error = StepError {
                        code: "Timeout".to_owned(),
                        message,
                        ..StepError::default()
                    };
                    self.error = Some(Arc::new(error));
                }
                self.end_steps(true, now, commands);
            }
        }
    }

    /// Ends what runs and skips what does not, but for clean-up. Returns whether there was something to do.
    pub(super) fn sweep(&mut self, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        match &mut self.ending {
            Some(ending) if !ending.swept => ending.swept = true,
            _ => return false,
        }
        self.end_steps(false, now, commands);
        true
    }

    fn end_steps(&mut self, also_clean_up: bool, now: Timestamp, commands: &mut Vec<Command>) {
        for step in 0..self.records.len() {
            let spared = !also_clean_up && (self.records[step].clean_up || self.is_clean_up(step));
            match self.records[step].phase {
                Phase::Pending if !spared => {
                    let (step, reason) = (self.path(step), SkipReason::Cancelled);
                    self.record(
                        Event::StepSkipped {
                            step,
                            at: now,
                            reason,
                        },
                        commands,
                    );
                }
                phase if phase.is_active() && (also_clean_up || !self.records[step].clean_up) => {
                    self.end_step(step, now, commands);
                }
                _ => {}
            }
        }
    }

    /// Ends a step that is under way: at once, save what may have changed the world already.
    fn end_step(&mut self, step: usize, now: Timestamp, commands: &mut Vec<Command>) {
        let path = self.path(step);
        let Work::Uses { effect, .. } = self.plan.steps[step].work else {
            return self.record(Event::StepCancelled { step: path, at: now }, commands);
        };
        if self.records[step].phase != Phase::Running {
            return self.record(Event::StepCancelled { step: path, at: now }, commands);
        }
        if self.records[step].aborted {
            return;
        }
        self.records[step].aborted = true;
        match effect {
            Effect::None | Effect::Read => {
                self.set_timer(step, None);
                commands.push(Command::Abort { step: path });
            }
            Effect::Write | Effect::Irreversible => {
                let limit = after(now, LEFT_TO_FINISH);
                let limit = self.records[step]
                    .timer
                    .map_or(limit, |timeout| timeout.min(limit));
                self.set_timer(step, Some(limit));
            }
        }
    }

    /// A step that runs after any end of another one.
    fn is_clean_up(&self, step: usize) -> bool {
        self.plan.steps[step]
            .needs
            .iter()
            .any(|need| need.edges.contains(&Edge::Done))
    }
}
