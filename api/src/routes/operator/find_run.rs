//! The run of a WorkflowRun, by the object's UID alone.

use uuid::Uuid;

use crate::problem::Problem;
use crate::state::Services;
use crate::store::{self, Pools};

/// Tenant and id of the living run that this WorkflowRun wanted.
pub(super) async fn find_run(services: &Services, uid: Uuid) -> Result<Option<(Uuid, Uuid)>, Problem> {
    // The start's own mark answers at once, and stays for a day; older runs are looked for among the living.
    for statement in [
        include_str!("find_run_by_start.sql"),
        include_str!("find_run_alive.sql"),
    ] {
        if let Some(found) = look(&services.pools, statement, uid).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn look(
    pools: &Pools,
    statement: &'static str,
    uid: Uuid,
) -> Result<Option<(Uuid, Uuid)>, store::Error> {
    sqlx::query_as(statement)
        .bind(uid)
        .fetch_optional(&pools.engine)
        .await
        .map_err(store::classify)
}
