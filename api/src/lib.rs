//! The memory and the door: REST, queue and journal in Postgres.
//!
//! ```text
//! people ──► 8080 ─┐                       ┌─► definitions ─► custom resources (impersonated) or files
//! runners ─► 8081 ─┼─► http ─► auth ─► routes ─► queue ─────► Postgres: runs, journals, leases
//! operator ► 8081 ─┘                       └─► store ─────► Postgres: registry, reads of one tenant
//! ```
//!
//! Boundary: the only code that speaks SQL, and the only one that people, runners and the operator speak to. It
//! performs no action and creates no pod. A handler reaches what lies behind only through [`auth::Caller`].

pub mod auth;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod cursor;
pub mod definitions;
pub mod follow;
pub mod http;
pub mod launch;
pub mod metrics;
mod openapi;
pub mod plans;
pub mod problem;
pub mod queue;
pub mod routes;
pub mod server;
mod startup;
pub mod state;
pub mod store;

use config::{Command, Config};
pub use server::{Error, Listeners, Setup};

/// Does what the command line says, until it is done or a signal comes.
pub async fn run(config: Config) -> Result<(), Error> {
    match config.command {
        Command::Migrate(database) => startup::migrate(&database.database_url).await,
        Command::Serve(serve) => startup::serve(*serve).await,
    }
}

#[cfg(test)]
mod tests;
