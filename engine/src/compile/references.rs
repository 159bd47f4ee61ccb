//! Texts that were probably meant as expressions: they are legal, and stand for themselves.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::Problems;
use super::layout::Layout;

/// A whole text that reads like `steps.a.output.x`.
pub(crate) fn is_reference(text: &str) -> bool {
    static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"^\s*(inputs|vars|turn|item|run|trigger|steps\.[A-Za-z_]\w*)(\.\??[A-Za-z_]\w*|\[\d+\])+\s*$",
        )
        .ok()
    });
    REFERENCE.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// `{{ inputs.x }}`, `${{ inputs.x }}`, `${inputs.x}`: as other systems write it.
fn foreign(text: &str) -> Option<&str> {
    static FOREIGN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\$?\{\{?\s*((?:inputs|vars|steps|turn|item|trigger)\.[^{}]*?)\s*\}\}?").ok()
    });
    let found = FOREIGN.as_ref()?.captures(text)?;
    Some(found.get(1)?.as_str())
}

/// Warns of texts that look like expressions, wherever expressions may stand.
pub(super) fn check(layout: &Layout<'_>, problems: &mut Problems) {
    for (number, step) in layout.spec.steps.iter().enumerate() {
        let maps = [
            (Some(&step.with), "with"),
            (step.set.as_ref(), "set"),
            (step.undo.as_ref().map(|undo| &undo.with), "undo.with"),
            (step.script.as_ref().map(|script| &script.input), "script.input"),
            (step.workflow.as_ref().map(|call| &call.inputs), "workflow.inputs"),
            (step.emit.as_ref().map(|emit| &emit.data), "emit.data"),
        ];
        for (fields, name) in maps {
            for (key, value) in fields.into_iter().flatten() {
                texts(
                    value,
                    layout,
                    &format!("spec.steps[{number}].{name}.{key}"),
                    problems,
                );
            }
        }
        if let Some(script) = &step.script
            && let Some(at) = script.source.find("$(")
            && ["steps.", "inputs.", "vars.", "item"]
                .iter()
                .any(|root| script.source[at + 2..].starts_with(root))
        {
            let message = "a script is never templated, so this is JavaScript: give the value to `input`, and read it as input.<name>";
            let path = format!("spec.steps[{number}].script.source");
            problems.warning("LooksLikeExpression", super::Spot::new(&path, at), message);
        }
    }
    for (key, value) in &layout.spec.outputs {
        texts(value, layout, &format!("spec.outputs.{key}"), problems);
    }
}

fn texts(value: &Value, layout: &Layout<'_>, path: &str, problems: &mut Problems) {
    match value {
        Value::String(text) => {
            let name = if is_known(text, layout) {
                Some(text.trim())
            } else {
                foreign(text)
            };
            if let Some(name) = name {
                let message =
                    format!("this is a text, and looks like an expression: for the value write $({name})");
                problems.warning_suggesting("LooksLikeExpression", path, message, Some(format!("$({name})")));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(item, layout, &format!("{path}[{index}]"), problems);
            }
        }
        // A template has its own words.
        Value::Object(_) if super::templates::of(value).is_some() => {}
        Value::Object(fields) => {
            for (key, field) in fields {
                texts(field, layout, &format!("{path}.{key}"), problems);
            }
        }
        _ => {}
    }
}

/// The text names something that is there.
fn is_known(text: &str, layout: &Layout<'_>) -> bool {
    if !is_reference(text) {
        return false;
    }
    let mut parts = text.trim().split(['.', '[']);
    let (root, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match root {
        "inputs" => layout
            .spec
            .inputs
            .iter()
            .any(|input| input.name == name.trim_start_matches('?')),
        "vars" => layout.spec.variables.contains_key(name),
        "steps" => layout.number(name).is_some(),
        _ => false,
    }
}
