//! What the compiler knows of one step: for whoever asks why it says what it says, or what can be written there.

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::connector::Effect;
use serde::Serialize;
use serde_json::Value;

use super::types::Readable;
use super::{Context, Problems, plan};

mod place;
mod step;

use place::{Edges, place};
use step::{attempts, called, output, scopes, timeouts};

/// Where a step stands, and what is around it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepPlace {
    /// Its name.
    pub id: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The word of the manifest that says what it does; nothing if it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it stands, such as `spec.steps[2]`.
    pub path: String,
    /// The blocks around it, the outermost first.
    pub inside: Vec<String>,
    /// What leads to it.
    pub needs: Vec<Link>,
    /// What it leads to.
    pub leads_to: Vec<Link>,
    /// Its own condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The ends that it can have, as `steps.<id>.outcome` says them.
    pub outcomes: Vec<String>,
}

/// One step, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Where it stands.
    #[serde(flatten)]
    pub place: StepPlace,
    /// The action that it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Called>,
    /// The action that takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// Its output and the fields of it, as others read them; empty if it has none.
    pub output: Vec<Name>,
    /// How often it is tried.
    pub attempts: Attempts,
    /// What ends it if it takes too long, the nearest first.
    pub timeouts: Vec<Limit>,
    /// What can be read in its expressions, field by field: first in all of them, then what some fields see beside that.
    pub reads: Vec<Scope>,
}

/// An edge, seen from one of its steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Link {
    /// The other step.
    pub step: String,
    /// The outcomes that lead along it; any of them.
    pub outcomes: Vec<String>,
}

/// What an action declares.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Called {
    /// With its major version.
    pub name: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What this call does to the world.
    pub effect: Effect,
    /// It can be told not to do the same twice.
    pub idempotency_key: bool,
    /// JSON Schema of `with`.
    pub input: Value,
    /// JSON Schema of what it gives.
    pub output: Value,
}

/// How often a step is tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempts {
    /// In all, with the first.
    pub max: u32,
    /// Milliseconds before the second one, at most.
    pub backoff_ms: u64,
    /// Each wait is this many times the one before.
    pub factor: f64,
    /// The longest wait.
    pub max_backoff_ms: u64,
    /// The errors after which it is tried again; empty if there is one attempt only.
    pub codes: Vec<String>,
}

/// A limit in time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// Whose: `step`, a block, or `run`.
    pub of: String,
    /// As it is written, or its default.
    pub value: String,
}

/// What some expressions of a step can read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// The fields that hold these expressions; nothing: all of the step.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// In the order of the language.
    pub names: Vec<Name>,
}

/// Something that can be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Name {
    /// As it is written in expressions; the items of a list are `[]`.
    pub name: String,
    /// In words.
    #[serde(rename = "type")]
    pub type_: String,
    /// It is there in any case; otherwise it is read with `.?`.
    pub certain: bool,
}

impl From<Readable> for Name {
    fn from(readable: Readable) -> Self {
        Self {
            name: readable.path,
            type_: readable.type_.to_string(),
            certain: readable.is_certain,
        }
    }
}

/// Where every step stands, also of a workflow that is not right.
#[must_use]
pub fn places(spec: &WorkflowSpec, context: &Context) -> Vec<StepPlace> {
    let mut places = Vec::new();
    plan(spec, context, &mut Problems::default(), |known| {
        let edges = Edges::of(known);
        places = (0..spec.steps.len())
            .map(|number| place(number, known, &edges))
            .collect();
    });
    places
}

/// Explains a step, also of a workflow that is not right; nothing if there is no such step.
#[must_use]
pub fn explain(spec: &WorkflowSpec, context: &Context, id: &str) -> Option<Explanation> {
    let mut explanation = None;
    plan(spec, context, &mut Problems::default(), |known| {
        let number = known.names.layout.number(id);
        explanation = number.map(|number| Explanation {
            place: place(number, known, &Edges::of(known)),
            action: called(number, known),
            undo: spec.steps[number].undo.as_ref().map(|undo| undo.uses.clone()),
            output: output(number, known),
            attempts: attempts(number, known),
            timeouts: timeouts(number, known),
            reads: scopes(number, known),
        });
    });
    explanation
}
