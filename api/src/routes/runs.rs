//! Runs: started, read, followed, cancelled.

pub mod cancel;
pub mod events;
pub mod list;
pub mod model;
pub mod show;
pub mod start;
pub mod stream;
