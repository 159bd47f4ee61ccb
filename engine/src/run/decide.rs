//! What to do next.

use jiff::Timestamp;

use super::ending::Cause;
use super::frame::Instance;
use super::join::{self, Decision};
use super::path::Target;
use super::record::Phase;
use super::replay::TOOK_LONGER;
use super::{Command, Run, Timer};
use crate::journal::{Event, SkipReason, StepError};
use crate::plan::Work;

impl Run {
    /// What to do at `now`. Call it after [`Run::resume`], after each report, and when [`Run::next_timer`] is due.
    /// When nothing changed it returns nothing.
    pub fn decide(&mut self, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        while !self.is_finished() {
            let went_on = self.timers_due(now, &mut commands);
            if !self.decide_once(now, &mut commands) && !went_on {
                break;
            }
        }
        commands
    }

    /// The next thing that can be decided: joins first, then ends, then what starts.
    fn decide_once(&mut self, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        self.decisions += 1;
        if let Some((_, step)) = self.dirty.pop_first() {
            self.join(step, now, commands);
        } else if let Some(frame) = self.sweeps.pop_first() {
            self.sweep(frame, now, commands);
        } else if let Some(frame) = self.settling.pop_first() {
            self.settle(frame, now, commands);
        } else if let Some((_, step)) = self.ready.pop_first() {
            self.start(step, now, commands);
        } else {
            return false;
        }
        true
    }

    /// Everything whose time has come, in the order of the times.
    fn timers_due(&mut self, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        let mut went_on = false;
        loop {
            let end = self.end_timer().filter(|end| *end <= now);
            let first = self.timers.first().copied().filter(|(at, ..)| *at <= now);
            match (end, first) {
                (Some(end), first) if first.is_none_or(|(at, ..)| end < at) => {
                    self.end_timer_due(now, commands);
                }
                (_, Some((_, _, timer))) => self.timer_due(timer, now, commands),
                _ => return went_on,
            }
            went_on = true;
        }
    }

    fn timer_due(&mut self, timer: Timer, now: Timestamp, commands: &mut Vec<Command>) {
        match timer {
            Timer::Step(instance) => {
                self.set_timer(instance, None);
                self.step_timer_due(instance, now, commands);
            }
            Timer::Frame(frame) => {
                self.set_frame_timer(frame, None);
                self.frame_timer_due(frame, now, commands);
            }
            Timer::Undo(instance) => {
                self.set_undo_timer(instance, None);
                self.undo_again(instance, now, commands);
            }
        }
    }

    fn step_timer_due(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let plan = self.plan.clone();
        let definition = &plan.steps[instance.step];
        let record = self.record_of(instance);
        let (phase, attempt, aborted) = (record.phase, record.attempts, record.aborted);
        match phase {
            Phase::Waiting => self.wait_is_over(instance, now, commands),
            Phase::Retrying => {
                self.ready.insert((self.order_of(instance), instance));
            }
            Phase::Running if aborted => {
                let step = self.path(instance);
                commands.push(Command::Abort { step });
            }
            Phase::Running => {
                let timeout = definition.timeout_ms.unwrap_or_default();
                let took_longer =
                    if definition.work.is_block() && !matches!(definition.work, Work::Group { .. }) {
                        "it took longer than"
                    } else {
                        TOOK_LONGER
                    };
                let error = StepError {
                    code: "Timeout".to_owned(),
                    message: format!("{took_longer} {}", human(timeout)),
                    may_have_happened: self.changes_the_world(instance),
                    ..StepError::default()
                };
                if definition.work.is_block() {
                    return self.block_times_out(instance, attempt, error, now, commands);
                }
                self.fail(instance, error, now, commands);
                let step = self.path(instance);
                commands.push(Command::Abort { step });
            }
            Phase::Pending | Phase::Succeeded | Phase::Failed | Phase::Skipped(_) | Phase::Cancelled => {}
        }
    }

    fn block_times_out(
        &mut self,
        instance: Instance,
        attempt: u32,
        mut error: StepError,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let Some(frame) = self.record_of(instance).frame else {
            return self.fail(instance, error, now, commands);
        };
        // One that ends already has its reason; its clean-up is not cut short.
        if self.goes_on(frame) {
            let step = self.path(instance);
            (error.step, error.attempt) = (Some(step.clone()), Some(attempt));
            let event = Event::BlockFailing { step, at: now, error };
            self.record_at(Target::Step(instance), event, commands);
        }
    }

    fn join(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        if self.record_of(instance).phase != Phase::Pending {
            return;
        }
        match join::decide(&self.plan, self.frames.get(instance.frame), instance.step) {
            Decision::Run if self.cut_short => {
                // A block that was skipped gives its steps its own reason.
                let reason = match self.frames.get(instance.frame).cause() {
                    Some(Cause::Skipped(reason)) => *reason,
                    _ => SkipReason::Cancelled,
                };
                self.skip(instance, reason, now, commands);
            }
            Decision::Run => {
                self.ready.insert((self.order_of(instance), instance));
            }
            Decision::Skip(reason, _) => self.skip(instance, reason, now, commands),
        }
    }

    pub(super) fn skip(
        &mut self,
        instance: Instance,
        reason: SkipReason,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let event = Event::StepSkipped {
            step: self.path(instance),
            at: now,
            reason,
        };
        self.record_at(Target::Step(instance), event, commands);
    }

    /// Asks `when`, then begins the first attempt; or begins a further one.
    fn start(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let record = self.record_of(instance);
        if record.phase == Phase::Retrying {
            let attempt = record.attempts + 1;
            return self.begin(instance, attempt, now, commands);
        }
        match self.condition(instance, now) {
            Ok(true) => self.begin(instance, 1, now, commands),
            Ok(false) => self.skip(instance, SkipReason::Condition, now, commands),
            Err(error) => {
                let event = Event::StepStarted {
                    step: self.path(instance),
                    at: now,
                    attempt: 1,
                };
                self.record_at(Target::Step(instance), event, commands);
                self.fail_for_good(instance, *error, now, commands);
            }
        }
    }

    pub(super) fn changes_the_world(&self, instance: Instance) -> bool {
        use crate::action::Effect;
        match &self.plan.steps[instance.step].work {
            Work::Uses { effect, .. } => matches!(effect, Effect::Write | Effect::Irreversible),
            Work::Container(_) | Work::Workflow { .. } => true,
            _ => false,
        }
    }
}

/// Milliseconds as people read them.
fn human(milliseconds: u64) -> String {
    let duration = jiff::SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    format!("{duration:#}")
}
