//! The request for a run.

use flowpilot_crds::WorkflowRun;
use flowpilot_crds::workflow_run::WorkflowRunSpec;
use flowpilot_engine::protocol::operator::RunRequest;
use kube::ResourceExt;

use crate::identity;

/// What is wanted, not yet handed over.
pub(super) struct Prepared {
    pub(super) request: RunRequest,
}

pub(super) fn build(run: &WorkflowRun) -> Prepared {
    // The time to live is the operator's own affair.
    let WorkflowRunSpec {
        workflow,
        inputs,
        revision,
        ttl: _,
    } = &run.spec;
    Prepared {
        request: RunRequest {
            uid: identity::uid(run),
            namespace: run.namespace().unwrap_or_default(),
            name: run.name_any(),
            workflow: workflow.clone(),
            inputs: inputs.clone(),
            revision: revision.clone(),
        },
    }
}
