//! Definitions of workflows: read from where they live, changed where they live.

pub mod create;
pub mod delete;
pub mod list;
pub mod model;
pub mod replace;
pub mod revisions;
pub mod show;
pub mod validate;
