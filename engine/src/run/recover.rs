//! Taking over a run whose runner died: what becomes of attempts that began and did not end.

use jiff::Timestamp;

use super::record::Phase;
use super::{Command, Run};
use crate::action::Effect;
use crate::journal::{Event, StepError};
use crate::plan::Work;

impl Run {
    /// What becomes of attempts that began and did not end, after another runner held the run: call it once after
    /// [`Run::resume`], before [`Run::decide`]. What may be repeated is performed again, as the same attempt; the
    /// rest failed as `Interrupted`.
    pub fn recover(&mut self, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        for step in 0..self.records.len() {
            if self.finished.is_none() && self.records[step].phase == Phase::Running {
                self.recover_step(step, now, &mut commands);
            }
        }
        commands
    }

    fn recover_step(&mut self, step: usize, now: Timestamp, commands: &mut Vec<Command>) {
        let is_ending = self.ending.is_some() && !self.records[step].clean_up;
        let (effect, idempotency_key) = match self.plan.steps[step].work {
            Work::Uses {
                effect,
                idempotency_key,
                ..
            } => (effect, idempotency_key),
            _ => (Effect::None, false),
        };
        let harmless = matches!(effect, Effect::None | Effect::Read);
        if is_ending && harmless {
            self.record(
                Event::StepCancelled {
                    step: self.path(step),
                    at: now,
                },
                commands,
            );
        } else if !is_ending && (harmless || idempotency_key) {
            self.work(step, now, commands);
        } else {
            let error = StepError {
                code: "Interrupted".to_owned(),
                message: "the runner went away during the attempt".to_owned(),
                may_have_happened: true,
                ..StepError::default()
            };
            self.fail(step, error, now, commands);
        }
    }
}
