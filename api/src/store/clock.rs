//! What time it is in the database.

use super::{
    Pools,
    error::{Result, classify},
};

/// Milliseconds since 1970.
pub(crate) async fn milliseconds(pools: &Pools) -> Result<i64> {
    sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        .fetch_one(&pools.engine)
        .await
        .map_err(classify)
}
