//! What `flowpilot-api` is told: flags and environment are the same thing.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use url::Url;

/// The memory and the door: REST, queue and journal in Postgres.
#[derive(Debug, Parser)]
#[command(name = "flowpilot-api", version)]
pub struct Config {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve people, runners and the operator until SIGTERM.
    Serve(Box<Serve>),
    /// Bring the schema of the database up to this version, and end.
    Migrate(Database),
}

/// Where the memory is.
#[derive(Args, Clone)]
pub struct Database {
    /// Address of Postgres: `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=/path`.
    #[arg(long, env = "FLOWPILOT_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address carries a password.
        formatter.debug_struct("Database").finish_non_exhaustive()
    }
}

/// How to serve.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// Where the memory is.
    #[command(flatten)]
    pub database: Database,
    /// Address for people.
    #[arg(long, env = "FLOWPILOT_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Address for runners and the operator; never published outside the cluster.
    #[arg(long, env = "FLOWPILOT_INTERNAL_LISTEN", default_value = "0.0.0.0:8081")]
    pub internal_listen: SocketAddr,
    /// Address for health and metrics.
    #[arg(long, env = "FLOWPILOT_METRICS_LISTEN", default_value = "0.0.0.0:9090")]
    pub metrics_listen: SocketAddr,
    /// File with the bootstrap token; a new token in it is taken without a restart.
    #[arg(long, env = "FLOWPILOT_ADMIN_TOKEN_FILE")]
    pub admin_token_file: PathBuf,
    /// The user as which the operator is known to Kubernetes.
    #[arg(
        long,
        env = "FLOWPILOT_OPERATOR_USER",
        default_value = "system:serviceaccount:flowpilot-system:flowpilot-operator"
    )]
    pub operator_user: String,
    /// Address under which people reach this installation, for links in runs.
    #[arg(long, env = "FLOWPILOT_PUBLIC_URL")]
    pub public_url: Option<Url>,
    /// Accept a database that may lose answered commits in a crash (fsync off). For development only.
    #[arg(long)]
    pub dev: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_the_password_is_not_shown() {
        Config::command().debug_assert();
        let database = Database {
            database_url: "postgres://u:secret@h/d".to_owned(),
        };
        assert!(!format!("{database:?}").contains("secret"));
    }
}
