//! `GET T/workflows/{w}`: one workflow with its definition.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::model::{WorkflowView, etag};
use crate::auth::{Caller, Permission, WorkflowsRead};
use crate::http::{Reply, path::Path};
use crate::problem::Problem;

/// One workflow.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/workflows/{workflow}", tag = "workflows", operation_id = "getWorkflow",
    security(("token" = [<WorkflowsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"),
        ("workflow" = String, Path, description = "Name of the workflow"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 while it is the current one")),
    responses((status = 200, description = "The workflow; ETag is its version", body = WorkflowView),
        (status = 304, description = "Not changed")))]
pub async fn show(
    caller: Caller<WorkflowsRead>,
    Path((_tenant, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = &caller.scope;
    let definition = caller
        .definitions
        .get(&tenant.name, &name)
        .await?
        .ok_or_else(Problem::not_found)?;
    let tag = etag(&definition.version);
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes())
    {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let target = caller.directory.target(tenant.tenant_id, &name).await?;
    let registered = target.as_ref().map(|target| target.revision.digest.as_str());
    let view = WorkflowView::new(&definition, registered, Vec::new());
    Ok(Reply::ok(view).header(header::ETAG, &tag).into_response())
}
