//! `/operator/v1`: what the operator tells about custom resources, and what it asks.

pub mod changes;
mod find_run;
pub mod runs;
pub mod tenants;
pub mod workflows;
