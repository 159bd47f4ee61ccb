//! What to do next.

use jiff::Timestamp;

use super::join::{self, Decision};
use super::record::Phase;
use super::{Command, Run};
use crate::journal::{Event, SkipReason, StepError};
use crate::plan::Work;

impl Run {
    /// What to do at `now`. Call it after [`Run::resume`], after each [`Run::apply`] and `attempt_…`, and when
    /// [`Run::next_timer`] is due. When nothing changed it returns nothing.
    pub fn decide(&mut self, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.is_finished() {
            return commands;
        }
        self.timers_due(now, &mut commands);
        loop {
            while let Some(step) = self.dirty.pop_first() {
                self.join(step, now, &mut commands);
            }
            if self.sweep(now, &mut commands) {
                continue;
            }
            match self.ready.pop_first() {
                Some(step) => self.start(step, now, &mut commands),
                None => break,
            }
        }
        if self.open == 0 {
            self.finish(now, &mut commands);
        }
        commands
    }

    /// Everything whose time has come, in the order of the times.
    fn timers_due(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        loop {
            let end = self.end_timer().filter(|end| *end <= now);
            let first = self.timers.first().copied().filter(|(at, _)| *at <= now);
            match (end, first) {
                (Some(end), first) if first.is_none_or(|(at, _)| end < at) => {
                    self.end_timer_due(now, commands);
                }
                (_, Some((_, step))) => self.timer_due(step, now, commands),
                _ => break,
            }
        }
    }

    fn timer_due(&mut self, step: usize, now: Timestamp, commands: &mut Vec<Command>) {
        self.set_timer(step, None);
        let (phase, attempt) = (self.records[step].phase, self.records[step].attempts);
        let path = self.path(step);
        match phase {
            Phase::Waiting => {
                let event = Event::StepSucceeded {
                    step: path,
                    at: now,
                    attempt,
                    output: None,
                    named: None,
                };
                self.record(event, commands);
            }
            Phase::Retrying => self.begin(step, attempt + 1, now, commands),
            Phase::Running if self.records[step].aborted => commands.push(Command::Abort { step: path }),
            Phase::Running => {
                let timeout = self.plan.steps[step].timeout_ms.unwrap_or_default();
                let error = StepError {
                    code: "Timeout".to_owned(),
                    message: format!("the attempt took longer than {}", human(timeout)),
                    may_have_happened: self.changes_the_world(step),
                    ..StepError::default()
                };
                self.fail(step, error, now, commands);
                commands.push(Command::Abort { step: path });
            }
            Phase::Pending | Phase::Succeeded | Phase::Failed | Phase::Skipped(_) | Phase::Cancelled => {}
        }
    }

    fn join(&mut self, step: usize, now: Timestamp, commands: &mut Vec<Command>) {
        if self.records[step].phase != Phase::Pending {
            return;
        }
        match join::decide(&self.plan.steps, &self.records, step) {
            Decision::Run => {
                self.ready.insert(step);
            }
            Decision::Skip(reason, _) => {
                self.record(
                    Event::StepSkipped {
                        step: self.path(step),
                        at: now,
                        reason,
                    },
                    commands,
                );
            }
        }
    }

    /// Asks `when`, then begins the first attempt.
    fn start(&mut self, step: usize, now: Timestamp, commands: &mut Vec<Command>) {
        match self.condition(step, now) {
            Ok(true) => self.begin(step, 1, now, commands),
            Ok(false) => {
                let (step, reason) = (self.path(step), SkipReason::Condition);
                self.record(
                    Event::StepSkipped {
                        step,
                        at: now,
                        reason,
                    },
                    commands,
                );
            }
            Err(error) => {
                self.record(
                    Event::StepStarted {
                        step: self.path(step),
                        at: now,
                        attempt: 1,
                    },
                    commands,
                );
                self.fail_for_good(step, *error, now, commands);
            }
        }
    }

    pub(super) fn changes_the_world(&self, step: usize) -> bool {
        use crate::action::Effect;
        matches!(
            self.plan.steps[step].work,
            Work::Uses {
                effect: Effect::Write | Effect::Irreversible,
                ..
            }
        )
    }
}

/// Milliseconds as people read them.
fn human(milliseconds: u64) -> String {
    let duration = jiff::SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    format!("{duration:#}")
}
