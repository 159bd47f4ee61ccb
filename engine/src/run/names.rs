//! What expressions see of a run. Nothing is copied: values are shared.
//!
//! An expression stands in a frame and sees the steps of that frame, of the blocks around it, and of the groups
//! among them that are over. Which of those it may read is the compiler's business.

use std::cell::Cell;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map as JsonMap, Value as Json};
use uuid::Uuid;

use super::Run;
use super::chance::{Seed, fraction, uuid};
use super::frame::{Frame, FrameId, Owner, Turns};
use super::record::{Phase, Record};
use crate::expression::{Key, Map, Scope, Value};
use crate::journal::StepError;

/// Which evaluation it is: `now()`, `uuid()` and `random()` follow from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    path: &'a str,
    attempt: u32,
    name: &'a str,
    at: Timestamp,
}

impl<'a> Call<'a> {
    pub(super) fn new(path: &'a str, name: &'a str, attempt: u32, at: Timestamp) -> Self {
        Self {
            path,
            attempt,
            name,
            at,
        }
    }
}

/// Values that this evaluation sees beside those of the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// What the loop of this number carries.
    turn: Option<(usize, Value)>,
    event: Option<Value>,
}

impl Given {
    pub(super) fn turn(block: usize, carried: &JsonMap<String, Json>, index: usize) -> Self {
        Self {
            turn: Some((block, turn_value(carried, index))),
            event: None,
        }
    }

    pub(super) fn event(event: Value) -> Self {
        Self {
            turn: None,
            event: Some(event),
        }
    }
}

/// The names of one evaluation.
pub(super) struct Names<'a> {
    run: &'a Run,
    frame: FrameId,
    call: Call<'a>,
    given: Given,
    calls: Cell<u32>,
}

impl<'a> Names<'a> {
    pub(super) fn new(run: &'a Run, frame: FrameId, call: Call<'a>, given: Given) -> Self {
        Self {
            run,
            frame,
            call,
            given,
            calls: Cell::new(0),
        }
    }

    /// A step of a block around, or of a group that is seen from here.
    fn step(&self, id: &str) -> Option<&'a Record> {
        let step = self.run.plan.step_number(id)?;
        let mut frame = Some(self.frame);
        while let Some(id) = frame {
            if let Some(instance) = self.run.member(id, step) {
                return Some(self.run.record_of(instance));
            }
            frame = self.run.outer(id);
        }
        None
    }

    /// The blocks around, from the inside out.
    fn frames(&self) -> impl Iterator<Item = &'a Frame> {
        let run = self.run;
        let ids = std::iter::successors(Some(self.frame), move |id| run.outer(*id));
        ids.filter_map(move |id| run.frames.find(id))
    }

    /// The items around, from the inside out: block, its frame, index.
    fn iterations(&self) -> impl Iterator<Item = (usize, FrameId, usize)> {
        self.frames().filter_map(|frame| {
            let Owner::Iteration { of, index } = frame.owner else {
                return None;
            };
            Some((frame.block?, of, index))
        })
    }

    fn turns(&self, of: FrameId) -> Option<&'a Turns> {
        self.run.frames.find(of)?.iterations.as_ref().map(|all| &all.plan)
    }

    fn item(&self) -> Option<(Value, usize)> {
        self.iterations()
            .find_map(|(_, of, index)| match self.turns(of)? {
                Turns::Items { items, .. } => Some((items.get(index)?.clone(), index)),
                Turns::Loop { .. } => None,
            })
    }

    fn turn(&self) -> Option<Value> {
        if let Some((_, value)) = &self.given.turn {
            return Some(value.clone());
        }
        self.frames().find_map(|frame| frame.turn.clone())
    }

    /// `blocks.<id>`: the item or the carried values of a block around.
    fn block(&self, id: &str) -> Option<Value> {
        let step = self.run.plan.step_number(id)?;
        if let Some((block, value)) = &self.given.turn
            && *block == step
        {
            return Some(value.clone());
        }
        let frame = self
            .frames()
            .find(|frame| frame.block == Some(step) && matches!(frame.owner, Owner::Iteration { .. }))?;
        if frame.turn.is_some() {
            return frame.turn.clone();
        }
        let Owner::Iteration { of, index } = frame.owner else {
            return None;
        };
        let Turns::Items { items, .. } = self.turns(of)? else {
            return None;
        };
        Some(map([
            ("item", items.get(index).cloned()),
            ("index", Some(number(index))),
        ]))
    }

    fn blocks(&self) -> Value {
        let around: Vec<&str> = self
            .iterations()
            .map(|(block, ..)| self.run.plan.steps[block].id.as_str())
            .collect();
        map(around.into_iter().map(|id| (id, self.block(id))))
    }

    fn chance(&self) -> [u8; 32] {
        let count = self.calls.get();
        self.calls.set(count + 1);
        let Call {
            path, attempt, name, ..
        } = self.call;
        Seed {
            run: self.run.facts.run,
            step: path,
            attempt,
            call: name,
        }
        .hash(count)
    }
}

impl Scope for Names<'_> {
    fn get(&self, root: &str) -> Option<Value> {
        let facts = &self.run.facts;
        Some(match root {
            "inputs" => self.run.inputs.clone(),
            "vars" => self.run.vars.clone(),
            "steps" => map(self.run.plan.steps.iter().map(|step| {
                let record = self.step(&step.id);
                (step.id.as_str(), record.map(step_value))
            })),
            "item" => self.item()?.0,
            "index" => number(self.item()?.1),
            "turn" => self.turn()?,
            "blocks" => self.blocks(),
            "event" => self.given.event.clone()?,
            "run" => map([
                ("id", Some(Value::from(facts.run.to_string()))),
                ("url", Some(Value::from(facts.url.as_str()))),
                ("startedAt", Some(Value::Timestamp(self.run.started_at))),
                ("attempt", Some(Value::Int(i64::from(facts.attempt)))),
            ]),
            "workflow" => map([
                ("name", Some(Value::from(facts.workflow.as_str()))),
                ("revision", Some(Value::from(facts.revision.as_str()))),
            ]),
            "tenant" => map([("name", Some(Value::from(facts.tenant.as_str())))]),
            _ => return None,
        })
    }

    fn path(&self, path: &[&str]) -> Option<(Value, usize)> {
        match path {
            ["steps", id, rest @ ..] => {
                if let Some(record) = self.step(id) {
                    if let [field, ..] = rest
                        && let Some(value) = step_field(record, field)
                    {
                        return Some((value, 3));
                    }
                    return Some((step_value(record), 2));
                }
            }
            ["blocks", id, ..] => {
                if let Some(block) = self.block(id) {
                    return Some((block, 2));
                }
            }
            _ => {}
        }
        self.get(path.first()?).map(|value| (value, 1))
    }

    fn is_sensitive(&self, path: &[&str]) -> bool {
        let plan = &self.run.plan;
        let is_hidden = |id: &str| plan.step_number(id).is_some_and(|step| plan.is_sensitive(step));
        match path {
            ["steps", id, rest @ ..] => rest.first().is_none_or(|field| is_data(field)) && is_hidden(id),
            ["blocks", id, ..] => is_hidden(id),
            ["item" | "turn", ..] => {
                let given = self.given.turn.iter().map(|(block, _)| *block);
                let mut around = self.iterations().map(|(block, ..)| block).chain(given);
                around.any(|block| plan.is_sensitive(block))
            }
            _ => false,
        }
    }

    fn now(&self) -> Option<Timestamp> {
        Some(self.call.at)
    }

    fn uuid(&self) -> Option<Uuid> {
        Some(uuid(self.chance()))
    }

    fn random(&self) -> Option<f64> {
        Some(fraction(self.chance()))
    }
}

impl Run {
    /// The frame around a frame.
    pub(super) fn outer(&self, id: FrameId) -> Option<FrameId> {
        match self.frames.find(id)?.owner {
            Owner::Run => None,
            Owner::Step(instance) => Some(instance.frame),
            Owner::Iteration { of, .. } => Some(of),
        }
    }
}

/// Fields of `steps.<id>` that hold what the step gave, and not how it went.
pub(crate) fn is_data(field: &str) -> bool {
    matches!(field, "output" | "failures")
}

/// Fields of `steps.<id>`.
pub(crate) const STEP_FIELDS: [&str; 6] = ["output", "outcome", "error", "failures", "startedAt", "endedAt"];

fn step_value(record: &Record) -> Value {
    map(STEP_FIELDS
        .into_iter()
        .map(|field| (field, step_field(record, field))))
}

fn step_field(record: &Record, field: &str) -> Option<Value> {
    match field {
        "output" => record.output.clone(),
        "outcome" => record.outcome().map(Value::from),
        "error" => record
            .error
            .as_deref()
            .filter(|_| record.phase == Phase::Failed)
            .map(error_value),
        "failures" => record.failures.clone(),
        "startedAt" => record.started_at.map(Value::Timestamp),
        "endedAt" => record.ended_at.map(Value::Timestamp),
        _ => None,
    }
}

fn error_value(error: &StepError) -> Value {
    map([
        ("code", Some(Value::from(error.code.as_str()))),
        ("message", Some(Value::from(error.message.as_str()))),
        ("step", error.step.as_deref().map(Value::from)),
        (
            "attempt",
            error.attempt.map(|attempt| Value::Int(i64::from(attempt))),
        ),
        ("details", error.details.as_ref().map(Value::from_json)),
        ("mayHaveHappened", Some(Value::Bool(error.may_have_happened))),
    ])
}

/// An entry of `steps.<id>.failures`.
pub(super) fn failure_value(index: usize, error: &StepError) -> Value {
    map([
        ("index", Some(number(index))),
        ("error", Some(error_value(error))),
    ])
}

/// `turn`: the carried values and the index.
pub(super) fn turn_value(carried: &JsonMap<String, Json>, index: usize) -> Value {
    let carried = carried
        .iter()
        .map(|(name, value)| (name.as_str(), Some(Value::from_json(value))));
    map(carried.chain([("index", Some(number(index)))]))
}

fn number(index: usize) -> Value {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX))
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Value {
    let entries: Vec<(Key, Value)> = entries
        .into_iter()
        .filter_map(|(name, value)| Some((Key::String(Arc::from(name)), value?)))
        .collect();
    // The names are ids, which stand once, or literals.
    Value::Map(Arc::new(Map::new(entries).unwrap_or_default()))
}
