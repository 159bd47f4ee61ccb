//! What can go wrong with the database, told apart by what the caller can do about it.

use snafu::Snafu;

/// Result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on the database failed.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
pub enum Error {
    /// Postgres is away, overloaded or changing roles: the same request may succeed in a moment.
    #[snafu(display("failed to reach the database"))]
    Unavailable {
        /// What the driver said.
        source: sqlx::Error,
    },
    /// A statement was refused: a bug here, or data that no check in front of it refused.
    #[snafu(display("failed to execute a statement"))]
    Statement {
        /// What the driver said.
        source: sqlx::Error,
    },
    /// A name is taken by another object that is still registered.
    #[snafu(display("the name {name:?} belongs to another registered object; remove that one first"))]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The address of the database is not one.
    #[snafu(display(
        "failed to parse the database address; expected postgres://user:password@host:port/database"
    ))]
    Address {
        /// What the driver said.
        source: sqlx::Error,
    },
    /// A migration failed.
    #[snafu(display("failed to migrate the schema"))]
    Migrate {
        /// What the migrator said.
        source: sqlx::migrate::MigrateError,
    },
    /// A stored value does not read back.
    #[snafu(display("failed to read {what}, which is not as it was written"))]
    Corrupt {
        /// The thing.
        what: &'static str,
    },
}

impl Error {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// SQLSTATE classes after which another try may succeed: connection, resources, operator intervention, rollback.
const PASSING_CLASSES: [&str; 4] = ["08", "53", "57", "40"];
/// Lock timeout, and writes refused by a server that has become a standby.
const PASSING_CODES: [&str; 2] = ["55P03", "25006"];

/// Tells a database that is away from a statement that is wrong.
pub(crate) fn classify(source: sqlx::Error) -> Error {
    if passing(&source) {
        Error::Unavailable { source }
    } else {
        Error::Statement { source }
    }
}

fn passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            PASSING_CODES.contains(&code.as_ref())
                || PASSING_CLASSES.iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

/// The name of the unique constraint that a statement violated, if that is what happened.
pub(crate) fn violated_unique(error: &sqlx::Error) -> Option<&str> {
    let database = error.as_database_error()?;
    database
        .is_unique_violation()
        .then(|| database.constraint().unwrap_or_default())
}
