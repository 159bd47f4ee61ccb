//! Why an operation of the queue failed.

use std::sync::Arc;

use snafu::Snafu;

use crate::store;

/// Result of a queue operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation of the queue failed.
#[derive(Clone, Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
pub enum Error {
    /// The database. One failure may belong to every item of a batch.
    #[snafu(display("failed to use the queue's tables"))]
    Store {
        /// What happened.
        source: Arc<store::Error>,
    },
    /// The session is closed, expired, or not of this tenant: the runner must drop everything and register anew.
    #[snafu(display("the session {session_id} is closed or unknown; register again"))]
    SessionClosed {
        /// The session.
        session_id: uuid::Uuid,
    },
    /// More work is waiting for a lane than may be kept in memory.
    #[snafu(display("too many commits are waiting; try again in a moment"))]
    Overloaded,
    /// This replica is shutting down.
    #[snafu(display("this server is shutting down; another one will answer"))]
    Stopping,
}

impl Error {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Store { source } => source.is_unavailable(),
            Self::Overloaded | Self::Stopping => true,
            Self::SessionClosed { .. } => false,
        }
    }
}

impl From<store::Error> for Error {
    fn from(source: store::Error) -> Self {
        Self::Store {
            source: Arc::new(source),
        }
    }
}

/// A driver's error as the queue tells it.
pub(crate) fn database(error: sqlx::Error) -> Error {
    store::classify(error).into()
}
