//! Where a redirect leads, and what of the request goes along (RFC 9110, 15.4).

use flowpilot_engine::journal::StepError;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION};
use reqwest::{Method, Response, StatusCode};

use super::super::failure::failure;
use super::input::Request;

/// The `Location` of a redirect.
pub(super) fn location(response: &Response) -> Option<String> {
    match response.status().as_u16() {
        301 | 302 | 303 | 307 | 308 => response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        _ => None,
    }
}

/// The next request.
pub(super) fn follow(mut request: Request, status: StatusCode, location: &str) -> Result<Request, StepError> {
    let mut next = request.url.join(location).map_err(|error| StepError {
        retryable: Some(false),
        ..failure(
            "BadRedirect",
            format!("the server redirected to `{location}`: {error}"),
        )
    })?;
    next.set_fragment(None);
    let becomes_get = match status.as_u16() {
        303 => request.method != Method::HEAD,
        // Not what the first RFC said, and what every client does.
        301 | 302 => request.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        request.method = Method::GET;
        request.body = None;
        for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
            request.headers.remove(name);
        }
        request.headers.remove("idempotency-key");
        request.headers.remove("x-run-epoch");
    }
    if next.origin() != request.url.origin() {
        // They were meant for the first server.
        request.headers.remove(AUTHORIZATION);
        request.headers.remove(COOKIE);
    }
    request.url = next;
    Ok(request)
}

/// More redirects than the step follows.
pub(super) fn too_many(limit: u8) -> StepError {
    let message = format!(
        "the server redirected more than {limit} times: raise followRedirects, or use the last address"
    );
    StepError {
        retryable: Some(false),
        ..failure("TooManyRedirects", message)
    }
}
