//! Events of what is taken back: one step after the other in each block.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::journal::Event;
use crate::run::ending::Cause;
use crate::run::frame::{FrameId, Instance};
use crate::run::record::{Phase, Undoing};
use crate::run::{Run, Timer, after};

/// The undo of a block may take so long.
const UNDO: SignedDuration = SignedDuration::from_hours(1);

impl Run {
    pub(super) fn fold_undo(&mut self, instance: Instance, event: &Event) -> bool {
        match event {
            Event::StepStarted { at, attempt, .. } => self.undo_started(instance, *attempt, *at),
            Event::StepSucceeded { at, attempt, .. } => {
                let fits = self.is_being_undone(instance, *attempt);
                if fits {
                    self.undo_ended(instance, Phase::Succeeded, *at);
                }
                fits
            }
            Event::StepFailed {
                at,
                attempt,
                error,
                retry_at,
                ..
            } => {
                let fits = self.is_being_undone(instance, *attempt);
                if fits {
                    let retries = retry_at.is_some();
                    if let Some(undo) = &mut self.record_mut(instance).undo {
                        undo.error = Some(Arc::new(error.clone()));
                    }
                    if retries {
                        self.running -= 1;
                        self.set_undo_phase(instance, Phase::Retrying);
                        self.set_undo_timer(instance, *retry_at);
                    } else {
                        self.undo_is_incomplete = true;
                        self.undo_ended(instance, Phase::Failed, *at);
                    }
                }
                fits
            }
            // Somebody stopped an attempt that the machine had given up already: nothing changes.
            Event::StepCancelled { .. } => true,
            _ => false,
        }
    }

    fn undo_started(&mut self, instance: Instance, attempt: u32, at: Timestamp) -> bool {
        let undo = self.record_of(instance).undo.as_deref();
        let by = match undo {
            None if attempt == 1 => self.undone_by(instance),
            Some(undo) if undo.phase == Phase::Retrying && undo.attempts + 1 == attempt => Some(undo.by),
            _ => None,
        };
        let Some(by) = by else { return false };
        self.set_undo_timer(instance, None);
        let record = self.record_mut(instance);
        if let Some(undo) = &mut record.undo {
            (undo.phase, undo.attempts, undo.attempt_at) = (Phase::Running, attempt, at);
        } else {
            record.undo = Some(Box::new(Undoing {
                phase: Phase::Running,
                attempts: attempt,
                started_at: at,
                attempt_at: at,
                ended_at: None,
                timer: None,
                error: None,
                by,
            }));
        }
        self.running += 1;
        let frame = self.frames.get_mut(by);
        frame.undoing = Some(instance);
        if frame.undo_since.is_none() {
            frame.undo_since = Some(at);
            // The last one is taken back first, wherever in the block it ended.
            frame.completed.sort_by_key(|completed| completed.sequence);
            self.set_frame_timer(by, Some(after(at, UNDO)));
        }
        true
    }

    /// The block that has this step to take back now.
    fn undone_by(&self, instance: Instance) -> Option<FrameId> {
        let mut id = instance.frame;
        loop {
            let frame = self.frames.find(id)?;
            if frame.is_over()
                && frame.cause().is_some_and(Cause::undoes)
                && frame
                    .completed
                    .iter()
                    .rev()
                    .any(|completed| completed.instance == instance)
            {
                return Some(id);
            }
            id = self.outer(id)?;
        }
    }

    fn is_being_undone(&self, instance: Instance, attempt: u32) -> bool {
        let undo = self.record_of(instance).undo.as_deref();
        undo.is_some_and(|undo| undo.phase == Phase::Running && undo.attempts == attempt)
    }

    fn undo_ended(&mut self, instance: Instance, phase: Phase, at: Timestamp) {
        self.set_undo_phase(instance, phase);
        self.set_undo_timer(instance, None);
        self.running -= 1;
        let Some(undo) = &mut self.record_mut(instance).undo else {
            return;
        };
        undo.ended_at = Some(at);
        let by = undo.by;
        let frame = self.frames.get_mut(by);
        frame.undoing = None;
        let last = frame
            .completed
            .iter()
            .rposition(|completed| completed.instance == instance);
        if let Some(last) = last {
            frame.completed.remove(last);
        }
        self.undone = true;
        self.settling.insert(by);
    }

    /// What is left stays as it is.
    pub(super) fn undo_given_up(&mut self, id: FrameId, at: Timestamp) -> bool {
        if self
            .frames
            .find(id)
            .is_none_or(|frame| frame.undo_since.is_none() || frame.closed)
        {
            return false;
        }
        self.undo_is_incomplete = true;
        if let Some(instance) = self.frames.get(id).undoing {
            let was_running = self
                .record_of(instance)
                .undo
                .as_deref()
                .is_some_and(|undo| undo.phase == Phase::Running);
            self.running -= usize::from(was_running);
            self.set_undo_phase(instance, Phase::Cancelled);
            self.set_undo_timer(instance, None);
            if let Some(undo) = &mut self.record_mut(instance).undo {
                undo.ended_at = Some(at);
            }
        }
        let frame = self.frames.get_mut(id);
        frame.undoing = None;
        frame.completed.clear();
        self.set_frame_timer(id, None);
        self.settling.insert(id);
        true
    }

    fn set_undo_phase(&mut self, instance: Instance, phase: Phase) {
        if let Some(undo) = &mut self.record_mut(instance).undo {
            undo.phase = phase;
        }
    }

    pub(in crate::run) fn set_undo_timer(&mut self, instance: Instance, at: Option<Timestamp>) {
        let Some(undo) = &mut self.record_mut(instance).undo else {
            return;
        };
        let old = std::mem::replace(&mut undo.timer, at);
        self.move_timer(old, at, self.order_of(instance), Timer::Undo(instance));
    }
}
