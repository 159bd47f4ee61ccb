//! What the language has and this version cannot do yet: rejected with its path, never ignored.

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::workflow::Step;
use serde_json::Value;

use super::Problems;

fn not_yet(path: String, what: &str, problems: &mut Problems) {
    problems.error(
        "NotSupportedYet",
        path,
        format!("{what} not supported yet: remove the field"),
    );
}

/// Fields of the workflow itself.
pub(super) fn workflow(spec: &WorkflowSpec, problems: &mut Problems) {
    if !spec.triggers.is_empty() {
        not_yet("spec.triggers".to_owned(), "triggers are", problems);
    }
    if spec.concurrency.is_some() {
        not_yet("spec.concurrency".to_owned(), "concurrency limits are", problems);
    }
    for (number, input) in spec.inputs.iter().enumerate() {
        if input.sensitive == Some(true) {
            not_yet(
                format!("spec.inputs[{number}].sensitive"),
                "sensitive inputs are",
                problems,
            );
        }
    }
}

/// Fields of a step. Returns whether the step is of a kind that cannot be compiled.
pub(super) fn step(step: &Step, path: &str, problems: &mut Problems) -> bool {
    let kinds = unsupported_kinds(step);
    for name in &kinds {
        not_yet(format!("{path}.{name}"), &format!("{name} steps are"), problems);
    }
    let fields = [
        (step.block.is_some(), "in", "blocks are"),
        (step.connection.is_some(), "connection", "connections are"),
        (step.undo.is_some(), "undo", "undo is"),
        (step.cache.is_some(), "cache", "caches are"),
        (step.sensitive == Some(true), "sensitive", "sensitive outputs are"),
        (step.budget.is_some(), "budget", "budgets are"),
        (
            step.runner_class.is_some(),
            "runnerClass",
            "runner classes of steps are",
        ),
    ];
    for (_, name, what) in fields.into_iter().filter(|(set, _, _)| *set) {
        not_yet(format!("{path}.{name}"), what, problems);
    }
    if let Some(wait) = &step.wait {
        for (set, name, what) in [
            (wait.until.is_some(), "until", "waits until a time are"),
            (wait.event.is_some(), "event", "waits for events are"),
        ] {
            if set {
                not_yet(format!("{path}.wait.{name}"), what, problems);
            }
        }
    }
    for (name, value) in &step.with {
        templates(value, &format!("{path}.with.{name}"), problems);
    }
    !kinds.is_empty()
}

/// The kinds of this step that cannot be compiled yet.
pub(super) fn unsupported_kinds(step: &Step) -> Vec<&'static str> {
    let kinds = [
        (step.script.is_some(), "script"),
        (step.container.is_some(), "container"),
        (step.workflow.is_some(), "workflow"),
        (step.switch.is_some(), "switch"),
        (step.for_each.is_some(), "forEach"),
        (step.loop_.is_some(), "loop"),
        (step.group.is_some(), "group"),
        (step.approval.is_some(), "approval"),
        (step.emit.is_some(), "emit"),
    ];
    kinds
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| name)
        .collect()
}

/// `{template: …, data: …}` stands for a text anywhere in `with`.
fn templates(value: &Value, path: &str, problems: &mut Problems) {
    match value {
        Value::Object(fields) => {
            let is_template = fields.get("template").is_some_and(Value::is_string)
                && fields.keys().all(|name| name == "template" || name == "data");
            if is_template {
                not_yet(format!("{path}.template"), "templates are", problems);
            }
            for (name, inner) in fields {
                templates(inner, &format!("{path}.{name}"), problems);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                templates(inner, &format!("{path}[{index}]"), problems);
            }
        }
        _ => {}
    }
}
