//! The memory and the door: REST, queue and journal in Postgres.

pub mod queue;
pub mod store;
