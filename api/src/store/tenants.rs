//! Tenants as the operator registered them, looked up before a tenant transaction can begin.

use sqlx::FromRow;
use uuid::Uuid;

use super::{
    Pools,
    error::{Result, classify},
};

/// A registered tenant.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Tenant {
    /// UID of the Tenant object.
    pub tenant_id: Uuid,
    /// Its name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// RunnerClass of its runs.
    pub class: String,
    /// Variables of all its workflows, a JSON object.
    pub variables: String,
}

/// The tenant of a name, unless it is being deleted.
pub async fn by_name(pools: &Pools, name: &str) -> Result<Option<Tenant>> {
    sqlx::query_as(
        "SELECT tenant_id, name, title, class, variables::text AS variables FROM fp.tenant \
         WHERE name = $1 AND deleted_at IS NULL",
    )
    .bind(name)
    .fetch_optional(&pools.engine)
    .await
    .map_err(classify)
}

/// All tenants by name, for those who may see the platform.
pub async fn list(pools: &Pools, after: &str, limit: i64) -> Result<Vec<Tenant>> {
    sqlx::query_as(
        "SELECT tenant_id, name, title, class, variables::text AS variables FROM fp.tenant \
         WHERE name > $1 AND deleted_at IS NULL ORDER BY name LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(&pools.engine)
    .await
    .map_err(classify)
}
