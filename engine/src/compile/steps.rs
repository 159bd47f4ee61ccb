//! Each step by itself: kind, fields, work.

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::workflow::Step;

use super::reads::{Names, Place};
use super::{Problems, kinds, limits, unsupported, values};
use crate::plan::{Need, PlanStep, RetryPolicy};

/// All steps, or nothing if one of them cannot be compiled.
pub(super) fn compile(
    spec: &WorkflowSpec,
    needs: Vec<Vec<Need>>,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Vec<PlanStep>> {
    let steps = spec.steps.iter().zip(needs).enumerate();
    let compiled: Vec<Option<PlanStep>> = steps
        .map(|(number, (step, needs))| one(step, number, needs, names, problems))
        .collect();
    compiled.into_iter().collect()
}

fn one(
    step: &Step,
    number: usize,
    needs: Vec<Need>,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<PlanStep> {
    let path = format!("spec.steps[{number}]");
    let cannot = unsupported::step(step, &path, problems);
    kinds::check_fields(step, &path, problems);
    let when_path = format!("{path}.when");
    let place = Place {
        step: Some(number),
        path: &when_path,
    };
    let when = step
        .when
        .as_deref()
        .and_then(|text| values::condition(text, names, place, problems));
    let timeout = step.timeout.as_deref();
    let timeout_ms = timeout.and_then(|text| limits::duration(text, &format!("{path}.timeout"), problems));
    let retry = step
        .retry
        .as_ref()
        .map(|retry| policy(retry, &format!("{path}.retry"), problems));
    let work = kinds::work(step, number, names, problems);
    if cannot {
        return None;
    }
    Some(PlanStep {
        id: step.id.clone(),
        title: step.title.clone(),
        block: None,
        needs,
        when,
        work: work?,
        timeout_ms,
        retry,
        undo: None,
        cache: None,
        sensitive: false,
        budget_micros: None,
        runner_class: None,
    })
}

/// Defaults as docs/language.md states them.
fn policy(retry: &flowpilot_crds::workflow::Retry, path: &str, problems: &mut Problems) -> RetryPolicy {
    let attempts = retry.attempts.unwrap_or(3);
    if !(1..=100).contains(&attempts) {
        problems.error(
            "LimitExceeded",
            format!("{path}.attempts"),
            "attempts lie between 1 and 100",
        );
    }
    let factor = retry.factor.unwrap_or(2.0);
    if !(1.0..=10.0).contains(&factor) {
        problems.error(
            "LimitExceeded",
            format!("{path}.factor"),
            "the factor lies between 1 and 10",
        );
    }
    let mut pause = |text: Option<&String>, name: &str, default: u64| {
        text.and_then(|text| limits::duration(text, &format!("{path}.{name}"), problems))
            .unwrap_or(default)
    };
    RetryPolicy {
        attempts: u32::try_from(attempts).unwrap_or(1),
        backoff_ms: pause(retry.backoff.as_ref(), "backoff", 1000),
        factor,
        max_backoff_ms: pause(retry.max_backoff.as_ref(), "maxBackoff", 60_000),
        codes: retry.codes.clone(),
    }
}
