//! `GET T/workflows/{w}/revisions`: every spec it ever had.

use axum::http::{Uri, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::auth::{Caller, Permission, WorkflowsRead};
use crate::cursor;
use crate::http::{Parameters, Reply, path::Path};
use crate::problem::Problem;
use crate::routes::page::{Page, limit, link};
use crate::store::{TenantTx, workflows};

/// An immutable revision.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionView {
    /// Digest of its spec: its name.
    digest: String,
    /// When it was registered.
    created_at: Timestamp,
    /// Whether new runs take it.
    current: bool,
}

/// Where the page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Items, 1 to 200; 50 if absent.
    limit: Option<usize>,
    /// From the last answer.
    cursor: Option<String>,
}

/// Revisions of a workflow, newest first.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/workflows/{workflow}/revisions", tag = "workflows",
    operation_id = "listRevisions", security(("token" = [<WorkflowsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"),
        ("workflow" = String, Path, description = "Name of the workflow"), Query),
    responses((status = 200, description = "A page", body = Page<RevisionView>)),
    extensions(("x-problems" = json!(["MalformedRequest", "InvalidCursor"]))))]
pub async fn revisions(
    caller: Caller<WorkflowsRead>,
    Path((_tenant, name)): Path<(String, String)>,
    uri: Uri,
    Parameters(query): Parameters<Query>,
) -> Result<Reply<Page<RevisionView>>, Problem> {
    let tenant_id = caller.scope.tenant_id;
    let limit = limit(query.limit)?;
    let mut tx = TenantTx::begin(&caller.pools.app, tenant_id).await?;
    let workflow = workflows::get(&mut tx, &name)
        .await?
        .ok_or_else(Problem::not_found)?;
    let secret = caller.authenticator.secret("cursor");
    let place = format!("{tenant_id}/workflows/{}/revisions", workflow.workflow_id);
    let before = query
        .cursor
        .map(|cursor| cursor::open(&secret, &place, &cursor))
        .transpose()?;
    let before = before.and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let asked = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut found = workflows::revisions(&mut tx, workflow.workflow_id, before, asked).await?;
    tx.commit().await?;

    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::seal(&secret, &place, &last.revision_id.to_string()));
    let link = next_cursor.as_ref().map(|cursor| link(&uri, cursor));
    let items = found.into_iter().map(|revision| RevisionView {
        current: revision.revision_id == workflow.revision_id,
        digest: revision.digest,
        created_at: revision.created_at,
    });
    let reply = Reply::ok(Page {
        items: items.collect(),
        next_cursor,
    });
    Ok(match link {
        Some(link) => reply.header(header::LINK, &link),
        None => reply,
    })
}
