//! `POST T/workflows`: a new workflow.

use axum::http::header;
use serde::Deserialize;

use super::model::{WorkflowView, check, etag, identity};
use crate::auth::{Caller, Permission, WorkflowsWrite};
use crate::definitions::{Change, Manifest, Precondition};
use crate::http::{Parameters, Reply, WorkflowBody, body::shape};
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

/// Creates a workflow. The body is a Workflow manifest, as JSON or YAML.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/workflows", tag = "workflows", operation_id = "createWorkflow",
    security(("token" = [<WorkflowsWrite as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"), Query),
    request_body(content((Manifest = "application/json"), (Manifest = "application/yaml"))),
    responses((status = 201, description = "Created; ETag is its version", body = WorkflowView),
        (status = 200, description = "It would be created (dryRun)", body = WorkflowView)),
    extensions(("x-problems" = json!(["MalformedRequest", "UnknownField", "UnsupportedMediaType", "AlreadyExists",
        "InvalidWorkflow", "PolicyDenied", "QuotaExceeded", "UpstreamFailed", "UpstreamTimeout"]))))]
pub async fn create(
    caller: Caller<WorkflowsWrite>,
    Parameters(query): Parameters<Query>,
    WorkflowBody(object): WorkflowBody,
) -> Result<Reply<WorkflowView>, Problem> {
    let tenant = &caller.scope;
    let manifest: Manifest = shape(object)?;
    let name = manifest.name_in(&tenant.name, None)?;
    let warnings = check(&manifest, tenant, &name)?;
    let change = Change {
        identity: &identity(&caller.principal, tenant),
        tenant: &tenant.name,
        name: &name,
        precondition: Precondition::Absent,
        dry_run: query.dry_run,
    };
    let definition = caller.definitions.apply(&change, &manifest).await?;
    let view = WorkflowView::new(&definition, None, warnings);
    let reply = if query.dry_run {
        Reply::ok(view)
    } else {
        Reply::created(&format!("/api/v1/tenants/{}/workflows/{name}", tenant.name), view)
    };
    Ok(reply.header(header::ETAG, &etag(&definition.version)))
}
