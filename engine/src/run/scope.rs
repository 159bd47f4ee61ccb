//! What expressions see of a run. Nothing is copied: values are shared.

use std::cell::Cell;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::Run;
use super::chance::{Seed, fraction, uuid};
use super::record::Record;
use crate::expression::{Key, Map, Scope, Value};
use crate::journal::StepError;

/// Which evaluation it is: `now()`, `uuid()` and `random()` follow from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    step: &'a str,
    attempt: u32,
    name: &'a str,
    at: Timestamp,
}

impl<'a> Call<'a> {
    pub(super) fn condition(step: &'a str, at: Timestamp) -> Self {
        Self {
            step,
            attempt: 1,
            name: "when",
            at,
        }
    }

    pub(super) fn attempt(step: &'a str, attempt: u32, at: Timestamp) -> Self {
        Self {
            step,
            attempt,
            name: "attempt",
            at,
        }
    }

    pub(super) fn outputs(at: Timestamp) -> Self {
        Self {
            step: "",
            attempt: 1,
            name: "outputs",
            at,
        }
    }
}

/// The names of one evaluation.
pub(super) struct RunScope<'a> {
    run: &'a Run,
    call: Call<'a>,
    calls: Cell<u32>,
}

impl<'a> RunScope<'a> {
    pub(super) fn new(run: &'a Run, call: Call<'a>) -> Self {
        Self {
            run,
            call,
            calls: Cell::new(0),
        }
    }

    fn step(&self, id: &str) -> Option<&'a Record> {
        self.run.plan.step_number(id).map(|step| &self.run.records[step])
    }

    fn chance(&self) -> [u8; 32] {
        let count = self.calls.get();
        self.calls.set(count + 1);
        let Call {
            step, attempt, name, ..
        } = self.call;
        Seed {
            run: self.run.facts.run,
            step,
            attempt,
            call: name,
        }
        .hash(count)
    }
}

impl Scope for RunScope<'_> {
    fn get(&self, root: &str) -> Option<Value> {
        let facts = &self.run.facts;
        Some(match root {
            "inputs" => self.run.inputs.clone(),
            "vars" => self.run.vars.clone(),
            "steps" => map(self.run.plan.steps.iter().map(|step| {
                let record = self.step(&step.id);
                (step.id.as_str(), record.map(step_value))
            })),
            "run" => map([
                ("id", Some(Value::from(facts.run.to_string()))),
                ("url", Some(Value::from(facts.url.as_str()))),
                ("startedAt", Some(Value::Timestamp(self.run.started_at))),
                ("attempt", Some(Value::Int(1))),
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
        if let ["steps", id, rest @ ..] = path
            && let Some(record) = self.step(id)
        {
            if let [field, ..] = rest
                && let Some(value) = step_field(record, field)
            {
                return Some((value, 3));
            }
            return Some((step_value(record), 2));
        }
        self.get(path.first()?).map(|value| (value, 1))
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
            .filter(|_| record.phase == super::record::Phase::Failed)
            .map(error_value),
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

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Value {
    let entries: Vec<(Key, Value)> = entries
        .into_iter()
        .filter_map(|(name, value)| Some((Key::String(Arc::from(name)), value?)))
        .collect();
    // The names are ids, which stand once, or literals.
    Value::Map(Arc::new(Map::new(entries).unwrap_or_default()))
}
