//! What is allowed and probably not meant: keys that YAML reads as true, clean-up that something follows.

use serde_json::{Map, Value};

use super::Problems;
use super::graph::Graph;
use super::layout::Layout;
use super::reads::Names;
use crate::action::Effect;
use crate::plan::{Edge, Need};
use crate::problem::Problem;

/// Warns of maps with a key `true` or `false`.
pub(super) fn keys(layout: &Layout<'_>, problems: &mut Problems) {
    let spec = layout.spec;
    map(&spec.variables, "spec.variables", problems);
    for (number, input) in spec.inputs.iter().enumerate() {
        for (value, name) in [(&input.default, "default"), (&input.schema, "schema")] {
            if let Some(value) = value {
                any(value, &format!("spec.inputs[{number}].{name}"), problems);
            }
        }
    }
    for (number, trigger) in spec.triggers.iter().enumerate() {
        map(
            &trigger.inputs,
            &format!("spec.triggers[{number}].inputs"),
            problems,
        );
    }
    for (number, step) in spec.steps.iter().enumerate() {
        let maps = [
            (Some(&step.with), "with"),
            (step.set.as_ref(), "set"),
            (step.undo.as_ref().map(|undo| &undo.with), "undo.with"),
            (step.script.as_ref().map(|script| &script.input), "script.input"),
            (step.workflow.as_ref().map(|call| &call.inputs), "workflow.inputs"),
            (step.loop_.as_ref().map(|repeats| &repeats.init), "loop.init"),
            (step.loop_.as_ref().map(|repeats| &repeats.next), "loop.next"),
            (step.emit.as_ref().map(|emit| &emit.data), "emit.data"),
        ];
        for (value, name) in maps {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                map(value, &format!("spec.steps[{number}].{name}"), problems);
            }
        }
        let each = step.for_each.as_ref();
        let values = [
            (each.map(|each| &each.items), "forEach.items"),
            (each.and_then(|each| each.result.as_ref()), "forEach.result"),
            (
                step.group.as_ref().and_then(|group| group.result.as_ref()),
                "group.result",
            ),
        ];
        for (value, name) in values {
            if let Some(value) = value {
                any(value, &format!("spec.steps[{number}].{name}"), problems);
            }
        }
        let names = step.container.iter();
        for name in names.flat_map(|container| container.env.keys().chain(container.files.keys())) {
            key(name, &format!("spec.steps[{number}].container"), problems);
        }
    }
    map(&spec.outputs, "spec.outputs", problems);
}

fn any(value: &Value, path: &str, problems: &mut Problems) {
    match value {
        Value::Object(fields) => map(fields, path, problems),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if item.is_object() || item.is_array() {
                    any(item, &format!("{path}[{index}]"), problems);
                }
            }
        }
        _ => {}
    }
}

fn map(fields: &Map<String, Value>, path: &str, problems: &mut Problems) {
    for (name, value) in fields {
        key(name, path, problems);
        if value.is_object() || value.is_array() {
            any(value, &format!("{path}.{name}"), problems);
        }
    }
}

fn key(name: &str, path: &str, problems: &mut Problems) {
    if name == "true" || name == "false" {
        let message = format!(
            "the key {name} of this map was probably written as on, off, yes or no, which kubectl's YAML reads as \
             {name}: put it in quotes"
        );
        problems.warning("BooleanKey", format!("{path}.{name}"), message);
    }
}

/// Advises `[x, x.failed]` where a clean-up step stands in the main flow: it is followed plainly, or behind a `stop`.
pub(super) fn clean_up(layout: &Layout<'_>, needs: &[Vec<Need>], graph: &Graph, problems: &mut Problems) {
    let all = &layout.spec.steps;
    let stops: Vec<usize> = (0..all.len()).filter(|step| all[*step].stop.is_some()).collect();
    let awaited: Vec<Option<&str>> = needs.iter().map(|needs| done_of(needs, layout)).collect();
    for (number, needed) in needs.iter().enumerate() {
        for need in needed {
            if need.edges.contains(&Edge::Succeeded)
                && let Some(cleaned) = awaited[need.step]
            {
                followed(number, need.step, cleaned, layout, problems);
            }
            let is_behind = |stop: &usize| {
                let beside = layout.block[*stop] == layout.block[number];
                *stop == need.step || (beside && graph.is_ancestor(*stop, need.step))
            };
            if need.edges.contains(&Edge::Done) && graph.is_ordered(number) && stops.iter().any(is_behind) {
                let (id, needed) = (layout.id(number), layout.id(need.step));
                let message = format!(
                    "{id} stands behind a stop, and runs as clean-up when that ends the run: if it is a merge of the \
                     main flow, let it need [{needed}, {needed}.failed] instead of {needed}.done"
                );
                problems.warning("CleanUpBehindStop", index_of(layout, number, needed), message);
            }
        }
    }
}

/// `step` needs `clean_up` plainly, which needs `cleaned.done`. Said at both ends.
fn followed(step: usize, clean_up: usize, cleaned: &str, layout: &Layout<'_>, problems: &mut Problems) {
    let (id, clean_up_id) = (layout.id(step), layout.id(clean_up));
    let message = format!(
        "{clean_up_id} is clean-up because of {cleaned}.done, and {id} follows it plainly, so {id} is skipped when the \
         block ends early: a merge of the main flow needs [{cleaned}, {cleaned}.failed] instead, and more clean-up \
         needs {clean_up_id}.done"
    );
    for path in [
        index_of(layout, clean_up, cleaned),
        index_of(layout, step, clean_up_id),
    ] {
        problems.warning("CleanUpFollowed", path, message.clone());
    }
}

fn done_of<'a>(needs: &[Need], layout: &Layout<'a>) -> Option<&'a str> {
    let need = needs.iter().find(|need| need.edges.contains(&Edge::Done))?;
    Some(layout.id(need.step))
}

/// The place of the edge from a step, in `needs`.
fn index_of(layout: &Layout<'_>, step: usize, needed: &str) -> String {
    let is_edge = |text: &String| text.split('.').next() == Some(needed);
    let index = layout.spec.steps[step].needs.iter().position(is_edge);
    format!("spec.steps[{step}].needs[{}]", index.unwrap_or_default())
}

/// Output that nobody reads, of steps that do nothing but give it; writes that may take for ever.
pub(super) fn habits(names: &Names<'_>, advice: &mut Vec<Problem>) {
    let read = names.read.borrow();
    for (number, step) in names.layout.spec.steps.iter().enumerate() {
        let path = || format!("spec.steps[{number}]");
        let effect = step.uses.as_deref().map(|uses| {
            let declared = names.actions[number];
            (declared, super::work::action::effect(uses, declared, &step.with))
        });
        let gives = match effect {
            Some((Some(declared), Effect::None | Effect::Read)) => {
                declared.output.get("properties").is_some()
            }
            Some(_) => false,
            None => step.set.is_some() || step.script.is_some(),
        };
        if gives && !read[number] {
            let message = format!(
                "nothing reads the output of {}: remove the step, or use what it gives",
                step.id
            );
            advice.push(Problem::warning("UnusedOutput", path(), message));
        }
        if let Some((Some(_), Effect::Write | Effect::Irreversible)) = effect {
            let around = std::iter::once(number).chain(names.layout.around(number));
            let mut timeouts = around.map(|step| &names.layout.spec.steps[step].timeout);
            if timeouts.all(Option::is_none) {
                let message = format!(
                    "{} changes the world and has no timeout: without one, only that of the run ends it",
                    step.id
                );
                advice.push(Problem::warning("NoTimeout", path(), message));
            }
        }
    }
}
