//! Work that only the owner of the tables may do while the server runs: partitions ahead of time.

use sqlx::Executor;

use super::{
    Pools,
    error::{Result, classify},
    pools::Role,
};

/// Makes the partitions of the coming weeks. Any replica may do it at any time.
pub(crate) async fn upkeep(pools: &Pools) -> Result<()> {
    let mut owner = pools.connect_as(Role::Owner).await?;
    owner
        .execute("CALL fp.add_missing_partitions()")
        .await
        .map_err(classify)?;
    Ok(())
}
