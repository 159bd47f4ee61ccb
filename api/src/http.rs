//! What every request goes through, whatever it wants: its id, its limits, its problems, its figures.

pub mod body;
pub mod observe;
pub mod path;
pub mod query;
pub mod strict_json;

pub use body::{Json, Reply, WorkflowBody};
pub use query::Parameters;
