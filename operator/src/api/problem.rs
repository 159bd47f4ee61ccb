//! What the API server says when it refuses: RFC 9457 problems, or whatever stands between gives instead.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

/// Characters of a text that is no problem document.
const SNIPPET: usize = 200;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// Stable word, such as `InvalidInputs`; empty if none was given.
    pub(crate) code: String,
    /// In words, with every single error.
    pub(crate) message: String,
    /// When to come back.
    pub(crate) retry_after: Option<Duration>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(formatter, " {}", self.code)?;
        }
        write!(formatter, ": {}", self.message)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    code: String,
    errors: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    pointer: String,
    detail: String,
}

impl Refusal {
    /// Whether the same request may be taken later.
    pub(super) fn passes(&self) -> bool {
        match self.status {
            401 | 403 | 408 | 425 | 429 | 500.. => true,
            // Some conflicts are about the content, and stay.
            409 => matches!(self.code.as_str(), "" | "Conflict" | "IdempotencyInFlight"),
            _ => false,
        }
    }

    /// Reads the answer's body.
    pub(super) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
            let message: String = String::from_utf8_lossy(body).chars().take(SNIPPET).collect();
            return Self {
                status,
                code: String::new(),
                message: message.trim().to_owned(),
                retry_after,
            };
        };
        let mut message = if problem.detail.is_empty() {
            problem.title
        } else {
            problem.detail
        };
        for error in problem.errors {
            let _ = write!(message, "; {} {}", error.pointer, error.detail);
        }
        Self {
            status,
            code: problem.code,
            message,
            retry_after,
        }
    }
}

/// Seconds of `Retry-After`; dates are not used by our API server.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_error_is_said() {
        let body =
            br#"{"title":"The inputs do not match","status":422,"code":"InvalidInputs","requestId":"1",
            "errors":[{"pointer":"/inputs/a","code":"Type","detail":"not a number"}]}"#;
        let refusal = Refusal::read(422, None, body);
        assert_eq!(
            refusal.to_string(),
            "422 InvalidInputs: The inputs do not match; /inputs/a not a number"
        );
    }

    #[test]
    fn a_proxy_in_between_is_quoted() {
        assert_eq!(
            Refusal::read(502, None, b"<html>bad gateway\n").to_string(),
            "502: <html>bad gateway"
        );
    }
}
