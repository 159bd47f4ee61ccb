//! A run as people see it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Run;
use super::frame::{FrameId, Instance, RUN};
use super::record::{Phase, Record, Undoing};
use crate::journal::{RunOutcome, SkipReason, StepError};
use crate::plan::{PlanStep, Work};

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// How it ended; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RunOutcome>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// The message of the `stop` step that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How far what was done is taken back.
    #[serde(default, skip_serializing_if = "UndoState::is_none")]
    pub undo: UndoState,
    /// Its steps in the order of the manifest, those of a block behind the block. Items and turns that are over are
    /// not among them: the journal has them.
    pub steps: Vec<StepView>,
}

/// How far what was done is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UndoState {
    /// Nothing was.
    #[default]
    None,
    /// All of it was, as far as it went.
    Complete,
    /// Something could not be taken back: somebody must look.
    Incomplete,
}

impl UndoState {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A step of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Path of the step.
    pub step: String,
    /// The word of the manifest that says what it does, such as `uses`.
    pub kind: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it stands.
    pub state: StepState,
    /// The named outcome, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SkipReason>,
    /// Attempts so far.
    pub attempts: u32,
    /// When its first attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When its wait ends or its next attempt begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Error of the last attempt, if that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Not decided yet.
    Pending,
    /// An attempt is under way.
    Running,
    /// It waits for a time.
    Waiting,
    /// An attempt failed and another one follows.
    Retrying,
    /// It ended well.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It did not run.
    Skipped,
    /// It was ended because its run ended first.
    Cancelled,
}

impl Run {
    /// The state for people.
    #[must_use]
    pub fn view(&self) -> RunView {
        let finished = self.finished.as_ref();
        let mut steps = Vec::with_capacity(self.plan.steps.len());
        self.view_frame(RUN, &mut steps);
        RunView {
            outcome: finished.map(|finished| finished.outcome),
            error: finished.and_then(|finished| finished.error.clone()),
            message: finished.and_then(|finished| finished.message.clone()),
            undo: match (self.undo_is_incomplete, self.undone) {
                (true, _) => UndoState::Incomplete,
                (false, true) => UndoState::Complete,
                (false, false) => UndoState::None,
            },
            steps,
        }
    }

    fn view_frame(&self, id: FrameId, views: &mut Vec<StepView>) {
        let frame = self.frames.get(id);
        if let Some(iterations) = &frame.iterations {
            for child in iterations.children.values() {
                self.view_frame(*child, views);
            }
            return;
        }
        for (step, record) in self.plan.members(frame.block).iter().zip(&frame.records) {
            let instance = Instance {
                frame: id,
                step: *step,
            };
            views.push(self.view_step(instance, record));
            views.extend(record.undo.as_deref().map(|undo| self.view_undo(instance, undo)));
            if let Some(inner) = record.frame.filter(|inner| self.frames.find(*inner).is_some()) {
                self.view_frame(inner, views);
            } else {
                self.view_group_to_come(*step, &frame.prefix, views);
            }
        }
    }

    /// The steps of a group that has not begun are as certain as the group.
    fn view_group_to_come(&self, group: usize, prefix: &str, views: &mut Vec<StepView>) {
        if !matches!(self.plan.steps[group].work, Work::Group { .. }) {
            return;
        }
        for step in self.plan.members(Some(group)) {
            let definition = &self.plan.steps[*step];
            let path = format!("{prefix}{}", definition.id);
            views.push(view(definition, path, &Record::default()));
            self.view_group_to_come(*step, prefix, views);
        }
    }

    fn view_undo(&self, instance: Instance, undo: &Undoing) -> StepView {
        let as_record = Record {
            phase: undo.phase,
            attempts: undo.attempts,
            started_at: Some(undo.started_at),
            ended_at: undo.ended_at,
            timer: undo.timer,
            error: undo.error.clone(),
            ..Record::default()
        };
        let kind = "undo".to_owned();
        StepView {
            kind,
            ..view(
                &self.plan.steps[instance.step],
                self.undo_path(instance),
                &as_record,
            )
        }
    }

    fn view_step(&self, instance: Instance, record: &Record) -> StepView {
        view(&self.plan.steps[instance.step], self.path(instance), record)
    }
}

fn view(step: &PlanStep, path: String, record: &Record) -> StepView {
    let (state, reason) = match record.phase {
        Phase::Pending => (StepState::Pending, None),
        Phase::Running => (StepState::Running, None),
        Phase::Waiting => (StepState::Waiting, None),
        Phase::Retrying => (StepState::Retrying, None),
        Phase::Succeeded => (StepState::Succeeded, None),
        Phase::Failed => (StepState::Failed, None),
        Phase::Skipped(reason) => (StepState::Skipped, Some(reason)),
        Phase::Cancelled => (StepState::Cancelled, None),
    };
    StepView {
        step: path,
        kind: step.kind().to_owned(),
        title: step.title.clone(),
        state,
        named: record.named.as_deref().map(str::to_owned),
        reason,
        attempts: record.attempts,
        started_at: record.started_at,
        ended_at: record.ended_at,
        until: record
            .timer
            .filter(|_| matches!(record.phase, Phase::Waiting | Phase::Retrying)),
        error: record.error.as_deref().cloned(),
    }
}
