//! The outermost layer: gives the request its id, bounds it in size and time, catches what breaks, writes problems
//! down, and counts.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tracing::Instrument;

use crate::auth::Door;
use crate::problem::{Code, Problem};

/// Longest address.
const URL: usize = 8 * 1024;
/// Longest work before an answer begins: above the long polls, whose bound is 25 s.
const TIMEOUT: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The layer.
pub async fn observe(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!(
        "request",
        request.id = id,
        trace.id = trace_id(request.headers()),
        http.method = %method,
        http.route = route
    );
    request.extensions_mut().insert(RequestId(id.clone()));
    let started = Instant::now();
    let mut response = bounded(request, next).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.render(&id);
    }
    let status = response.status();
    let elapsed = started.elapsed();
    span.in_scope(|| {
        let (status, elapsed_ms) = (
            status.as_u16(),
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        );
        if status >= 500 {
            tracing::warn!(http.status = status, elapsed_ms, "answered");
        } else {
            tracing::debug!(http.status = status, elapsed_ms, "answered");
        }
    });
    door.services()
        .metrics
        .request(&route, method.as_str(), status.as_u16(), elapsed.as_secs_f64());
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// The id of a request, for handlers that keep it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

async fn bounded(request: Request, next: Next) -> Response {
    if length(request.uri()) > URL {
        return Problem::new(
            Code::PayloadTooLarge,
            format!("an address has at most {URL} bytes"),
        )
        .into_response();
    }
    match tokio::time::timeout(TIMEOUT, AssertUnwindSafe(next.run(request)).catch_unwind()).await {
        Ok(Ok(response)) => response,
        // The panic itself was logged by the hook.
        Ok(Err(_)) => Problem::new(Code::Internal, "").into_response(),
        Err(_) => {
            tracing::error!("no answer within {} s", TIMEOUT.as_secs());
            Problem::new(Code::Unavailable, "the answer took too long")
                .retry_after(2)
                .into_response()
        }
    }
}

fn length(uri: &Uri) -> usize {
    uri.path_and_query().map_or(0, |text| text.as_str().len())
}

/// The caller's id if it is one, otherwise a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let good = |id: &&str| {
        (8..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    given
        .filter(good)
        .map_or_else(|| uuid::Uuid::new_v4().to_string(), ToOwned::to_owned)
}

/// The trace that the caller is part of: second field of `traceparent` (W3C Trace Context).
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let id = value.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

/// Addresses that do not exist.
pub async fn no_such_address() -> Problem {
    Problem::not_found()
}

/// Addresses that exist for other methods.
pub async fn no_such_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_taken_only_if_it_can_stand_in_a_log() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static("abc-12345"));
        assert_eq!(request_id(&headers), "abc-12345");
        for bad in ["short", "with space", "a\"quote-in-it", &"x".repeat(65)] {
            headers.insert(REQUEST_ID, HeaderValue::from_str(bad).unwrap());
            assert_ne!(request_id(&headers), bad);
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_no_broken_connection() {
        use tower::ServiceExt;
        async fn broken() -> Response {
            panic!("of the test")
        }
        let router: axum::Router = axum::Router::new()
            .route("/", axum::routing::get(broken))
            .layer(axum::middleware::from_fn(bounded));
        let response = router
            .oneshot(Request::new(axum::body::Body::empty()))
            .await
            .unwrap();
        assert_eq!(
            response.extensions().get::<Problem>().map(|problem| problem.code),
            Some(Code::Internal)
        );
    }

    #[test]
    fn the_trace_of_the_caller_is_read() {
        let mut headers = HeaderMap::new();
        let value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert("traceparent", HeaderValue::from_static(value));
        assert_eq!(trace_id(&headers), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        headers.insert("traceparent", HeaderValue::from_static("00-nonsense-01"));
        assert_eq!(trace_id(&headers), None);
    }
}
