//! `POST T/runs/{r}/cancel`: ends a run.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::model::StateView;
use crate::auth::{Caller, Permission, RunsOperate};
use crate::http::{Reply, path::Path};
use crate::problem::{Code, Problem};
use crate::queue::Cancelled;

/// What became of the wish.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelView {
    /// The run.
    id: Uuid,
    /// `cancelled` when it ended at once; absent while its runner ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<StateView>,
}

/// Ends a run. One that no runner has touched ends at once (200); any other is told and ends in a moment (202).
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/runs/{run}/cancel", tag = "runs", operation_id = "cancelRun",
    security(("token" = [<RunsOperate as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"), ("run" = Uuid, Path, description = "Id of the run")),
    responses((status = 200, description = "It has ended", body = CancelView),
        (status = 202, description = "Its runner is told", body = CancelView)),
    extensions(("x-problems" = json!(["RunFinished"]))))]
pub async fn cancel(
    caller: Caller<RunsOperate>,
    Path((_tenant, run)): Path<(String, Uuid)>,
) -> Result<Response, Problem> {
    let actor = caller.principal.name();
    match caller
        .queue
        .cancel(caller.scope.tenant_id, run, actor, Timestamp::now())
        .await?
    {
        Cancelled::Now => {
            caller.metrics.run_finished("cancelled");
            Ok(Reply::ok(CancelView {
                id: run,
                state: Some(StateView::Cancelled),
            })
            .into_response())
        }
        Cancelled::Requested => {
            let mut response = Reply::ok(CancelView { id: run, state: None }).into_response();
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        }
        Cancelled::AlreadyFinished => Err(Problem::new(Code::RunFinished, "")),
        Cancelled::NotFound => Err(Problem::not_found()),
    }
}
