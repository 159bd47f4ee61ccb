//! Logs, metrics, health and shutdown, the same for every binary.
//!
//! Boundary: knows nothing of workflows; every binary stands on it and it stands on none of them.
//!
//! ```text
//! main ─► logs::start("flowpilot-api")
//!      ─► shutdown::token() ────────────────┐ SIGTERM, SIGINT
//!      ─► Health::new(["database", …])      │
//!      ─► server::serve(address, health, registry, token)   /livez /readyz /metrics
//! ```

pub mod health;
pub mod logs;
pub mod metrics;
mod process;
pub mod server;
pub mod shutdown;
