//! The catalogue gate: asks the schema itself whether the walls between tenants stand.

use super::{
    Pools,
    error::{Result, classify},
};

/// What is promised about an answered commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives a crash of the server.
    Required,
    /// A developer's own database: speed may be worth more.
    Relaxed,
}

/// Everything that is wrong with the schema or the server's settings; empty means serve.
pub async fn guard(pools: &Pools, durability: Durability) -> Result<Vec<String>> {
    let mut findings: Vec<String> =
        sqlx::query_scalar("SELECT finding || ' (rule ' || rule || ')' FROM fp.guard()")
            .fetch_all(&pools.engine)
            .await
            .map_err(classify)?;
    if durability == Durability::Required {
        let settings: Vec<String> = sqlx::query_scalar(
            "SELECT 'an answered commit could be lost: ' || finding FROM fp.unsafe_durability()",
        )
        .fetch_all(&pools.engine)
        .await
        .map_err(classify)?;
        findings.extend(settings);
    }
    Ok(findings)
}
