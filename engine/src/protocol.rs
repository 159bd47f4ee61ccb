//! The messages in which the rooms speak to the API server: JSON over HTTP.
//!
//! Runners and API servers of neighbouring versions speak to each other: unknown fields are ignored, so fields are
//! only ever added. A token proves who speaks; ids in a body are only compared with what that caller holds.

pub mod operator;
pub mod runner;
