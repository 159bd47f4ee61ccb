//! `GET T/workflows`: all workflows of a tenant, by name.

use std::collections::HashMap;

use axum::http::{Uri, header};
use serde::Deserialize;

use super::model::WorkflowSummary;
use crate::auth::{Caller, Permission, WorkflowsRead};
use crate::cursor;
use crate::http::{Parameters, Reply};
use crate::problem::Problem;
use crate::routes::page::{Page, limit, link};
use crate::store::{TenantTx, workflows};

/// Where the page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Items, 1 to 200; 50 if absent.
    limit: Option<usize>,
    /// From the last answer.
    cursor: Option<String>,
}

/// The workflows of a tenant, by name.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/workflows", tag = "workflows", operation_id = "listWorkflows",
    security(("token" = [<WorkflowsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"), Query),
    responses((status = 200, description = "A page", body = Page<WorkflowSummary>)),
    extensions(("x-problems" = json!(["MalformedRequest", "InvalidCursor"]))))]
pub async fn list(
    caller: Caller<WorkflowsRead>,
    uri: Uri,
    Parameters(query): Parameters<Query>,
) -> Result<Reply<Page<WorkflowSummary>>, Problem> {
    let tenant = &caller.scope;
    let limit = limit(query.limit)?;
    let secret = caller.authenticator.secret("cursor");
    let place = format!("{}/workflows", tenant.tenant_id);
    let after = query
        .cursor
        .map(|cursor| cursor::open(&secret, &place, &cursor))
        .transpose()?
        .unwrap_or_default();

    let mut definitions = caller.definitions.list(&tenant.name).await?;
    definitions.retain(|definition| definition.workflow.metadata.name.as_deref() > Some(after.as_str()));
    let more = definitions.len() > limit;
    definitions.truncate(limit);

    let mut tx = TenantTx::begin(&caller.pools.app, tenant.tenant_id).await?;
    let registered = workflows::list(&mut tx, &after, 200).await?;
    tx.commit().await?;
    let registered: HashMap<String, String> = registered
        .into_iter()
        .map(|workflow| (workflow.name, workflow.digest))
        .collect();

    let items: Vec<WorkflowSummary> = definitions
        .iter()
        .map(|definition| {
            let name = definition.workflow.metadata.name.as_deref().unwrap_or_default();
            WorkflowSummary::new(definition, registered.get(name).map(String::as_str))
        })
        .collect();
    let next_cursor = items
        .last()
        .filter(|_| more)
        .map(|last| cursor::seal(&secret, &place, &last.name));
    let link = next_cursor.as_ref().map(|cursor| link(&uri, cursor));
    let reply = Reply::ok(Page { items, next_cursor });
    Ok(match link {
        Some(link) => reply.header(header::LINK, &link),
        None => reply,
    })
}
