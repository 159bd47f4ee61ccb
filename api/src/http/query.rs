//! Query strings into their types. Names that an operation does not know are refused before it runs: see
//! [`crate::auth::Caller`].

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// The query parameters of an operation.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(Problem::new(
                Code::MalformedRequest,
                format!("the query cannot be read: {}", error.body_text()),
            )),
        }
    }
}

/// The first name in the query that is not in `known`.
#[must_use]
pub fn unknown<'a>(query: &'a str, known: &[String]) -> Option<std::borrow::Cow<'a, str>> {
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, _)| name)
        .find(|name| !known.iter().any(|word| word == name))
}
