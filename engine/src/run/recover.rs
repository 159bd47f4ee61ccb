//! Taking over a run whose runner died: what becomes of attempts that began and did not end.

use jiff::Timestamp;

use super::frame::Instance;
use super::path::Target;
use super::record::Phase;
use super::{Command, Run};
use crate::action::Effect;
use crate::journal::{Event, RunMode, StepError};
use crate::plan::{ApprovalWork, WaitFor, Work};

impl Run {
    /// What becomes of attempts that began and did not end, after another runner held the run: call it once after
    /// [`Run::resume`], before [`Run::decide`]. What may be repeated is performed again, as the same attempt; the
    /// rest failed as `Interrupted`. Questions are asked again, and events listened for.
    pub fn recover(&mut self, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.finished.is_some() {
            return commands;
        }
        for instance in self.interrupted() {
            let is_there = self.frames.find(instance.frame).is_some();
            if is_there && self.finished.is_none() {
                // What was asked of its attempt was asked of the runner that went away: it is asked again.
                if self.record_of(instance).aborted {
                    self.record_mut(instance).aborted = false;
                    self.set_timer(instance, self.attempt_ends_at(instance));
                    self.sweeps.insert(instance.frame);
                }
                self.recover_step(instance, now, &mut commands);
                self.recover_undo(instance, now, &mut commands);
            }
        }
        commands
    }

    /// Steps that were under way, in the order of the list.
    fn interrupted(&self) -> Vec<Instance> {
        let mut found = Vec::new();
        for frame in self.frames.ids() {
            let members = self.plan.members(self.frames.get(frame).block).iter();
            for (step, record) in members.zip(&self.frames.get(frame).records) {
                let undoes = record
                    .undo
                    .as_deref()
                    .is_some_and(|undo| undo.phase == Phase::Running);
                if undoes || matches!(record.phase, Phase::Running | Phase::Waiting) {
                    let instance = Instance { frame, step: *step };
                    found.push((self.order_of(instance), instance));
                }
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, instance)| instance).collect()
    }

    fn recover_step(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let plan = self.plan.clone();
        let record = self.record_of(instance);
        let (phase, until, has_frame) = (record.phase, record.timer, record.frame.is_some());
        let work = &plan.steps[instance.step].work;
        match (phase, work) {
            (Phase::Waiting, Work::Approval(approval)) => {
                self.decide_approval(instance, approval, now, commands);
                if self.record_of(instance).phase == Phase::Waiting {
                    self.ask_again(instance, approval, until, commands);
                }
            }
            (Phase::Waiting, Work::Wait(WaitFor::Event(event))) if self.mode == RunMode::Run => {
                self.listen_for(instance, event, commands);
            }
            (Phase::Running, _) if !has_frame => self.recover_attempt(instance, work, now, commands),
            _ => {}
        }
    }

    fn ask_again(
        &self,
        instance: Instance,
        approval: &ApprovalWork,
        until: Option<Timestamp>,
        commands: &mut Vec<Command>,
    ) {
        // It could be asked before, from the same data.
        if let Ok(question) = self.question(instance, approval, until) {
            commands.push(Command::Ask(question));
        }
    }

    fn recover_attempt(
        &mut self,
        instance: Instance,
        work: &Work,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let is_ending =
            self.frames.get(instance.frame).ending.is_some() && !self.record_of(instance).clean_up;
        let (effect, idempotency_key) = match work {
            Work::Uses {
                effect,
                idempotency_key,
                ..
            } => (*effect, *idempotency_key),
            // They go on without a runner, under a name that follows from the step: asked again, they are found.
            Work::Container(_) | Work::Workflow { .. } => return self.work(instance, now, commands),
            _ => (Effect::None, false),
        };
        let harmless = matches!(effect, Effect::None | Effect::Read);
        if is_ending && harmless {
            let event = Event::StepCancelled {
                step: self.path(instance),
                at: now,
            };
            self.record_at(Target::Step(instance), event, commands);
        } else if !is_ending && (harmless || idempotency_key) {
            self.work(instance, now, commands);
        } else {
            self.fail(instance, interrupted(), now, commands);
        }
    }

    fn recover_undo(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let is_there = self.frames.find(instance.frame).is_some();
        let undo = is_there
            .then(|| self.record_of(instance).undo.as_deref())
            .flatten();
        if undo.is_none_or(|undo| undo.phase != Phase::Running) {
            return;
        }
        if self.may_undo_again(instance, &interrupted()) {
            self.work_undo(instance, now, commands);
        } else {
            self.undo_failed(instance, interrupted(), false, now, commands);
        }
    }
}

fn interrupted() -> StepError {
    StepError {
        code: "Interrupted".to_owned(),
        message: "the runner went away during the attempt".to_owned(),
        may_have_happened: true,
        ..StepError::default()
    }
}
