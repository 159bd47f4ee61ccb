//! Each step by itself: kind, fields, work.

use std::collections::BTreeMap;

use super::place::{Place, View};
use super::reads::Names;
use super::work::Field;
use super::{Problems, kinds, limits, policies, values, work};
use crate::plan::{Need, PlanAction, PlanStep};

/// Every step that can be compiled.
pub(super) fn compile(
    needs: Vec<Vec<Need>>,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Vec<Option<PlanStep>> {
    let steps = needs.into_iter().enumerate();
    steps
        .map(|(number, needs)| one(number, needs, names, problems))
        .collect()
}

/// What the actions of all steps declare, by name.
pub(super) fn actions(names: &Names<'_>) -> BTreeMap<String, PlanAction> {
    let mut actions = BTreeMap::new();
    for (number, step) in names.layout.spec.steps.iter().enumerate() {
        let undo = step.undo.as_ref().map(|undo| &undo.uses);
        for (name, declared) in [
            (step.uses.as_ref(), names.actions[number]),
            (undo, names.undo_actions[number]),
        ] {
            if let (Some(name), Some(declared)) = (name, declared)
                && !actions.contains_key(name)
            {
                actions.insert(name.clone(), declared.clone());
            }
        }
    }
    actions
}

fn one(number: usize, needs: Vec<Need>, names: &Names<'_>, problems: &mut Problems) -> Option<PlanStep> {
    let step = &names.layout.spec.steps[number];
    let field = Field::of(number);
    kinds::check(step, &format!("spec.steps[{number}]"), problems);
    let when = step.when.as_deref().map(|text| {
        let (view, path) = (View::Step(number), field.path("when"));
        values::condition(text, names, Place { view, path: &path }, problems)
    });
    let timeout = step.timeout.as_deref();
    let timeout_ms = timeout.and_then(|text| limits::duration(text, &field.path("timeout"), problems));
    let retry = step
        .retry
        .as_ref()
        .map(|retry| policies::retry(retry, field, problems));
    let work = work::compile(number, names, problems);
    let undo = step
        .undo
        .as_ref()
        .map(|undo| policies::undo(undo, field, names, problems));
    let cache = step
        .cache
        .as_ref()
        .map(|cache| policies::cache(cache, step, field, names, problems));
    let budget_micros = step
        .budget
        .as_ref()
        .and_then(|budget| policies::budget(&budget.usd, field, problems));
    Some(PlanStep {
        id: step.id.clone(),
        title: step.title.clone(),
        block: names.layout.block[number],
        needs,
        when: accepted(when)?,
        work: work?,
        timeout_ms,
        retry,
        undo: accepted(undo)?,
        cache: accepted(cache)?,
        sensitive: step.sensitive.unwrap_or(false),
        budget_micros,
        runner_class: step.runner_class.clone(),
    })
}

/// What is not written is fine; what is written must have compiled.
#[expect(clippy::option_option, reason = "missing, or wrong")]
fn accepted<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}
