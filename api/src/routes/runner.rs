//! `/runner/v1`: sessions, leases, commits, heartbeats. The tenant is the one that the token proves.

pub mod commit;
pub mod heartbeat;
pub mod inbox;
pub mod lease;
pub mod plan;
pub mod sessions;
