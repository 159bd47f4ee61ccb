//! `triggers` and `concurrency`.

use flowpilot_crds::workflow::{ScheduleTrigger, Trigger, WebhookTrigger};
use serde_json::Value;

use super::place::{Place, View};
use super::reads::Names;
use super::work::{call, check_event_type};
use super::{Problems, cron, identifiers, limits, values};
use crate::plan::{PlanConcurrency, PlanTrigger};

/// Runs at the same moment.
const MOST_RUNS: u32 = 10_000;

pub(super) fn compile(names: &Names<'_>, problems: &mut Problems) -> Option<Vec<PlanTrigger>> {
    let triggers = &names.layout.spec.triggers;
    identifiers::list(
        "DuplicateName",
        triggers.iter().map(|trigger| trigger.id.as_str()),
        |number| format!("spec.triggers[{number}].id"),
        problems,
    );
    let compiled: Vec<Option<PlanTrigger>> = triggers
        .iter()
        .enumerate()
        .map(|(number, trigger)| one(trigger, number, names, problems))
        .collect();
    compiled.into_iter().collect()
}

fn one(trigger: &Trigger, number: usize, names: &Names<'_>, problems: &mut Problems) -> Option<PlanTrigger> {
    let path = format!("spec.triggers[{number}]");
    let kinds: Vec<&str> = [
        (trigger.webhook.is_some(), "webhook"),
        (trigger.schedule.is_some(), "schedule"),
        (trigger.event.is_some(), "event"),
    ]
    .into_iter()
    .filter_map(|(set, kind)| set.then_some(kind))
    .collect();
    match kinds.as_slice() {
        [] => {
            let message = format!("trigger {} needs one of webhook, schedule, event", trigger.id);
            problems.error("NoKind", &path, message);
        }
        [_] => {}
        [_, second, ..] => {
            let message = format!(
                "a trigger is of exactly one kind, and {} has {}",
                trigger.id,
                kinds.join(", ")
            );
            problems.error("SeveralKinds", format!("{path}.{second}"), message);
        }
    }
    let dedupe_key = trigger
        .webhook
        .as_ref()
        .map(|webhook| self::webhook(webhook, &path, names, problems));
    if let Some(schedule) = &trigger.schedule {
        self::schedule(schedule, &path, problems);
    }
    let matches = trigger.event.as_ref().map(|event| {
        check_event_type(&event.type_, &format!("{path}.event.type"), problems);
        event.match_.as_deref().map(|text| {
            let (view, path) = (View::TriggerMatch, format!("{path}.event.match"));
            values::condition(text, names, Place { view, path: &path }, problems)
        })
    });
    let inputs_path = format!("{path}.inputs");
    let whose = "the workflow";
    call::inputs(names.inputs, &trigger.inputs, &inputs_path, whose, problems);
    let place = Place {
        view: View::Trigger,
        path: &inputs_path,
    };
    let inputs = values::tree(&Value::Object(trigger.inputs.clone()), names, place, problems);
    let dedupe_key = match dedupe_key.flatten() {
        Some(key) => Some(key?),
        None => None,
    };
    let matches = match matches.flatten() {
        Some(program) => Some(program?),
        None => None,
    };
    Some(PlanTrigger {
        id: trigger.id.clone(),
        kind: (*kinds.first()?).to_owned(),
        inputs: inputs?,
        dedupe_key,
        event_type: trigger.event.as_ref().map(|event| event.type_.clone()),
        matches,
    })
}

#[expect(clippy::option_option, reason = "missing, or wrong")]
fn webhook(
    webhook: &WebhookTrigger,
    path: &str,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Option<crate::expression::Tree>> {
    if let Some(auth) = &webhook.auth {
        let path = format!("{path}.webhook.auth");
        let ways = [
            auth.hmac.is_some(),
            auth.bearer.is_some(),
            auth.basic.is_some(),
            auth.standard.is_some(),
        ];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            let message = "a caller proves itself in exactly one way: hmac, bearer, basic or standard";
            problems.error("InvalidValue", &path, message);
        }
        let encoding = auth.hmac.as_ref().and_then(|hmac| hmac.encoding.as_deref());
        if let Some(encoding) = encoding
            && !["hex", "base64"].contains(&encoding)
        {
            let message = format!("`{encoding}` is no encoding of a signature: there are hex and base64");
            problems.error("InvalidValue", format!("{path}.hmac.encoding"), message);
        }
    }
    webhook.dedupe_key.as_deref().map(|text| {
        let (view, path) = (View::Trigger, format!("{path}.webhook.dedupeKey"));
        values::text(text, names, Place { view, path: &path }, problems)
    })
}

fn schedule(schedule: &ScheduleTrigger, path: &str, problems: &mut Problems) {
    let path = format!("{path}.schedule");
    if let Err(message) = cron::check(&schedule.cron) {
        problems.error("InvalidSchedule", format!("{path}.cron"), message);
    }
    if let Some(zone) = &schedule.time_zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        let message = format!("`{zone}` is no time zone: write one of IANA's names, such as Europe/Vienna");
        problems.error("InvalidSchedule", format!("{path}.timeZone"), message);
    }
    if let Some(within) = schedule
        .missed
        .as_ref()
        .and_then(|missed| missed.within.as_deref())
    {
        limits::duration(within, &format!("{path}.missed.within"), problems);
    }
}

/// The key of `concurrency`. The outer option: whether it can be compiled.
#[expect(clippy::option_option, reason = "missing, or wrong")]
pub(super) fn concurrency(names: &Names<'_>, problems: &mut Problems) -> Option<Option<PlanConcurrency>> {
    let Some(concurrency) = &names.layout.spec.concurrency else {
        return Some(None);
    };
    let path = "spec.concurrency.max";
    let max = limits::number(concurrency.max, 1, MOST_RUNS, path, problems);
    let place = Place {
        view: View::Concurrency,
        path: "spec.concurrency.key",
    };
    let key = values::text(&concurrency.key, names, place, problems)?;
    Some(Some(PlanConcurrency { key, max }))
}
