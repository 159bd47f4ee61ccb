//! `PUT DELETE /tenants/{name}`.

use axum::http::StatusCode;
use flowpilot_engine::protocol::operator::{Removal, TenantRegistration};

use crate::auth::{Caller, OperatorProtocol};
use crate::http::{Json, path::Path};
use crate::problem::Problem;
use crate::store::registry::{self, TenantEntry};

/// Registers a tenant.
pub async fn put(
    caller: Caller<OperatorProtocol>,
    Path(name): Path<String>,
    Json(tenant, _): Json<TenantRegistration>,
) -> Result<StatusCode, Problem> {
    let variables = serde_json::to_string(&tenant.variables).map_err(|error| Problem::internal(&error))?;
    let entry = TenantEntry {
        uid: tenant.uid,
        generation: tenant.generation,
        name: &name,
        title: &tenant.title,
        class: &tenant.runner_class,
        variables: &variables,
    };
    if registry::put_tenant(&caller.pools, entry).await? == registry::Change::Changed {
        caller.registry_changed(tenant.uid);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a tenant with everything it owns.
pub async fn delete(
    caller: Caller<OperatorProtocol>,
    Path(_name): Path<String>,
    Json(removal, _): Json<Removal>,
) -> Result<StatusCode, Problem> {
    // In a task of its own: half a deletion is worse than one whose caller did not wait for it.
    let services = caller.services().clone();
    let removed = tokio::spawn(async move {
        let change = registry::delete_tenant(&services.pools, removal.uid).await;
        services.registry_changed(removal.uid);
        change
    });
    removed.await.map_err(|error| Problem::internal(&error))??;
    Ok(StatusCode::NO_CONTENT)
}
