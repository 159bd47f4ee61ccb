//! The registration of a revision: the spec as it was compiled, under its digest.

use flowpilot_crds::{Reason, Workflow};
use flowpilot_engine::digest::digest_of;
use flowpilot_engine::problem::Problem;
use flowpilot_engine::protocol::operator::RevisionRegistration;
use kube::ResourceExt;
use serde_json::Value;

use super::validate::Valid;
use crate::controller::Rejection;
use crate::identity;

/// What is wanted, not yet registered.
pub(super) struct Prepared {
    pub(super) digest: String,
    pub(super) registration: RevisionRegistration,
    pub(super) warnings: Vec<Problem>,
}

pub(super) fn build(workflow: &Workflow, valid: Valid) -> Result<Prepared, Rejection> {
    let Valid { spec, warnings } = valid;
    let unreadable = |error: serde_json::Error| Rejection {
        reason: Reason::InvalidSpec,
        message: error.to_string(),
    };
    let spec = serde_json::to_value(spec).map_err(unreadable)?;
    let labels = workflow
        .labels()
        .iter()
        .map(|(key, value)| (key.clone(), Value::String(value.clone())));
    Ok(Prepared {
        digest: digest_of(&spec),
        registration: RevisionRegistration {
            uid: identity::uid(workflow),
            generation: identity::generation(workflow),
            spec,
            labels: labels.collect(),
        },
        warnings,
    })
}
