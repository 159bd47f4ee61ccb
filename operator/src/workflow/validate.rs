//! Runs the compiler, says what it found, and whether there is room for another workflow.

use flowpilot_crds::{Reason, Workflow, WorkflowSpec};
use flowpilot_engine::manifest;
use flowpilot_engine::problem::{Problem, Severity};

use super::dereference::Found;
use crate::controller::Rejection;

/// Code of the compiler for what it cannot do yet.
const NOT_SUPPORTED_YET: &str = "NotSupportedYet";

/// A workflow that compiles, and has a place.
pub(super) struct Valid {
    pub(super) spec: WorkflowSpec,
    pub(super) warnings: Vec<Problem>,
}

pub(super) fn validate(workflow: &Workflow, found: &Found) -> Result<Valid, Rejection> {
    let unreadable = |error: serde_json::Error| Rejection {
        reason: Reason::InvalidSpec,
        message: error.to_string(),
    };
    let object = serde_json::to_value(workflow).map_err(unreadable)?;
    let (spec, compiled) =
        manifest::check_workflow(&object, &found.compiling).map_err(|problems| rejection(&problems))?;
    if !compiled.unresolved.is_empty() {
        return Err(missing(&compiled.unresolved));
    }
    match &found.excess {
        None => Ok(Valid {
            spec,
            warnings: compiled.warnings,
        }),
        Some(excess) => Err(Rejection {
            reason: Reason::QuotaExceeded,
            message: format!("{excess}; the oldest come first"),
        }),
    }
}

/// What other objects do not offer yet: the workflow is right, and waits for them.
fn missing(unresolved: &[Problem]) -> Rejection {
    let reason = match unresolved.first().map(|problem| problem.code.as_str()) {
        Some("UnknownAction") => Reason::UnknownAction,
        Some("UnknownConnection") => Reason::UnknownConnection,
        Some("UnknownVariable") => Reason::UnknownVariable,
        Some("UnknownWorkflow") => Reason::UnknownWorkflow,
        _ => Reason::InvalidSpec,
    };
    Rejection {
        reason,
        message: listed(&unresolved.iter().collect::<Vec<_>>()),
    }
}

/// Every error on a line of its own. `NotSupportedYet` only if nothing else is wrong.
fn rejection(problems: &[Problem]) -> Rejection {
    let errors: Vec<&Problem> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .collect();
    let later = !errors.is_empty() && errors.iter().all(|problem| problem.code == NOT_SUPPORTED_YET);
    Rejection {
        reason: if later {
            Reason::NotSupportedYet
        } else {
            Reason::InvalidSpec
        },
        message: listed(&errors),
    }
}

/// Problems, one a line, with their number in front.
pub(crate) fn listed(problems: &[&Problem]) -> String {
    match problems {
        [] => "the workflow does not compile".to_owned(),
        [problem] => problem.to_string(),
        problems => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            format!("{} problems:\n{}", problems.len(), lines.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::quota::Excess;
    use flowpilot_engine::compile::Context;
    use serde_json::json;

    #[test]
    fn a_workflow_that_compiles_needs_a_place_too_and_its_mistakes_come_first() {
        let found = |excess| Found {
            compiling: Context::default(),
            excess,
        };
        let excess = || Some(Excess::example());
        let step = |uses: &str| {
            let spec = json!({"steps": [{"id": "a", "uses": uses, "with": {"message": "a"}}]});
            Workflow::new("a", serde_json::from_value(spec).unwrap())
        };
        let (good, bad) = (step("core/log@1"), step("core/nothing@1"));
        let reason = |workflow, excess| {
            validate(workflow, &found(excess))
                .err()
                .map(|rejection| rejection.reason)
        };
        assert_eq!(reason(&good, None), None);
        assert_eq!(reason(&good, excess()), Some(Reason::QuotaExceeded));
        assert_eq!(reason(&bad, excess()), Some(Reason::InvalidSpec));
    }

    #[test]
    fn every_problem_is_in_the_message() {
        let problems = [
            Problem::error("UnknownStep", "spec.steps[1].needs[0]", "there is no step `b`"),
            Problem::warning("Unused", "spec.inputs[0]", "nobody reads it"),
            Problem::error(
                NOT_SUPPORTED_YET,
                "spec.triggers",
                "triggers are not supported yet",
            ),
        ];
        let both = rejection(&problems);
        assert_eq!(both.reason, Reason::InvalidSpec);
        assert_eq!(both.message.lines().count(), 3);
        assert!(
            both.message
                .contains("spec.steps[1].needs[0]: there is no step `b` (UnknownStep)")
        );
        assert_eq!(rejection(&problems[2..]).reason, Reason::NotSupportedYet);
    }

    #[test]
    fn what_is_missing_elsewhere_is_the_reason() {
        let problems = [Problem::warning(
            "UnknownAction",
            "spec.steps[0].uses",
            "there is no action shop/pay@1",
        )];
        assert_eq!(missing(&problems).reason, Reason::UnknownAction);
    }
}
