//! `PUT T/workflows/{w}`: the whole definition anew.

use axum::http::{HeaderMap, header};
use serde::Deserialize;

use super::model::{WorkflowView, check, etag, identity, precondition};
use crate::auth::{Caller, Permission, WorkflowsWrite};
use crate::definitions::{Change, Manifest, Precondition};
use crate::http::{Parameters, Reply, WorkflowBody, body::shape, path::Path};
use crate::problem::Problem;

/// How to do it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Check everything, in the cluster too, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Replaces a workflow, or creates it with `If-None-Match: *`. What is not in the body is removed. Fields that
/// another tool owns are never taken from it: the answer is `ManagedElsewhere` with the manifest to commit there.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/workflows/{workflow}", tag = "workflows", operation_id = "putWorkflow",
    security(("token" = [<WorkflowsWrite as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"),
        ("workflow" = String, Path, description = "Name of the workflow"),
        ("If-Match" = Option<String>, Header, description = "ETag of the version to replace; `*` for any"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only create"), Query),
    request_body(content((Manifest = "application/json"), (Manifest = "application/yaml"))),
    responses((status = 200, description = "Replaced; ETag is its version", body = WorkflowView),
        (status = 201, description = "Created", body = WorkflowView)),
    extensions(("x-problems" = json!(["MalformedRequest", "UnknownField", "UnsupportedMediaType", "AlreadyExists",
        "ManagedElsewhere", "PreconditionFailed", "PreconditionRequired", "InvalidWorkflow", "PolicyDenied",
        "UpstreamFailed", "UpstreamTimeout"]))))]
pub async fn replace(
    caller: Caller<WorkflowsWrite>,
    Path((_tenant, name)): Path<(String, String)>,
    Parameters(query): Parameters<Query>,
    headers: HeaderMap,
    WorkflowBody(object): WorkflowBody,
) -> Result<Reply<WorkflowView>, Problem> {
    let tenant = &caller.scope;
    let precondition = precondition(&headers)?;
    let manifest: Manifest = shape(object)?;
    let name = manifest.name_in(&tenant.name, Some(&name))?;
    let warnings = check(&manifest, tenant, &name)?;
    let creates = precondition == Precondition::Absent && !query.dry_run;
    let change = Change {
        identity: &identity(&caller.principal, tenant),
        tenant: &tenant.name,
        name: &name,
        precondition,
        dry_run: query.dry_run,
    };
    let definition = caller.definitions.apply(&change, &manifest).await?;
    let view = WorkflowView::new(&definition, None, warnings);
    let reply = if creates {
        Reply::created(&format!("/api/v1/tenants/{}/workflows/{name}", tenant.name), view)
    } else {
        Reply::ok(view)
    };
    Ok(reply.header(header::ETAG, &etag(&definition.version)))
}
