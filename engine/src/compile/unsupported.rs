//! What the language has and whoever runs it cannot do: rejected with its path, never ignored.

use flowpilot_crds::WorkflowSpec;

use super::{Problems, Support};

fn not_yet(path: String, what: &str, problems: &mut Problems) {
    let message = format!("{what} not supported yet: remove the field");
    problems.error("NotSupportedYet", path, message);
}

pub(super) fn check(spec: &WorkflowSpec, support: Support, problems: &mut Problems) {
    for (number, input) in spec.inputs.iter().enumerate() {
        if input.sensitive == Some(true) {
            let path = format!("spec.inputs[{number}].sensitive");
            not_yet(path, "sensitive inputs are", problems);
        }
    }
    match support {
        Support::Everything => return,
        Support::Local => return check_local(spec, problems),
        Support::Server => {}
    }
    if !spec.triggers.is_empty() {
        not_yet("spec.triggers".to_owned(), "triggers are", problems);
    }
    if spec.concurrency.is_some() {
        not_yet("spec.concurrency".to_owned(), "concurrency limits are", problems);
    }
    for (number, step) in spec.steps.iter().enumerate() {
        let undo = step.undo.as_ref();
        let event = step.wait.as_ref().is_some_and(|wait| wait.event.is_some());
        let fields = [
            (step.approval.is_some(), "approval", "approvals are"),
            (event, "wait.event", "waits for events are"),
            (step.emit.is_some(), "emit", "emit steps are"),
            (step.workflow.is_some(), "workflow", "calls of workflows are"),
            (step.container.is_some(), "container", "container steps are"),
            (step.connection.is_some(), "connection", "connections are"),
            (
                undo.is_some_and(|undo| undo.connection.is_some()),
                "undo.connection",
                "connections are",
            ),
            (step.cache.is_some(), "cache", "caches are"),
            // Its output would be hidden nowhere.
            (step.sensitive == Some(true), "sensitive", "sensitive outputs are"),
            (step.budget.is_some(), "budget", "budgets are"),
            (
                step.runner_class.is_some(),
                "runnerClass",
                "runner classes of steps are",
            ),
        ];
        for (_, name, what) in fields.into_iter().filter(|(set, _, _)| *set) {
            not_yet(format!("spec.steps[{number}].{name}"), what, problems);
        }
    }
}

/// What a process by itself has not: pods and Secrets.
fn check_local(spec: &WorkflowSpec, problems: &mut Problems) {
    for (number, step) in spec.steps.iter().enumerate() {
        let undo = step.undo.as_ref();
        let fields = [
            (step.container.is_some(), "container", "a container is a pod"),
            (
                step.connection.is_some(),
                "connection",
                "the credentials of a connection are a Secret",
            ),
            (
                undo.is_some_and(|undo| undo.connection.is_some()),
                "undo.connection",
                "the credentials of a connection are a Secret",
            ),
        ];
        for (_, name, why) in fields.into_iter().filter(|(set, _, _)| *set) {
            let message = format!("{why}, and without a cluster there are none: test it with a mock");
            problems.error("NeedsCluster", format!("spec.steps[{number}].{name}"), message);
        }
    }
}
