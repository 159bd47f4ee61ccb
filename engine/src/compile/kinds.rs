//! Kinds of steps: exactly one per step, which fields go with it, and what it does.

use flowpilot_crds::workflow::{Step, StopStatus, Wait};
use serde_json::Value;

use super::reads::{Names, Place};
use super::{Problems, action, limits, unsupported, values};
use crate::expression::{Text, Tree};
use crate::plan::{WaitFor, Work};

/// The kinds of this step that run today.
fn supported_kinds(step: &Step) -> Vec<&'static str> {
    let kinds = [
        (step.uses.is_some(), "uses"),
        (step.set.is_some(), "set"),
        (step.wait.is_some(), "wait"),
        (step.fail.is_some(), "fail"),
        (step.stop.is_some(), "stop"),
    ];
    kinds
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| name)
        .collect()
}

/// Exactly one kind, and no field that its kind does not have.
pub(super) fn check_fields(step: &Step, path: &str, problems: &mut Problems) {
    let mut kinds = supported_kinds(step);
    kinds.extend(unsupported::unsupported_kinds(step));
    match kinds.as_slice() {
        [] => {
            let message = "the step does nothing: it needs one of uses, set, wait, fail, stop";
            problems.error("NoKind", path, message);
        }
        [_] => {}
        [first, rest @ ..] => {
            let message = format!(
                "a step is of one kind, and this one has {}: split it",
                kinds.join(", ")
            );
            problems.error(
                "SeveralKinds",
                format!("{path}.{}", rest.first().unwrap_or(first)),
                message,
            );
        }
    }
    if step.uses.is_none() && !step.with.is_empty() {
        problems.error(
            "FieldNotAllowed",
            format!("{path}.with"),
            "`with` belongs to `uses`",
        );
    }
    // Kinds that do not run yet are reported as such; what goes with them is theirs to say.
    let [kind] = kinds.as_slice() else { return };
    if matches!(*kind, "set" | "wait" | "fail" | "stop") {
        for (set, name) in [
            (step.timeout.is_some(), "timeout"),
            (step.retry.is_some(), "retry"),
        ] {
            if set {
                let message = format!("a {kind} step has no {name}: remove it");
                problems.error("FieldNotAllowed", format!("{path}.{name}"), message);
            }
        }
    }
}

/// What the step does; nothing if that was reported.
pub(super) fn work(step: &Step, number: usize, names: &Names<'_>, problems: &mut Problems) -> Option<Work> {
    let path = format!("spec.steps[{number}]");
    let place = |path| Place {
        step: Some(number),
        path,
    };
    if let Some(uses) = &step.uses {
        return action::compile(uses, &step.with, number, names, problems);
    }
    if let Some(set) = &step.set {
        let path = format!("{path}.set");
        let values = values::tree(&Value::Object(set.clone()), names, place(&path), problems)?;
        return Some(Work::Set { values });
    }
    if let Some(wait) = &step.wait {
        let duration = duration(wait, number, names, problems)?;
        return Some(Work::Wait(WaitFor::Duration(duration)));
    }
    if let Some(fail) = &step.fail {
        let mut letters = fail.code.chars();
        let good = letters.next().is_some_and(|first| first.is_ascii_uppercase())
            && letters.all(|letter| letter.is_ascii_alphanumeric());
        if !good || fail.code.len() > 63 {
            let message = "a code is one word such as OutOfStock: a capital letter, then letters and digits";
            problems.error("InvalidValue", format!("{path}.fail.code"), message);
        }
        let message = message(
            fail.message.as_deref(),
            &format!("{path}.fail.message"),
            number,
            names,
            problems,
        );
        return Some(Work::Fail {
            code: fail.code.clone(),
            message,
        });
    }
    let ending = step.stop.as_ref()?;
    let message = message(
        ending.message.as_deref(),
        &format!("{path}.stop.message"),
        number,
        names,
        problems,
    );
    Some(Work::Stop {
        succeeded: ending.status == StopStatus::Succeeded,
        message,
    })
}

fn message(
    text: Option<&str>,
    path: &str,
    step: usize,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Tree> {
    let text = Value::String(text?.to_owned());
    values::tree(
        &text,
        names,
        Place {
            step: Some(step),
            path,
        },
        problems,
    )
}

fn duration(wait: &Wait, step: usize, names: &Names<'_>, problems: &mut Problems) -> Option<Tree> {
    let path = format!("spec.steps[{step}].wait");
    let given = [
        wait.duration.is_some(),
        wait.until.is_some(),
        wait.event.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        problems.error(
            "InvalidValue",
            path,
            "a wait has exactly one of duration, until and event",
        );
        return None;
    }
    let text = wait.duration.as_ref()?;
    let path = format!("{path}.duration");
    if let Ok(parsed) = Text::parse(text)
        && let Some(literal) = parsed.literal()
    {
        limits::duration(literal, &path, problems)?;
    }
    let place = Place {
        step: Some(step),
        path: &path,
    };
    values::tree(&Value::String(text.clone()), names, place, problems)
}
