//! What is kept in Postgres: roles, schema, registry, and the reads of runs and journals.
//!
//! The only ways to the database are [`TenantTx`], one transaction of one tenant behind row security, and the queue,
//! whose statements reach over tenants and always name the tenant of the caller's proof.

pub mod directory;
pub mod guard;
pub mod journal;
pub mod migrate;
pub mod registry;
pub mod runs;
pub mod tenants;
pub mod workflows;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

mod clock;
mod error;
mod pools;
mod tenant_tx;
mod upkeep;

pub(crate) use clock::milliseconds;
pub(crate) use error::classify;
pub use error::{Error, Result};
pub use guard::{Durability, guard};
pub use migrate::{SchemaState, migrate, schema_is_known};
pub use pools::{PoolSizes, Pools};
pub use tenant_tx::TenantTx;
pub(crate) use upkeep::upkeep;
