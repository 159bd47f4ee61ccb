//! What a step does: one file per kind.

use super::kinds::Kind;
use super::place::{Place, View};
use super::reads::Names;
use super::{Problems, values};
use crate::expression::{Text, Tree};
use crate::plan::Work;

pub(super) mod action;
mod approval;
pub(super) mod call;
mod container;
mod emit;
mod ending;
mod for_each;
mod repeat;
mod switch;
mod wait;

pub(super) use emit::check_type as check_event_type;

use super::limits;
use serde_json::Value;

/// What the step does; nothing if that was reported.
pub(super) fn compile(number: usize, names: &Names<'_>, problems: &mut Problems) -> Option<Work> {
    let field = Field::of(number);
    let step = &names.layout.spec.steps[number];
    match names.layout.kind(number)? {
        Kind::Uses => action::compile(step, field, names, problems),
        Kind::Set => {
            let values = step.set.as_ref()?;
            let values = field.map(values, "set", names, problems)?;
            Some(Work::Set { values })
        }
        Kind::Script => {
            let script = step.script.as_ref()?;
            if script.source.trim().is_empty() {
                let message = "the script is empty: return something, such as `return input.x`";
                problems.error("InvalidValue", field.path("script.source"), message);
            }
            Some(Work::Script {
                source: script.source.clone(),
                input: field.map(&script.input, "script.input", names, problems)?,
            })
        }
        Kind::Container => container::compile(step.container.as_ref()?, field, names, problems),
        Kind::Workflow => call::compile(step.workflow.as_ref()?, field, names, problems),
        Kind::Switch => switch::compile(step.switch.as_ref()?, field, names, problems),
        Kind::ForEach => for_each::compile(step.for_each.as_ref()?, field, names, problems),
        Kind::Loop => repeat::compile(step.loop_.as_ref()?, field, names, problems),
        Kind::Group => {
            let group = step.group.as_ref()?;
            let result = match &group.result {
                Some(result) => Some(field.inside(result, "group.result", names, problems)?),
                None => None,
            };
            let race = group.race.unwrap_or(false);
            Some(Work::Group { result, race })
        }
        Kind::Wait => wait::compile(step.wait.as_ref()?, field, names, problems),
        Kind::Approval => approval::compile(step.approval.as_ref()?, field, names, problems),
        Kind::Emit => emit::compile(step.emit.as_ref()?, field, names, problems),
        Kind::Fail => ending::fail(step.fail.as_ref()?, field, names, problems),
        Kind::Stop => ending::stop(step.stop.as_ref()?, field, names, problems),
    }
}

/// Fields of one step.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) step: usize,
}

impl Field {
    pub(super) fn of(step: usize) -> Self {
        Self { step }
    }

    pub(super) fn path(self, name: &str) -> String {
        format!("spec.steps[{}].{name}", self.step)
    }

    /// A text that may hold `$( … )`.
    fn text(self, text: &str, name: &str, names: &Names<'_>, problems: &mut Problems) -> Option<Tree> {
        let (path, view) = (self.path(name), View::Step(self.step));
        values::text(text, names, Place { view, path: &path }, problems)
    }

    /// A text that may be missing, and may hold `$( … )`. The outer option: whether it can be compiled.
    #[expect(clippy::option_option, reason = "missing, or wrong")]
    fn optional_text(
        self,
        text: Option<&str>,
        name: &str,
        names: &Names<'_>,
        problems: &mut Problems,
    ) -> Option<Option<Tree>> {
        match text {
            None => Some(None),
            Some(text) => Some(Some(self.text(text, name, names, problems)?)),
        }
    }

    /// A map whose values may hold `$( … )`.
    pub(super) fn map(
        self,
        map: &serde_json::Map<String, Value>,
        name: &str,
        names: &Names<'_>,
        problems: &mut Problems,
    ) -> Option<Tree> {
        self.seen_from(
            View::Step(self.step),
            &Value::Object(map.clone()),
            name,
            names,
            problems,
        )
    }

    /// A value that is computed after the steps of this block.
    fn inside(self, value: &Value, name: &str, names: &Names<'_>, problems: &mut Problems) -> Option<Tree> {
        self.seen_from(View::After(self.step), value, name, names, problems)
    }

    pub(super) fn seen_from(
        self,
        view: View,
        value: &Value,
        name: &str,
        names: &Names<'_>,
        problems: &mut Problems,
    ) -> Option<Tree> {
        let path = self.path(name);
        values::tree(value, names, Place { view, path: &path }, problems)
    }

    /// A duration, or an expression that gives one.
    fn duration(
        self,
        text: &str,
        name: &str,
        view: View,
        names: &Names<'_>,
        problems: &mut Problems,
    ) -> Option<Tree> {
        let path = self.path(name);
        if let Ok(parsed) = Text::parse(text)
            && let Some(literal) = parsed.literal()
        {
            let zero = matches!(view, View::Turn(_));
            limits::duration_from(literal, zero, &path, problems)?;
        }
        values::text(text, names, Place { view, path: &path }, problems)
    }
}
