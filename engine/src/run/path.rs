//! Paths: how events and commands name steps.
//!
//! `a` in the run and in groups, `pay[0].call` in item 0 of the forEach `pay`, `turn[2].get` in the third turn of
//! the loop `turn`; `pay[0]` is the item, and `a.undo` takes `a` back. A group adds nothing: its steps have names of
//! their own in the whole workflow.

use super::Run;
use super::frame::{FrameId, Instance, Owner, RUN};

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Run,
    Step(Instance),
    Undo(Instance),
    /// An item or a turn, which may not have begun.
    Iteration {
        of: FrameId,
        index: usize,
    },
}

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The plan has no such step.
    Unknown,
    /// The block that it is in is not under way.
    NotThere,
}

impl Run {
    pub(super) fn path(&self, instance: Instance) -> String {
        let prefix = &self.frames.get(instance.frame).prefix;
        let id = &self.plan.steps[instance.step].id;
        let mut path = String::with_capacity(prefix.len() + id.len());
        path.push_str(prefix);
        path.push_str(id);
        path
    }

    pub(super) fn undo_path(&self, instance: Instance) -> String {
        format!("{}.undo", self.path(instance))
    }

    /// The path of a block that is under way; empty for the run.
    pub(super) fn frame_path(&self, frame: FrameId) -> String {
        match self.frames.get(frame).owner {
            Owner::Run => String::new(),
            Owner::Step(instance) => self.path(instance),
            Owner::Iteration { of, index } => format!("{}[{index}]", self.frames.get(of).prefix),
        }
    }

    pub(super) fn find(&self, path: &str) -> Result<Target, Lost> {
        if path.is_empty() {
            return Ok(Target::Run);
        }
        let mut frame = RUN;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            let Some((id, index)) = part.strip_suffix(']').and_then(|part| part.split_once('[')) else {
                let step = self.plan.step_number(part).ok_or(Lost::Unknown)?;
                let instance = self.member(frame, step).ok_or(Lost::NotThere)?;
                return match (parts.next(), parts.next()) {
                    (None, _) => Ok(Target::Step(instance)),
                    (Some("undo"), None) => Ok(Target::Undo(instance)),
                    _ => Err(Lost::Unknown),
                };
            };
            let step = self.plan.step_number(id).ok_or(Lost::Unknown)?;
            let index: usize = index.parse().map_err(|_| Lost::Unknown)?;
            let block = self.member(frame, step).ok_or(Lost::NotThere)?;
            let of = self.record_of(block).frame.ok_or(Lost::NotThere)?;
            let iterations = self.frames.find(of).and_then(|frame| frame.iterations.as_ref());
            let iterations = iterations.ok_or(Lost::NotThere)?;
            if parts.peek().is_none() {
                return Ok(Target::Iteration { of, index });
            }
            frame = *iterations.children.get(&index).ok_or(Lost::NotThere)?;
        }
        Err(Lost::Unknown)
    }

    /// A step of a frame, or of the groups inside of it.
    pub(super) fn member(&self, frame: FrameId, step: usize) -> Option<Instance> {
        let block = self.plan.steps[step].block;
        let mine = self.frames.find(frame)?.block;
        if block == mine {
            return Some(Instance { frame, step });
        }
        let group = self.member(frame, block?)?;
        let inner = self.record_of(group).frame?;
        let is_group = self.frames.find(inner)?.iterations.is_none();
        is_group.then_some(Instance { frame: inner, step })
    }

    /// The frame that a block's own events speak of.
    pub(super) fn frame_of(&self, target: Target) -> Option<FrameId> {
        match target {
            Target::Run => Some(RUN),
            Target::Step(instance) => self.record_of(instance).frame,
            Target::Undo(_) => None,
            Target::Iteration { of, index } => self
                .frames
                .find(of)?
                .iterations
                .as_ref()?
                .children
                .get(&index)
                .copied(),
        }
    }
}
