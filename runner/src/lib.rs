//! The hands: leases runs, performs actions, commits events.
//!
//! Boundary: speaks to the API server over `/runner/v1` and to the world through one guarded client. What a run
//! does next is the engine's business; what is stored is the API server's. A runner remembers nothing that would
//! be missed when it dies.
//!
//! ```text
//!             lease, heartbeat, commit             events, one commit under way per run
//! API server ◄────────────────────────► dispatcher ◄──────────────────────────► executor (one per run)
//!                                            │  messages of people, stop, drain      │ engine::Run
//!                                            └──────────────────────────────►        └─► one task per attempt ─► actions
//! ```
//!
//! Without a server, [`Hands`] do the same attempts for whoever drives runs in this process: `flowpilot run --local`.

mod actions;
mod api;
mod backoff;
mod config;
mod dispatcher;
mod executor;
mod guard;
mod hands;
mod metrics;
mod plans;
pub mod script;

pub use config::{Config, TokenSource};
pub use dispatcher::Error;
pub use guard::{Blocked, Egress, EgressError};
pub use hands::{Ended, Hands};
pub use metrics::Metrics;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

/// Runs until `shutdown`, and then for up to two seconds more: runs are handed back, so that others go on with
/// them at once.
///
/// Boxed, so that this crate is compiled once and not again in every program that calls it.
#[must_use]
pub fn run(config: Config, shutdown: CancellationToken) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(dispatcher::run(config, shutdown))
}
