//! `DELETE T/workflows/{w}`: takes the definition away; its runs and revisions stay in the history.

use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::model::{identity, precondition};
use crate::auth::{Caller, Permission, WorkflowsDelete};
use crate::definitions::{Change, Precondition};
use crate::http::{Parameters, path::Path};
use crate::problem::{Code, Problem};

/// How to do it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Check everything and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Deletes a workflow. One that another tool owns is deleted there.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/workflows/{workflow}", tag = "workflows", operation_id = "deleteWorkflow",
    security(("token" = [<WorkflowsDelete as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"),
        ("workflow" = String, Path, description = "Name of the workflow"),
        ("If-Match" = String, Header, description = "ETag of the version that was read; `*` for any"), Query),
    responses((status = 204, description = "Deleted")),
    extensions(("x-problems" = json!(["ManagedElsewhere", "PreconditionFailed", "PreconditionRequired", "PolicyDenied",
        "UpstreamFailed", "UpstreamTimeout"]))))]
pub async fn delete(
    caller: Caller<WorkflowsDelete>,
    Path((_tenant, name)): Path<(String, String)>,
    Parameters(query): Parameters<Query>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let tenant = &caller.scope;
    let precondition = precondition(&headers)?;
    if precondition == Precondition::Absent {
        return Err(Problem::new(Code::PreconditionRequired, "send `If-Match`"));
    }
    let change = Change {
        identity: &identity(&caller.principal, tenant),
        tenant: &tenant.name,
        name: &name,
        precondition,
        dry_run: query.dry_run,
    };
    caller.definitions.delete(&change).await?;
    Ok(StatusCode::NO_CONTENT)
}
