//! Events of items and turns.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use crate::expression::Value;
use crate::journal::{Event, IterationEnd};
use crate::plan::Work;
use crate::run::ending::Cause;
use crate::run::frame::{FrameId, Instance, Turns};
use crate::run::names::failure_value;
use crate::run::path::Target;
use crate::run::record::Phase;
use crate::run::{Run, Timer};

impl Run {
    pub(super) fn iterations_opened(
        &mut self,
        instance: Instance,
        items: Option<&[Json]>,
        carried: Option<&Map<String, Json>>,
        over: bool,
    ) -> bool {
        let record = self.record_of(instance);
        if record.phase != Phase::Running || record.frame.is_some() {
            return false;
        }
        let turns = match (&self.plan.steps[instance.step].work, items, carried) {
            (Work::ForEach(_), Some(items), None) => Turns::Items {
                items: Arc::new(items.iter().map(Value::from_json).collect()),
                results: Vec::new(),
                failures: BTreeMap::new(),
            },
            (Work::Loop(_), None, Some(carried)) => Turns::Loop {
                carried: carried.clone(),
                over,
            },
            _ => return false,
        };
        self.open_iterations(instance, turns);
        true
    }

    pub(super) fn fold_iteration(&mut self, of: FrameId, index: usize, event: &Event) -> bool {
        match event {
            Event::IterationStarted { .. } => {
                let frame = self.frames.get(of);
                let is_next = frame.iterations.as_ref().is_some_and(|all| all.next == index);
                if !is_next || frame.ending.is_some() || frame.closed {
                    return false;
                }
                self.set_frame_timer(of, None);
                self.open_iteration(of, index).is_some()
            }
            Event::IterationEnded { at, end, .. } => {
                let Some(id) = self.frame_of(Target::Iteration { of, index }) else {
                    return false;
                };
                let frame = self.frames.get(id);
                let well = matches!(end, IterationEnd::Succeeded { .. });
                if frame.closed || !frame.is_over() || (well && frame.undoes()) {
                    return false;
                }
                self.iteration_ended(of, index, id, end, *at);
                true
            }
            _ => self.fold_block(Target::Iteration { of, index }, event),
        }
    }

    fn iteration_ended(&mut self, of: FrameId, index: usize, id: FrameId, end: &IterationEnd, at: Timestamp) {
        self.set_frame_timer(id, None);
        let inner = self.frames.get_mut(id);
        inner.closed = true;
        let completed = std::mem::take(&mut inner.completed);
        let outer = self.frames.get_mut(of);
        outer.open -= 1;
        let Some(iterations) = &mut outer.iterations else {
            return;
        };
        let mut failing = None;
        let mut pause = None;
        match (end, &mut iterations.plan) {
            (IterationEnd::Succeeded { result, .. }, Turns::Items { results, .. }) => {
                if results.len() <= index {
                    results.resize(index + 1, None);
                }
                results[index].clone_from(result);
            }
            (
                IterationEnd::Succeeded {
                    carried: next,
                    over: ends,
                    next_at,
                    ..
                },
                Turns::Loop { carried, over },
            ) => {
                if let Some(next) = next {
                    carried.clone_from(next);
                }
                *over = *ends;
                pause = *next_at;
            }
            (IterationEnd::Failed { error }, Turns::Items { failures, .. }) => {
                let error = Arc::new(error.clone());
                failures.insert(index, error.clone());
                failing = Some(error);
            }
            (IterationEnd::Failed { error }, Turns::Loop { .. }) => failing = Some(Arc::new(error.clone())),
            (IterationEnd::Cancelled, _) => {}
        }
        // What can still be undone reads its item; the rest is no longer asked for.
        let is_kept = matches!(end, IterationEnd::Succeeded { .. }) && !completed.is_empty();
        if is_kept {
            outer.completed.extend(completed);
        } else {
            iterations.children.remove(&index);
        }
        if let (Some(error), false) = (failing, self.collects(of)) {
            self.frames.get_mut(of).error.get_or_insert(error);
            self.end_frame(of, Cause::Failing, at);
        }
        if !is_kept {
            self.drop_frame(id);
        }
        self.settling.insert(of);
        if pause.is_some() && self.goes_on(of) {
            self.set_frame_timer(of, pause);
        }
    }

    /// A forEach in which failed items do not stop the others.
    pub(in crate::run) fn collects(&self, of: FrameId) -> bool {
        let block = self.frames.get(of).block;
        block
            .is_some_and(|block| matches!(&self.plan.steps[block].work, Work::ForEach(each) if each.collects))
    }

    /// `steps.x.failures` of a forEach that ends.
    pub(super) fn collect_failures(&mut self, instance: Instance) {
        let Some(inner) = self.record_of(instance).frame else {
            return;
        };
        if !self.collects(inner) {
            return;
        }
        let iterations = self.frames.get(inner).iterations.as_ref();
        let Some(Turns::Items { failures, .. }) = iterations.map(|all| &all.plan) else {
            return;
        };
        let list: Vec<Value> = failures
            .iter()
            .map(|(index, error)| failure_value(*index, error))
            .collect();
        self.record_mut(instance).failures = Some(Value::from(list));
    }

    pub(in crate::run) fn set_frame_timer(&mut self, id: FrameId, at: Option<Timestamp>) {
        let frame = self.frames.get_mut(id);
        let order = frame.order;
        let old = std::mem::replace(&mut frame.timer, at);
        self.move_timer(old, at, order, Timer::Frame(id));
    }
}
