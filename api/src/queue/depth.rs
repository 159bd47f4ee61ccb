//! How much waits where: what the operator scales runners by.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Queue, Result, error::database};

/// The work of one pool.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PoolDepth {
    /// The pool.
    pub pool_id: i32,
    /// Its tenant.
    pub tenant_id: Uuid,
    /// Name of the tenant.
    pub tenant: String,
    /// RunnerClass of its runners.
    pub class: String,
    /// Runs that wait for a runner, counted up to 1,000.
    pub ready: i32,
    /// Age of the oldest of them in milliseconds; 0 without any.
    pub oldest_millis: i64,
    /// Runners that are registered.
    pub sessions: i32,
    /// Runs that those can hold.
    pub capacity: i32,
    /// Runs that those hold.
    pub leased: i32,
}

impl Queue {
    /// The work of these pools, or of all.
    pub async fn pool_depths(&self, pools: Option<&[i32]>) -> Result<Vec<PoolDepth>> {
        sqlx::query_as(include_str!("sql/pool_depths.sql"))
            .bind(pools)
            .fetch_all(&self.shared.pools.engine)
            .await
            .map_err(database)
    }
}
