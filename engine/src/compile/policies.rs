//! What stands beside a step's work: more attempts, undo, cache, money.

use flowpilot_crds::workflow::{Cache, Retry, Step, Undo};
use serde_json::Value;

use super::kinds::Kind;
use super::place::{Place, View};
use super::reads::Names;
use super::work::Field;
use super::work::action::{self, Call};
use super::{Problems, limits, values};
use crate::action::Effect;
use crate::plan::{CachePolicy, RetryPolicy, UndoAction};

/// Attempts of one step.
const ATTEMPTS: u32 = 100;

/// Defaults as docs/language.md states them.
pub(super) fn retry(retry: &Retry, field: Field, problems: &mut Problems) -> RetryPolicy {
    let standard = RetryPolicy::standard();
    let attempts = limits::number(
        retry.attempts,
        standard.attempts,
        ATTEMPTS,
        &field.path("retry.attempts"),
        problems,
    );
    let factor = retry.factor.unwrap_or(standard.factor);
    if !(1.0..=10.0).contains(&factor) {
        let message = format!("the factor is {factor}, and lies between 1 and 10");
        problems.error("LimitExceeded", field.path("retry.factor"), message);
    }
    let mut pause = |text: Option<&String>, name: &str, default: u64| {
        text.and_then(|text| limits::duration(text, &field.path(name), problems))
            .unwrap_or(default)
    };
    let backoff_ms = pause(retry.backoff.as_ref(), "retry.backoff", standard.backoff_ms);
    let max_backoff_ms = pause(
        retry.max_backoff.as_ref(),
        "retry.maxBackoff",
        standard.max_backoff_ms,
    );
    RetryPolicy {
        attempts,
        backoff_ms,
        factor,
        max_backoff_ms,
        codes: retry.codes.clone(),
    }
}

/// The action that takes the step back.
pub(super) fn undo(
    undo: &Undo,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<UndoAction> {
    let call = Call {
        uses: &undo.uses,
        with: &undo.with,
        connection: undo.connection.as_deref(),
        declared: names.undo_actions[field.step],
    };
    let with = call.with(field, "undo.", View::Undo(field.step), names, problems);
    Some(UndoAction {
        action: undo.uses.clone(),
        connection: undo.connection.clone(),
        with: with?,
    })
}

pub(super) fn cache(
    cache: &Cache,
    step: &Step,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<CachePolicy> {
    if names.layout.kind(field.step) == Some(Kind::Uses) {
        let uses = step.uses.as_deref().unwrap_or_default();
        let effect = action::effect(uses, names.actions[field.step], &step.with);
        if matches!(effect, Effect::Write | Effect::Irreversible) {
            let message =
                format!("{uses} changes the world: only what has the effect None or Read can be cached");
            problems.error("FieldNotAllowed", field.path("cache"), message);
        }
    }
    let ttl_ms = limits::duration(&cache.ttl, &field.path("cache.ttl"), problems);
    let place = Place {
        view: View::Step(field.step),
        path: &field.path("cache.key"),
    };
    let key = values::tree(&Value::String(cache.key.clone()), names, place, problems);
    Some(CachePolicy {
        key: key?,
        ttl_ms: ttl_ms?,
    })
}

/// `"0.05"` in millionths of a dollar.
pub(super) fn budget(usd: &str, field: Field, problems: &mut Problems) -> Option<u64> {
    let (whole, fraction) = usd.split_once('.').unwrap_or((usd, ""));
    let digits = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
    let dotted = usd.contains('.');
    let good = !whole.is_empty()
        && digits(whole)
        && digits(fraction)
        && fraction.len() <= 6
        && dotted != fraction.is_empty();
    let micros = format!("{whole}{fraction:0<6}").parse::<u64>().ok();
    let micros = micros.filter(|micros| good && *micros > 0);
    if micros.is_none() {
        let message =
            format!("`{usd}` is no amount: write US dollars as a text such as \"0.05\", more than nothing");
        problems.error("InvalidValue", field.path("budget.usd"), message);
    }
    micros
}
