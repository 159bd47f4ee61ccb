//! Each step by itself: kind, fields, work.

use std::collections::BTreeMap;

use super::place::{Place, View};
use super::reads::Names;
use super::work::Field;
use super::{Problems, kinds, limits, policies, values, work};
use crate::plan::{Need, PlanAction, PlanStep};

/// The steps, and what their actions declare.
pub(super) struct Steps {
    pub(super) steps: Vec<PlanStep>,
    pub(super) actions: BTreeMap<String, PlanAction>,
}

/// All steps, or nothing if one of them cannot be compiled.
pub(super) fn compile(needs: Vec<Vec<Need>>, names: &Names<'_>, problems: &mut Problems) -> Option<Steps> {
    let mut whole = true;
    let mut actions = BTreeMap::new();
    let mut steps = Vec::with_capacity(needs.len());
    for (number, needs) in needs.into_iter().enumerate() {
        match one(number, needs, names, &mut actions, problems) {
            Some(step) => steps.push(step),
            None => whole = false,
        }
    }
    whole.then_some(Steps { steps, actions })
}

fn one(
    number: usize,
    needs: Vec<Need>,
    names: &Names<'_>,
    actions: &mut BTreeMap<String, PlanAction>,
    problems: &mut Problems,
) -> Option<PlanStep> {
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
    if let (Some(uses), Some(declared)) = (&step.uses, &names.actions[number]) {
        actions.entry(uses.clone()).or_insert_with(|| declared.clone());
    }
    let undo = step.undo.as_ref().map(|undo| {
        let (undo_action, declared) = policies::undo(undo, field, names, problems);
        if let Some(declared) = declared {
            actions.entry(undo.uses.clone()).or_insert(declared);
        }
        undo_action
    });
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
