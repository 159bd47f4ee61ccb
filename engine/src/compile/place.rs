//! Where an expression stands, and what it may name there.

use super::layout::Layout;
use crate::expression::Read;

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) view: View,
    /// Path in the manifest.
    pub(super) path: &'a str,
}

impl Place<'_> {
    /// Where a read stands in the text of this place.
    pub(super) fn at(&self, read: &Read) -> Spot {
        Spot::new(self.path, read.offset)
    }
}

/// The place of a finding: a path, and where in its text.
pub(super) struct Spot {
    pub(super) path: String,
    /// In bytes.
    pub(super) offset: Option<usize>,
}

impl Spot {
    pub(super) fn new(path: &str, offset: usize) -> Self {
        Self {
            path: path.to_owned(),
            offset: Some(offset),
        }
    }
}

impl From<String> for Spot {
    fn from(path: String) -> Self {
        Self { path, offset: None }
    }
}

impl From<&String> for Spot {
    fn from(path: &String) -> Self {
        path.clone().into()
    }
}

impl From<&str> for Spot {
    fn from(path: &str) -> Self {
        path.to_owned().into()
    }
}

/// From where an expression sees the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// A field of a step: it reads the step's ancestors.
    Step(usize),
    /// `match` of a waiting step: `event`, too.
    Match(usize),
    /// `undo` of a step: the step itself, too.
    Undo(usize),
    /// `result` and `next` of a block: the steps inside it, too.
    After(usize),
    /// `until` of a loop: the same, after `next`.
    Until(usize),
    /// `while` and `delay` of a loop: its carried values, and none of its steps.
    Turn(usize),
    /// Outputs of the run: every step of it.
    Outputs,
    /// Inputs and dedupe key of a trigger.
    Trigger,
    /// `match` of a trigger.
    TriggerMatch,
    /// The key of `concurrency`.
    Concurrency,
}

impl View {
    /// The step that reads.
    pub(super) fn reader(self) -> Option<usize> {
        match self {
            Self::Step(step)
            | Self::Match(step)
            | Self::Undo(step)
            | Self::After(step)
            | Self::Until(step)
            | Self::Turn(step) => Some(step),
            Self::Outputs | Self::Trigger | Self::TriggerMatch | Self::Concurrency => None,
        }
    }

    /// The blocks whose `item`, `index` and carried values can be read here, the innermost first.
    pub(super) fn blocks<'a>(self, layout: &'a Layout<'_>) -> impl Iterator<Item = usize> + 'a {
        let innermost = match self {
            Self::After(block) | Self::Until(block) | Self::Turn(block) => Some(block),
            Self::Step(step) | Self::Match(step) | Self::Undo(step) => layout.block[step],
            Self::Outputs | Self::Trigger | Self::TriggerMatch | Self::Concurrency => None,
        };
        std::iter::successors(innermost, |block| layout.block[*block])
    }

    /// There is a run.
    pub(super) fn is_in_run(self) -> bool {
        !matches!(self, Self::Trigger | Self::TriggerMatch | Self::Concurrency)
    }
}
