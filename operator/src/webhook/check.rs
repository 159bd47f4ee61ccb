//! What admission says about one object. The same functions as the controllers' and `flowpilot lint`'s, so all three
//! agree.

use flowpilot_crds::{Reason, RunnerClass, Tenant, WorkflowRun};
use flowpilot_engine::manifest;
use flowpilot_engine::problem::{Problem, Severity};
use kube::runtime::reflector::ObjectRef;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::controller::Rejection;
use crate::world::Stores;
use crate::{runner_class, tenant, workflow, workflow_run};

/// What is wrong, and what somebody should look at.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    /// Empty if Kubernetes has yet to make one up.
    pub(super) name: &'a str,
    /// Whether the object is not there yet.
    pub(super) creates: bool,
    pub(super) object: &'a Value,
}

/// Checks an object of one of our kinds.
pub(super) fn check(question: &Question<'_>, stores: &Stores) -> Findings {
    let Question {
        kind,
        namespace,
        object,
        ..
    } = *question;
    match kind {
        "Workflow" => {
            let mut findings = check_workflow(namespace, object, stores);
            findings.errors.extend(check_quota(question, stores));
            findings
        }
        "Tenant" => read(object, |tenant: &Tenant| tenant::check(tenant)),
        "RunnerClass" => read(object, |class: &RunnerClass| runner_class::check(class)),
        "WorkflowRun" => check_run(namespace, object, stores),
        "Connector" | "Connection" => {
            let message = format!("objects of kind {kind} are not supported yet");
            Findings {
                errors: vec![Problem::error("NotSupportedYet", "kind", message)],
                warnings: Vec::new(),
            }
        }
        _ => Findings::default(),
    }
}

fn check_workflow(namespace: &str, object: &Value, stores: &Stores) -> Findings {
    match manifest::check_workflow(object, &workflow::compiling(namespace, stores)) {
        Ok((_, compiled)) => Findings {
            errors: Vec::new(),
            warnings: compiled.findings(),
        },
        Err(problems) => {
            let (mut errors, warnings): (Vec<_>, Vec<_>) = problems
                .into_iter()
                .partition(|problem| problem.severity == Severity::Error);
            if errors.is_empty() {
                errors.push(Problem::error(
                    "InvalidSpec",
                    "spec",
                    "the workflow does not compile",
                ));
            }
            Findings { errors, warnings }
        }
    }
}

/// Whoever changes a workflow that is there takes no room.
fn check_quota(question: &Question<'_>, stores: &Stores) -> Option<Problem> {
    let excess = workflow::quota::excess_by_one_more(stores, question.namespace, question.name)?;
    let code = Reason::QuotaExceeded.as_str();
    question
        .creates
        .then(|| Problem::error(code, "metadata.namespace", excess.to_string()))
}

fn check_run(namespace: &str, object: &Value, stores: &Stores) -> Findings {
    let mut findings = read(object, |run: &WorkflowRun| workflow_run::check(run));
    let name = object["spec"]["workflow"].as_str().unwrap_or_default();
    if findings.errors.is_empty()
        && stores
            .workflows
            .get(&ObjectRef::new(name).within(namespace))
            .is_none()
    {
        // Only a warning: a folder can be applied in any order.
        let message =
            format!("there is no Workflow {name} in namespace {namespace} yet: the run waits for it");
        findings
            .warnings
            .push(Problem::warning("UnknownWorkflow", "spec.workflow", message));
    }
    findings
}

fn read<K: DeserializeOwned>(object: &Value, check: impl Fn(&K) -> Result<(), Rejection>) -> Findings {
    let result = match K::deserialize(object) {
        Ok(object) => check(&object),
        Err(error) => {
            let errors = vec![Problem::error("InvalidSpec", "spec", error.to_string())];
            return Findings {
                errors,
                warnings: Vec::new(),
            };
        }
    };
    let errors = result.err().map_or_else(Vec::new, |rejection| {
        // A controller's rejection has one problem a line, each with its path in front.
        let problem = |line: &str| {
            let (path, message) = line.split_once(": ").unwrap_or(("spec", line));
            Problem::error(rejection.reason.as_str(), path, message)
        };
        rejection.message.lines().map(problem).collect()
    });
    Findings {
        errors,
        warnings: Vec::new(),
    }
}
