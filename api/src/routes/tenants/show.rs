//! `GET /tenants/{tenant}`: one tenant.

use serde::Serialize;
use uuid::Uuid;

use crate::auth::{Caller, Permission, TenantRead};
use crate::http::Reply;

/// A tenant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantView {
    /// Its name in addresses.
    name: String,
    /// Name for people.
    title: String,
    /// UID of its object.
    uid: Uuid,
    /// Its namespace in the cluster.
    namespace: String,
    /// RunnerClass of its runs.
    runner_class: String,
}

/// One tenant.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}", tag = "tenants", operation_id = "getTenant",
    security(("token" = [<TenantRead as Permission>::NAME])), params(("tenant" = String, Path, description = "Name of the tenant")),
    responses((status = 200, description = "The tenant", body = TenantView)))]
pub async fn show(caller: Caller<TenantRead>) -> Reply<TenantView> {
    let tenant = &caller.scope;
    Reply::ok(TenantView {
        name: tenant.name.clone(),
        title: tenant.title.clone(),
        uid: tenant.tenant_id,
        namespace: flowpilot_crds::names::namespace_of(&tenant.name),
        runner_class: tenant.class.clone(),
    })
}
