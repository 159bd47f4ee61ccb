//! What the machine remembers of each step.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::frame::FrameId;
use crate::expression::Value;
use crate::journal::{SkipReason, StepError, Vote};
use crate::plan::Edge;

/// One step of a block that is under way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) phase: Phase,
    /// Attempts that began.
    pub(super) attempts: u32,
    /// When the first attempt began.
    pub(super) started_at: Option<Timestamp>,
    /// When the last attempt began: `now()` of its expressions.
    pub(super) attempt_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// Key of its timer.
    pub(super) timer: Option<Timestamp>,
    #[serde(with = "super::stored::optional")]
    pub(super) output: Option<Value>,
    /// Failed items of a forEach that collects them.
    #[serde(with = "super::stored::optional")]
    pub(super) failures: Option<Value>,
    pub(super) error: Option<Arc<StepError>>,
    pub(super) named: Option<Arc<str>>,
    /// Needed steps that did not end yet.
    pub(super) waiting_for: usize,
    /// Of a failed step: steps that could still handle it.
    pub(super) possible_handlers: usize,
    /// Of a failed step: a step that needs the failure started.
    pub(super) handled: bool,
    /// It started while its block was ending: clean-up.
    pub(super) clean_up: bool,
    /// Its block ends, and it was asked to.
    pub(super) aborted: bool,
    /// How often an earlier attempt of its group completed it: then it happens anew, under another key.
    pub(super) generation: u32,
    /// Of a block: what runs in it.
    pub(super) frame: Option<FrameId>,
    /// Of a step that was skipped for its needs: the steps whose ends decided that.
    pub(super) forks: Vec<Fork>,
    /// Of an approval: the last vote of each person, in the order of the votes.
    pub(super) votes: Vec<Vote>,
    /// It is, or was, taken back.
    pub(super) undo: Option<Box<Undoing>>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    #[default]
    Pending,
    Running,
    Waiting,
    Retrying,
    Succeeded,
    Failed,
    Skipped(SkipReason),
    Cancelled,
}

/// The undo of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Undoing {
    pub(super) phase: Phase,
    pub(super) attempts: u32,
    pub(super) started_at: Timestamp,
    pub(super) attempt_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) timer: Option<Timestamp>,
    pub(super) error: Option<Arc<StepError>>,
    /// The block that undoes it.
    pub(super) by: FrameId,
}

/// A step whose end decided against a need, and the need that missed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Fork {
    pub(super) step: usize,
    /// The step that missed it, and which of its needs.
    pub(super) missed_by: usize,
    pub(super) need: usize,
}

impl Phase {
    pub(super) fn is_end(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Skipped(_) | Self::Cancelled
        )
    }

    /// An attempt or a wait is under way, or another attempt follows.
    pub(super) fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Waiting | Self::Retrying)
    }
}

impl Record {
    pub(super) fn new(needs: usize) -> Self {
        Self {
            waiting_for: needs,
            ..Self::default()
        }
    }

    /// The end of the step lets somebody go on over this edge.
    pub(super) fn meets(&self, edge: &Edge) -> bool {
        match edge {
            Edge::Succeeded => matches!(
                self.phase,
                Phase::Succeeded | Phase::Skipped(SkipReason::Condition)
            ),
            Edge::Failed => self.phase == Phase::Failed,
            Edge::Done => self.phase.is_end(),
            Edge::Named { name, .. } => {
                matches!(self.phase, Phase::Succeeded | Phase::Failed) && self.named.as_deref() == Some(name)
            }
        }
    }

    /// What `steps.x.outcome` reads; nothing while the step goes on.
    pub(super) fn outcome(&self) -> Option<&str> {
        let plain = match self.phase {
            Phase::Succeeded => "succeeded",
            Phase::Failed => "failed",
            Phase::Skipped(_) => "skipped",
            Phase::Cancelled => "cancelled",
            Phase::Pending | Phase::Running | Phase::Waiting | Phase::Retrying => return None,
        };
        Some(self.named.as_deref().unwrap_or(plain))
    }
}
