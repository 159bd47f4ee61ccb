//! `PUT /workflows/{namespace}/{name}/revisions/{digest}`, `DELETE /workflows/{namespace}/{name}`.

use std::sync::Arc;

use axum::http::StatusCode;
use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::names::tenant_of;
use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::digest::digest_of;
use flowpilot_engine::protocol::operator::{Removal, RevisionRegistration};

use crate::auth::{Caller, OperatorProtocol};
use crate::http::{Json, path::Path};
use crate::problem::{Code, Problem};
use crate::state::Services;
use crate::store::registry::{self, RevisionEntry};
use crate::store::tenants::Tenant;

/// Registers a spec as the current revision of its workflow. It must have the digest it claims, and compile.
pub async fn put_revision(
    caller: Caller<OperatorProtocol>,
    Path((namespace, name, digest)): Path<(String, String, String)>,
    Json(revision, _): Json<RevisionRegistration>,
) -> Result<StatusCode, Problem> {
    let tenant = tenant(&caller, &namespace).await?;
    let actual = digest_of(&revision.spec);
    if actual != digest {
        return Err(Problem::new(
            Code::InvalidWorkflow,
            format!("the digest of this spec is {actual}"),
        ));
    }
    let text = |value: &_| serde_json::to_string(value).map_err(|error| Problem::internal(&error));
    let (spec_text, labels) = (text(&revision.spec)?, text(&revision.labels.into())?);
    let spec: WorkflowSpec = serde_json::from_value(revision.spec)
        .map_err(|error| Problem::new(Code::InvalidWorkflow, error.to_string()))?;
    let context = Context::server(None);
    compile(&spec, &context)
        .map_err(|problems| Problem::new(Code::InvalidWorkflow, "").findings(&problems))?;
    let entry = RevisionEntry {
        uid: revision.uid,
        generation: revision.generation,
        name: &name,
        digest: &digest,
        spec: &spec_text,
        labels: &labels,
        class: &tenant.class,
    };
    if registry::put_revision(&caller.pools, tenant.tenant_id, entry).await? == registry::Change::Changed {
        caller.registry_changed(tenant.tenant_id);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a workflow off the list.
pub async fn delete(
    caller: Caller<OperatorProtocol>,
    Path((namespace, _name)): Path<(String, String)>,
    Json(removal, _): Json<Removal>,
) -> Result<StatusCode, Problem> {
    let tenant = tenant(&caller, &namespace).await?;
    registry::delete_workflow(&caller.pools, tenant.tenant_id, removal.uid).await?;
    caller.registry_changed(tenant.tenant_id);
    Ok(StatusCode::NO_CONTENT)
}

/// The tenant of a namespace.
pub(super) async fn tenant(services: &Services, namespace: &str) -> Result<Arc<Tenant>, Problem> {
    let name = tenant_of(namespace).ok_or_else(Problem::not_found)?;
    services
        .directory
        .tenant(name)
        .await?
        .ok_or_else(Problem::not_found)
}
