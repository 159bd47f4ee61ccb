//! What a step takes, gives and reads, and what limits it.

use super::super::kinds::Kind;
use super::super::place::View;
use super::super::types::{outline, readable};
use super::super::work::action::effect;
use super::super::{Knowledge, RUN_TIMEOUT_MS};
use super::{Attempts, Called, Limit, Name, Scope};
use crate::action;
use crate::plan::RetryPolicy;
use crate::run::RETRYABLE;

pub(super) fn called(number: usize, known: &Knowledge<'_>) -> Option<Called> {
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

pub(super) fn output(number: usize, known: &Knowledge<'_>) -> Vec<Name> {
    let step = &known.names.layout.spec.steps[number];
    if super::super::presence::ends_with(step, "output") == Some(0) {
        return Vec::new();
    }
    let path = format!("steps.{}.output", step.id);
    outline(&path, &known.types.outputs[number])
        .into_iter()
        .map(Name::from)
        .collect()
}

pub(super) fn attempts(number: usize, known: &Knowledge<'_>) -> Attempts {
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

pub(super) fn timeouts(number: usize, known: &Knowledge<'_>) -> Vec<Limit> {
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
pub(super) fn scopes(number: usize, known: &Knowledge<'_>) -> Vec<Scope> {
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
