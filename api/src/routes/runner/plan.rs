//! `GET /plans/{digest}`: the plan of a revision of the tenant.

use std::sync::Arc;

use axum::http::header;
use flowpilot_engine::plan::Plan;

use crate::auth::{Caller, RunnerProtocol};
use crate::http::{Reply, path::Path};
use crate::problem::Problem;

/// The plan; it never changes.
pub async fn plan(
    caller: Caller<RunnerProtocol>,
    Path(digest): Path<String>,
) -> Result<Reply<Arc<Plan>>, Problem> {
    let plan = caller
        .plans
        .find(&caller.pools, caller.scope.tenant_id, &digest)
        .await?;
    let plan = plan.ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(plan).header(header::CACHE_CONTROL, "private, max-age=86400, immutable"))
}
