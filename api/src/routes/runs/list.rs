//! `GET T/runs`: runs of a tenant, newest first.

use axum::http::{Uri, header};
use jiff::Timestamp;
use serde::Deserialize;

use super::model::{RunSummary, parse_state};
use crate::auth::{Caller, Permission, RunsRead};
use crate::cursor;
use crate::http::{Parameters, Reply};
use crate::problem::{Code, Problem};
use crate::routes::page::{Page, limit, link};
use crate::store::runs::{Filter, list as read};
use crate::store::{TenantTx, workflows};

/// Which runs, where the page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Only of the workflow of this name.
    workflow: Option<String>,
    /// Only in these states, separated by commas: `queued`, `running`, `waiting`, `held`, `succeeded`, `failed`,
    /// `cancelled`.
    state: Option<String>,
    /// Only those accepted at or after this time (RFC 3339).
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// Only those accepted before this time (RFC 3339).
    #[param(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// Items, 1 to 200; 50 if absent.
    limit: Option<usize>,
    /// From the last answer, with the same filter.
    cursor: Option<String>,
}

/// Runs, newest first. A page may be shorter than asked and still have a next one, where a filter finds little.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/runs", tag = "runs", operation_id = "listRuns",
    security(("token" = [<RunsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"), Query),
    responses((status = 200, description = "A page", body = Page<RunSummary>)),
    extensions(("x-problems" = json!(["MalformedRequest", "InvalidCursor"]))))]
pub async fn list(
    caller: Caller<RunsRead>,
    uri: Uri,
    Parameters(query): Parameters<Query>,
) -> Result<Reply<Page<RunSummary>>, Problem> {
    let tenant_id = caller.scope.tenant_id;
    let limit = limit(query.limit)?;
    let words = query
        .state
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .filter(|word| !word.is_empty());
    let states = words.map(parse_state).collect::<Result<Vec<_>, _>>()?;
    let secret = caller.authenticator.secret("cursor");
    let place = format!(
        "{tenant_id}/runs?{:?}&{:?}&{:?}&{:?}",
        query.workflow, query.state, query.since, query.until
    );
    let before = query
        .cursor
        .map(|cursor| cursor::open(&secret, &place, &cursor))
        .transpose()?;
    let before = before.map(|text| text.parse()).transpose();
    let before =
        before.map_err(|_| Problem::new(Code::InvalidCursor, "take the cursor from the last answer"))?;

    let mut tx = TenantTx::begin(&caller.pools.app, tenant_id).await?;
    let mut filter = Filter {
        workflow_id: None,
        states,
        since: query.since,
        until: query.until,
    };
    let mut exists = true;
    if let Some(name) = &query.workflow {
        filter.workflow_id = workflows::get(&mut tx, name)
            .await?
            .map(|workflow| workflow.workflow_id);
        exists = filter.workflow_id.is_some();
    }
    let (runs, next) = if exists {
        let page = read(&mut tx, &filter, before, limit).await?;
        (page.runs, page.next)
    } else {
        (Vec::new(), None)
    };
    tx.commit().await?;
    let next_cursor = next.map(|next| cursor::seal(&secret, &place, &next.to_string()));
    let link = next_cursor.as_ref().map(|cursor| link(&uri, cursor));
    let items = runs.into_iter().map(RunSummary::from).collect();
    let reply = Reply::ok(Page { items, next_cursor });
    Ok(match link {
        Some(link) => reply.header(header::LINK, &link),
        None => reply,
    })
}
