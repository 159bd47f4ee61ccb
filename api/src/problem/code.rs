//! Every code a problem can have, with its status and title: one table for answers, documents and tests.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident $status:literal $title:literal,)+) => {
        /// What went wrong, as one word that never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)+
        }

        impl Code {
            /// All codes, in the order of their statuses.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The word itself.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The sentence for people.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// The status it comes with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let number: u16 = match self { $(Self::$name => $status,)+ };
                StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    };
}

codes! {
    MalformedRequest 400 "The request cannot be read",
    UnknownField 400 "The body has a field that this operation does not know",
    UnknownParameter 400 "The query has a parameter that this operation does not know",
    InvalidCursor 400 "The cursor does not belong to this list",
    Unauthenticated 401 "A valid token is needed",
    Forbidden 403 "The caller may not do this",
    QuotaExceeded 403 "The tenant has as many of these as it may have",
    NotFound 404 "There is no such thing, or the caller may not see it",
    MethodNotAllowed 405 "This address does not know the method",
    AlreadyExists 409 "An object of this name exists",
    Conflict 409 "Somebody else changed it at the same moment",
    RunFinished 409 "The run has ended",
    WorkflowNotReady 409 "The workflow has no revision that can run",
    ManagedElsewhere 409 "Another tool owns these fields",
    SessionClosed 409 "The session has ended; open another one",
    PreconditionFailed 412 "It changed since it was read",
    PayloadTooLarge 413 "The request is too large",
    UnsupportedMediaType 415 "The body has a type that this operation does not read",
    InvalidInputs 422 "The inputs do not match the workflow's declaration",
    InvalidWorkflow 422 "The workflow does not compile",
    InvalidCommit 422 "The commit is not a possible history",
    IdempotencyMismatch 422 "The idempotency key was used with another body",
    PolicyDenied 422 "A policy of the cluster refuses the object",
    PreconditionRequired 428 "Say which version you mean with If-Match",
    TooManyStreams 429 "Too many streams are open",
    Internal 500 "The server failed",
    UpstreamFailed 502 "Kubernetes answered with an error",
    Unavailable 503 "The server cannot answer at this moment",
    Draining 503 "The server is shutting down",
    UpstreamTimeout 504 "Kubernetes did not answer in time",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_client_or_server_error() {
        for code in Code::ALL {
            let status = code.status();
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
        }
    }
}
