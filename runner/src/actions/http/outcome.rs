//! What went wrong, in the words of the language: by status, or by what the connection did.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flowpilot_engine::journal::StepError;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use super::super::failure::{cut, failure};
use super::response;
use crate::guard::{Blocked, Guard};

/// How much of an answer stands in the error: enough for the message of an API, not for a page.
const EXCERPT: usize = 1024;

/// Whether the other side may have acted, although no good answer was seen.
pub(super) struct Sent {
    changes: bool,
    left: AtomicBool,
}

impl Sent {
    pub(super) fn new(method: &Method) -> Self {
        let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        Self {
            changes,
            left: AtomicBool::new(false),
        }
    }

    /// A request is about to leave; gives whether an earlier one already had.
    pub(super) fn begin(&self) -> bool {
        self.left.swap(true, Ordering::Relaxed)
    }

    /// The error of a request that may have been acted upon.
    pub(super) fn mark(&self, mut error: StepError) -> StepError {
        error.may_have_happened = self.changes && self.left.load(Ordering::Relaxed);
        error
    }
}

/// The request did not come to an answer.
pub(super) fn transport_error(error: &reqwest::Error, sent: &Sent, before: bool) -> StepError {
    if error.is_connect() {
        // Nothing of this request has left.
        sent.left.store(before, Ordering::Relaxed);
    }
    if let Some(blocked) = Guard::blocked(error) {
        return sent.mark(not_allowed(blocked));
    }
    let code = if error.is_timeout() {
        "Timeout"
    } else {
        "Unavailable"
    };
    sent.mark(failure(code, format!("the request failed: {}", causes(error))))
}

/// The address is closed to the tenant.
pub(super) fn not_allowed(blocked: &Blocked) -> StepError {
    StepError {
        retryable: Some(false),
        ..failure("AddressNotAllowed", blocked.to_string())
    }
}

/// The chain of causes without the URL, whose query may carry what logs must not.
pub(super) fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Wrappers often repeat the message of what they wrap.
        if !text.ends_with(&cause_text) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{separator}{cause_text}");
        }
        source = cause.source();
    }
    if text.is_empty() {
        "the connection broke".to_owned()
    } else {
        text
    }
}

/// The answer has a status that is no success.
pub(super) async fn status_error(response: Response, sent: &Sent) -> StepError {
    let status = response.status();
    let retry_after_ms = retry_after(response.headers(), Timestamp::now());
    let body = response::excerpt(response, EXCERPT).await;
    let reason = status.canonical_reason().unwrap_or("unknown status");
    let mut error = failure(
        code(status),
        format!("the server answered {} {reason}", status.as_u16()),
    );
    error.details = Some(json!({"status": status.as_u16(), "body": cut(&body, EXCERPT)}));
    if matches!(error.code.as_str(), "RateLimited" | "Unavailable" | "Timeout") {
        error.retry_after_ms = retry_after_ms;
    }
    if status == StatusCode::NOT_IMPLEMENTED || error.code == "UnexpectedStatus" {
        error.retryable = Some(false);
    }
    // A refusal says that nothing happened; a failure of the server does not.
    if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
        error
    } else {
        sent.mark(error)
    }
}

fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => "Unauthorized",
        404 | 410 => "NotFound",
        408 => "Timeout",
        409 => "Conflict",
        429 => "RateLimited",
        400..=499 => "BadRequest",
        500..=599 => "Unavailable",
        _ => "UnexpectedStatus",
    }
}

/// `Retry-After` in milliseconds: seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let at = rfc2822::parse(text).ok()?.timestamp();
    let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
    u64::try_from(wait.as_millis()).ok()
}
