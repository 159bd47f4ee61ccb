//! Frames: blocks that are under way, and the arena that keeps them.
//!
//! ```text
//! run ─┬─ group (one frame per attempt)
//!      └─ forEach or loop ─┬─ item or turn 0
//!                          └─ item or turn 1 …
//! ```
//!
//! The run is a block, and so is everything in it that has steps: each is a frame with a record per step. A forEach
//! and a loop have a frame of their own, without steps, around those of their items and turns. How a frame ends
//! (failing, cancel, clean-up, undo) is the same for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::ending::{Cause, Ending};
use super::names::turn_value;
use super::order::Order;
use super::record::{Phase, Record};
use super::{Run, Timer};
use crate::expression::Value;
use crate::journal::StepError;
use crate::plan::{Plan, WaitFor, Work};

/// The frame of the run.
pub(super) const RUN: FrameId = FrameId(0);

/// Which frame. Numbers are not given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct FrameId(usize);

/// A step of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Instance {
    pub(super) frame: FrameId,
    pub(super) step: usize,
}

/// A block that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Frame {
    pub(super) owner: Owner,
    /// The step that it is the inside of; nothing for the run.
    pub(super) block: Option<usize>,
    /// What the paths of its steps begin with.
    pub(super) prefix: Arc<str>,
    /// What the order of its steps begins with.
    pub(super) order: Order,
    /// What the idempotency keys of its steps end with.
    pub(super) key: Arc<str>,
    /// It lies in an item of a forEach.
    pub(super) in_items: bool,
    pub(super) is_race: bool,
    /// By [`Plan::position`].
    pub(super) records: Vec<Record>,
    /// Steps, items or turns that did not end yet.
    pub(super) open: usize,
    /// Why it ends before all its steps have.
    pub(super) ending: Option<Ending>,
    /// The first error that nothing handled.
    pub(super) error: Option<Arc<StepError>>,
    /// Steps in it that can be taken back.
    pub(super) completed: Vec<Completed>,
    /// When its undo began.
    pub(super) undo_since: Option<Timestamp>,
    /// The step that is being taken back.
    pub(super) undoing: Option<Instance>,
    /// When undo must be over, or when the next turn begins.
    pub(super) timer: Option<Timestamp>,
    pub(super) iterations: Option<Box<Iterations>>,
    /// Of a turn: what it carries, and its index.
    #[serde(with = "super::stored::optional")]
    pub(super) turn: Option<Value>,
    /// Its end is known outside.
    pub(super) closed: bool,
}

/// Whose inside a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Owner {
    Run,
    /// An attempt of a group, or a forEach or loop.
    Step(Instance),
    /// An item or a turn.
    Iteration {
        of: FrameId,
        index: usize,
    },
}

/// A step that can be taken back, and when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Completed {
    pub(super) sequence: u64,
    pub(super) instance: Instance,
}

/// Items of a forEach, or turns of a loop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Iterations {
    pub(super) plan: Turns,
    /// The one that begins next.
    pub(super) next: usize,
    /// Those under way, and those that can still be undone.
    pub(super) children: BTreeMap<usize, FrameId>,
}

/// What is done again and again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Turns {
    Items {
        #[serde(with = "super::stored::list")]
        items: Arc<Vec<Value>>,
        /// What the items gave, in their order.
        results: Vec<Option<Json>>,
        failures: BTreeMap<usize, Arc<StepError>>,
    },
    Loop {
        carried: Map<String, Json>,
        /// Nothing comes after the turns so far.
        over: bool,
    },
}

/// All frames.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Frames(Vec<Option<Box<Frame>>>);

impl Frames {
    pub(super) fn add(&mut self, frame: Frame) -> FrameId {
        self.0.push(Some(Box::new(frame)));
        FrameId(self.0.len() - 1)
    }

    pub(super) fn find(&self, id: FrameId) -> Option<&Frame> {
        self.0.get(id.0)?.as_deref()
    }

    pub(super) fn find_mut(&mut self, id: FrameId) -> Option<&mut Frame> {
        self.0.get_mut(id.0)?.as_deref_mut()
    }

    /// A frame that is there: whoever holds its number holds it only so long.
    pub(super) fn get(&self, id: FrameId) -> &Frame {
        #[expect(clippy::expect_used, reason = "sets of steps are emptied when a frame goes")]
        self.find(id).expect("a frame")
    }

    pub(super) fn get_mut(&mut self, id: FrameId) -> &mut Frame {
        #[expect(clippy::expect_used, reason = "sets of steps are emptied when a frame goes")]
        self.find_mut(id).expect("a frame")
    }

    pub(super) fn remove(&mut self, id: FrameId) -> Option<Box<Frame>> {
        self.0.get_mut(id.0)?.take()
    }

    /// The numbers of all frames that are there.
    pub(super) fn ids(&self) -> impl Iterator<Item = FrameId> {
        let there = self.0.iter().enumerate().filter(|(_, frame)| frame.is_some());
        there.map(|(number, _)| FrameId(number))
    }

    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.0.iter().flatten().count()
    }
}

impl Frame {
    pub(super) fn of_run(plan: &Plan) -> Self {
        Self {
            owner: Owner::Run,
            block: None,
            prefix: Arc::from(""),
            order: Order::default(),
            key: Arc::from(""),
            in_items: false,
            is_race: false,
            records: records(plan, None),
            open: plan.members(None).len(),
            ending: None,
            error: None,
            completed: Vec::new(),
            undo_since: None,
            undoing: None,
            timer: None,
            iterations: None,
            turn: None,
            closed: false,
        }
    }

    /// A frame inside of this one that has what both have in common.
    fn inside(&self, owner: Owner, block: usize) -> Self {
        Self {
            owner,
            block: Some(block),
            prefix: self.prefix.clone(),
            order: self.order,
            key: self.key.clone(),
            in_items: self.in_items,
            is_race: false,
            records: Vec::new(),
            open: 0,
            ending: None,
            error: None,
            completed: Vec::new(),
            undo_since: None,
            undoing: None,
            timer: None,
            iterations: None,
            turn: None,
            closed: false,
        }
    }

    /// Everything in it has ended, and nothing is being taken back.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0 && self.undoing.is_none()
    }

    /// It takes back what was completed in it, and so it does not end well.
    pub(super) fn undoes(&self) -> bool {
        self.undo_since.is_some() || self.cause().is_some_and(Cause::undoes)
    }

    pub(super) fn cause(&self) -> Option<&Cause> {
        self.ending.as_ref().map(|ending| &ending.cause)
    }
}

fn records(plan: &Plan, block: Option<usize>) -> Vec<Record> {
    let members = plan.members(block).iter();
    members
        .map(|step| Record::new(plan.steps[*step].needs.len()))
        .collect()
}

impl Run {
    pub(super) fn record_of(&self, instance: Instance) -> &Record {
        &self.frames.get(instance.frame).records[self.plan.position(instance.step)]
    }

    pub(super) fn record_mut(&mut self, instance: Instance) -> &mut Record {
        let position = self.plan.position(instance.step);
        &mut self.frames.get_mut(instance.frame).records[position]
    }

    /// Where a step stands among those of the same moment.
    pub(super) fn order_of(&self, instance: Instance) -> Order {
        self.frames.get(instance.frame).order.then(instance.step)
    }

    /// An attempt of a group begins.
    pub(super) fn open_group(&mut self, instance: Instance) -> FrameId {
        let plan = self.plan.clone();
        let generations = self.close_earlier_attempt(instance);
        let (step, members) = (instance.step, plan.members(Some(instance.step)));
        let key = self.inner_key(instance);
        let outer = self.frames.get(instance.frame);
        let mut frame = outer.inside(Owner::Step(instance), step);
        frame.key = key;
        frame.is_race = matches!(plan.steps[step].work, Work::Group { race: true, .. });
        frame.records = records(&plan, Some(step));
        for (record, generation) in frame.records.iter_mut().zip(generations) {
            record.generation = generation;
        }
        frame.open = members.len();
        let id = self.frames.add(frame);
        self.record_mut(instance).frame = Some(id);
        self.begin_members(id);
        id
    }

    /// The frame of the attempt before goes; what it completed stays in mind.
    fn close_earlier_attempt(&mut self, instance: Instance) -> Vec<u32> {
        let Some(earlier) = self.record_mut(instance).frame.take() else {
            return Vec::new();
        };
        let records = self.frames.find(earlier).map(|frame| frame.records.as_slice());
        let generations = records.unwrap_or_default().iter().map(|record| {
            let again = record.phase == Phase::Succeeded || record.frame.is_some();
            record.generation + u32::from(again)
        });
        let generations = generations.collect();
        self.drop_frame(earlier);
        generations
    }

    /// A forEach or loop knows what it repeats.
    pub(super) fn open_iterations(&mut self, instance: Instance, turns: Turns) -> FrameId {
        let key = self.inner_key(instance);
        let outer = self.frames.get(instance.frame);
        let mut frame = outer.inside(Owner::Step(instance), instance.step);
        frame.key = key;
        frame.prefix = Arc::from(format!("{}{}", outer.prefix, self.plan.steps[instance.step].id));
        frame.in_items |= matches!(turns, Turns::Items { .. });
        let anchor = self.plan.members(Some(instance.step)).first().copied();
        frame.order = frame.order.then(anchor.unwrap_or(instance.step));
        frame.iterations = Some(Box::new(Iterations {
            plan: turns,
            next: 0,
            children: BTreeMap::new(),
        }));
        let id = self.frames.add(frame);
        self.record_mut(instance).frame = Some(id);
        self.settling.insert(id);
        id
    }

    /// An item or a turn begins.
    pub(super) fn open_iteration(&mut self, of: FrameId, index: usize) -> Option<FrameId> {
        let plan = self.plan.clone();
        let outer = self.frames.find(of)?;
        let block = outer.block?;
        let mut frame = outer.inside(Owner::Iteration { of, index }, block);
        frame.prefix = Arc::from(format!("{}[{index}].", outer.prefix));
        frame.order = frame.order.then(index);
        frame.records = records(&plan, Some(block));
        frame.open = frame.records.len();
        frame.turn = match outer.iterations.as_ref().map(|all| &all.plan) {
            Some(Turns::Loop { carried, .. }) => Some(turn_value(carried, index)),
            _ => None,
        };
        let id = self.frames.add(frame);
        let outer = self.frames.get_mut(of);
        outer.open += 1;
        let iterations = outer.iterations.as_mut()?;
        iterations.children.insert(index, id);
        iterations.next = index + 1;
        self.begin_members(id);
        Some(id)
    }

    /// Members without needs start with their block.
    pub(super) fn begin_members(&mut self, id: FrameId) {
        let plan = self.plan.clone();
        let frame = self.frames.get(id);
        let (order, block) = (frame.order, frame.block);
        for (position, step) in plan.members(block).iter().enumerate() {
            if self.frames.get(id).records[position].waiting_for == 0 {
                let instance = Instance {
                    frame: id,
                    step: *step,
                };
                self.dirty.insert((order.then(*step), instance));
            }
        }
        self.settling.insert(id);
    }

    /// Forgets a frame and those inside of it.
    pub(super) fn drop_frame(&mut self, id: FrameId) {
        let Some(frame) = self.frames.remove(id) else {
            return;
        };
        self.sweeps.remove(&id);
        self.settling.remove(&id);
        self.move_timer(frame.timer, None, frame.order, Timer::Frame(id));
        self.forget_members(id, &frame);
        let inner = frame.records.iter().filter_map(|record| record.frame);
        let children = frame
            .iterations
            .iter()
            .flat_map(|iterations| iterations.children.values().copied());
        for child in inner.chain(children) {
            self.drop_frame(child);
        }
    }

    /// Nothing is to be decided about the steps of a frame that went, whatever they were at.
    fn forget_members(&mut self, id: FrameId, frame: &Frame) {
        let plan = self.plan.clone();
        for (step, record) in plan.members(frame.block).iter().zip(&frame.records) {
            let instance = Instance {
                frame: id,
                step: *step,
            };
            let order = frame.order.then(*step);
            self.dirty.remove(&(order, instance));
            self.ready.remove(&(order, instance));
            self.move_timer(record.timer, None, order, Timer::Step(instance));
            let undo = record.undo.as_deref().and_then(|undo| undo.timer);
            self.move_timer(undo, None, order, Timer::Undo(instance));
            if let Work::Wait(WaitFor::Event(event)) = &plan.steps[*step].work
                && let Some(waits) = self.listening.get_mut(&event.event)
            {
                waits.remove(&(order, instance));
            }
        }
    }

    /// What the idempotency keys of the steps in a block end with: not empty if the block happens anew.
    fn inner_key(&self, instance: Instance) -> Arc<str> {
        let key = &self.frames.get(instance.frame).key;
        match self.record_of(instance).generation {
            0 => key.clone(),
            generation => Arc::from(format!("{key}~{generation}")),
        }
    }

    /// `<run>:<step path>`, with an end for what an earlier attempt of a group did and took back.
    pub(super) fn idempotency_key(&self, instance: Instance) -> String {
        let key = &self.frames.get(instance.frame).key;
        let (run, path) = (self.facts.run, self.path(instance));
        match self.record_of(instance).generation {
            0 => format!("{run}:{path}{key}"),
            generation => format!("{run}:{path}{key}#{generation}"),
        }
    }
}
