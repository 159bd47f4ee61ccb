//! What the compiler knows of one step: for whoever asks why it says what it says, or what can be written there.

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::connector::Effect;
use flowpilot_crds::workflow::Step;
use serde::Serialize;
use serde_json::Value;

use super::kinds::Kind;
use super::outcomes::{self, EXPIRED, PARTIAL};
use super::place::View;
use super::types::{Readable, outline, readable};
use super::work::action::effect;
use super::{Context, Knowledge, Problems, RUN_TIMEOUT_MS, plan};
use crate::action;
use crate::plan::RetryPolicy;
use crate::run::RETRYABLE;

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
        places = (0..spec.steps.len()).map(|number| place(number, known)).collect();
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
            place: place(number, known),
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

fn place(number: usize, known: &Knowledge<'_>) -> StepPlace {
    let layout = known.names.layout;
    let step = &layout.spec.steps[number];
    let mut inside: Vec<String> = layout
        .around(number)
        .map(|block| layout.id(block).to_owned())
        .collect();
    inside.reverse();
    let mut leads_to = Vec::new();
    for other in &layout.spec.steps {
        let links = links(other).into_iter().filter(|link| link.step == step.id);
        leads_to.extend(links.map(|link| Link {
            step: other.id.clone(),
            ..link
        }));
    }
    StepPlace {
        id: step.id.clone(),
        title: step.title.clone(),
        kind: layout.kind(number).map(|kind| kind.word().to_owned()),
        path: format!("spec.steps[{number}]"),
        inside,
        needs: links(step),
        leads_to,
        when: step.when.clone(),
        outcomes: ends(step),
    }
}

/// The needs of a step as it writes them, those of one step together.
fn links(step: &Step) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for edge in &step.needs {
        let (id, outcome) = edge.split_once('.').unwrap_or((edge, "succeeded"));
        match links.iter_mut().find(|link| link.step == id) {
            Some(link) => link.outcomes.push(outcome.to_owned()),
            None => links.push(Link {
                step: id.to_owned(),
                outcomes: vec![outcome.to_owned()],
            }),
        }
    }
    links
}

fn ends(step: &Step) -> Vec<String> {
    let possible = outcomes::possible(step);
    let named = outcomes::named(step).into_iter().map(|named| named.name);
    let is_possible = |name: &&str| match *name {
        "partial" if step.for_each.is_some() => possible & PARTIAL != 0,
        "expired" if step.switch.is_none() => possible & EXPIRED != 0,
        _ => true,
    };
    let has_own_successes = matches!(Kind::of(step), Some(Kind::Switch | Kind::Approval | Kind::Fail));
    let plain = (!has_own_successes).then_some("succeeded");
    let all = plain
        .into_iter()
        .chain(named.filter(is_possible))
        .chain(["failed", "skipped", "cancelled"]);
    all.map(str::to_owned).collect()
}

fn called(number: usize, known: &Knowledge<'_>) -> Option<Called> {
    let step = &known.names.layout.spec.steps[number];
    let name = step.uses.as_ref()?;
    let declared = known.names.actions[number]?;
    Some(Called {
        name: name.clone(),
        title: action::find(name).map(|action| action.title.to_owned()),
        effect: effect(name, Some(declared), &step.with),
        idempotency_key: declared.idempotency_key,
        input: declared.input.clone(),
        output: declared.output.clone(),
    })
}

fn output(number: usize, known: &Knowledge<'_>) -> Vec<Name> {
    let step = &known.names.layout.spec.steps[number];
    if super::presence::ends_with(step, "output") == Some(0) {
        return Vec::new();
    }
    let path = format!("steps.{}.output", step.id);
    outline(&path, &known.types.outputs[number])
        .into_iter()
        .map(Name::from)
        .collect()
}

fn attempts(number: usize, known: &Knowledge<'_>) -> Attempts {
    let planned = known.steps[number].as_ref();
    let policy = planned.and_then(|step| step.retry.clone());
    let once = RetryPolicy {
        attempts: 1,
        ..RetryPolicy::standard()
    };
    let policy = policy.unwrap_or(once);
    let codes = match policy.codes {
        _ if policy.attempts == 1 => Vec::new(),
        Some(codes) => codes,
        None => RETRYABLE.map(str::to_owned).to_vec(),
    };
    Attempts {
        max: policy.attempts,
        backoff_ms: policy.backoff_ms,
        factor: policy.factor,
        max_backoff_ms: policy.max_backoff_ms,
        codes,
    }
}

fn timeouts(number: usize, known: &Knowledge<'_>) -> Vec<Limit> {
    let layout = known.names.layout;
    let step = &layout.spec.steps[number];
    let event = step.wait.as_ref().and_then(|wait| wait.event.as_ref());
    let own = step.timeout.as_ref();
    let own = own.or(event.and_then(|event| event.timeout.as_ref()));
    let own = own.or(step
        .approval
        .as_ref()
        .and_then(|approval| approval.timeout.as_ref()));
    let mut timeouts: Vec<Limit> = own
        .into_iter()
        .map(|value| Limit {
            of: "step".to_owned(),
            value: value.clone(),
        })
        .collect();
    for block in layout.around(number) {
        let value = layout.spec.steps[block].timeout.as_ref();
        timeouts.extend(value.map(|value| Limit {
            of: layout.id(block).to_owned(),
            value: value.clone(),
        }));
    }
    let run = layout
        .spec
        .timeout
        .clone()
        .unwrap_or_else(|| format!("{}h", RUN_TIMEOUT_MS / 3_600_000));
    timeouts.push(Limit {
        of: "run".to_owned(),
        value: run,
    });
    timeouts
}

/// What all expressions of a step see, and what some see beside that.
fn scopes(number: usize, known: &Knowledge<'_>) -> Vec<Scope> {
    let all = readable(View::Step(number), known.names, known.types);
    let step = &known.names.layout.spec.steps[number];
    let kind = known.names.layout.kind(number);
    let event = step.wait.as_ref().and_then(|wait| wait.event.as_ref());
    let places = [
        ("wait.event.match", View::Match(number), event.is_some()),
        ("undo", View::Undo(number), step.undo.is_some()),
        (
            "loop.while, loop.delay",
            View::Turn(number),
            kind == Some(Kind::Loop),
        ),
        (
            "loop.next, loop.until",
            View::After(number),
            kind == Some(Kind::Loop),
        ),
        ("forEach.result", View::After(number), kind == Some(Kind::ForEach)),
        ("group.result", View::After(number), kind == Some(Kind::Group)),
    ];
    let mut scopes = vec![Scope {
        fields: None,
        names: all.iter().cloned().map(Name::from).collect(),
    }];
    for (fields, view, _) in places.into_iter().filter(|(_, _, is_there)| *is_there) {
        let more = readable(view, known.names, known.types).into_iter();
        let names = more.filter(|name| !all.contains(name)).map(Name::from);
        scopes.push(Scope {
            fields: Some(fields.to_owned()),
            names: names.collect(),
        });
    }
    scopes
}
