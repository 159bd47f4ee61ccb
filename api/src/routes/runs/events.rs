//! `GET T/runs/{r}/events`: the journal, page by page.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::model::numbered;
use crate::auth::{Caller, Permission, RunsRead};
use crate::http::{Parameters, Reply, path::Path};
use crate::problem::Problem;
use crate::routes::page::limit;
use crate::store::{TenantTx, journal, runs};

/// Where the page begins and how long it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Events after the one of this number; from the beginning if absent.
    after: Option<i32>,
    /// Events, 1 to 200; 50 if absent.
    limit: Option<usize>,
}

/// A page of a journal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// The events, in order: `seq` (number from 0), `type`, `at`, and what the type has; see docs/api.md.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Box<RawValue>>,
    /// Pass it as `after` for the next page; null when there is nothing more yet.
    next_after: Option<i32>,
}

/// What happened in a run, in order.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/runs/{run}/events", tag = "runs", operation_id = "listRunEvents",
    security(("token" = [<RunsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"),
        ("run" = Uuid, Path, description = "Id of the run"), Query),
    responses((status = 200, description = "A page", body = EventPage)),
    extensions(("x-problems" = json!(["MalformedRequest"]))))]
pub async fn events(
    caller: Caller<RunsRead>,
    Path((_tenant, run)): Path<(String, Uuid)>,
    Parameters(query): Parameters<Query>,
) -> Result<Reply<EventPage>, Problem> {
    let limit = limit(query.limit)?;
    let after = query.after.unwrap_or(-1);
    let mut tx = TenantTx::begin(&caller.pools.app, caller.scope.tenant_id).await?;
    let found = runs::get(&mut tx, run).await?.ok_or_else(Problem::not_found)?;
    // A commit has at least one event, so this many commits have at least as many events.
    let commits = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = journal::read(&mut tx, run, after, commits).await?;
    tx.commit().await?;
    let mut items = numbered(&rows, after)?;
    items.truncate(limit);
    let last = items.last().map(|event| event.seq);
    let items = items.into_iter().map(|event| event.text).collect();
    Ok(Reply::ok(EventPage {
        items,
        next_after: last.filter(|last| last + 1 < found.run.next_seq),
    }))
}
