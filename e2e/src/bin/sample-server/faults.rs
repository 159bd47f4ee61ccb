//! Answers that a workflow must cope with: given statuses, slowness, size, passing failures, redirects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest delay: beyond every timeout of a test, and a forgotten call still ends.
const MAX_DELAY: Duration = Duration::from_mins(5);
/// The largest answer: above every size cap there is; it is streamed, never held.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// Names whose failures are counted; one more is answered with 507.
const MAX_NAMES: usize = 10_000;

/// What came: method, path, query, headers and body.
pub(crate) async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: String) -> Json<Value> {
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(key, value)| (key.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    Json(json!({
        "method": method.as_str(),
        "path": uri.path(),
        "query": uri.query(),
        "headers": headers,
        "body": body,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StatusQuery {
    /// Seconds for a `Retry-After` header.
    retry_after: Option<u64>,
}

/// `/status/{code}?retryAfter=`: that status, with a small JSON body that names it.
pub(crate) async fn status(Path(code): Path<u16>, Query(query): Query<StatusQuery>) -> Response {
    match StatusCode::from_u16(code) {
        Ok(status) if code >= 200 => refusal(status, query.retry_after),
        _ => (StatusCode::BAD_REQUEST, "a status is 200 to 999\n").into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlowQuery {
    ms: u64,
}

/// `/slow?ms=`: answers after so many milliseconds.
pub(crate) async fn slow(Query(query): Query<SlowQuery>) -> Json<Value> {
    let delay = Duration::from_millis(query.ms).min(MAX_DELAY);
    tokio::time::sleep(delay).await;
    Json(json!({ "slept": delay.as_millis().to_string() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LargeQuery {
    bytes: u64,
}

/// `/large?bytes=`: a body of that many bytes, streamed without a length, so that only counting can stop it.
pub(crate) async fn large(Query(query): Query<LargeQuery>) -> Response {
    const CHUNK: &[u8] = &[b'x'; 64 * 1024];
    let chunks = stream::unfold(query.bytes.min(MAX_BYTES), |left| async move {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK.len());
        let rest = left - size as u64;
        (size > 0).then(|| {
            (
                Ok::<_, std::convert::Infallible>(Bytes::from_static(&CHUNK[..size])),
                rest,
            )
        })
    });
    ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(chunks)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedirectQuery {
    to: String,
}

/// `/redirect?to=`: 302 to anywhere, forbidden places included.
pub(crate) async fn redirect(Query(query): Query<RedirectQuery>) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, query.to)]).into_response()
}

type Failures = Arc<Mutex<HashMap<String, u64>>>;

/// `/flaky/{name}?fail=N&retryAfter=`: fails N times with 503, then succeeds; each name counts for itself.
pub(crate) fn flaky_router() -> Router {
    Router::new()
        .route("/flaky/{name}", any(flaky))
        .with_state(Failures::default())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FlakyQuery {
    fail: u64,
    retry_after: Option<u64>,
}

async fn flaky(
    State(failures): State<Failures>,
    Path(name): Path<String>,
    Query(query): Query<FlakyQuery>,
) -> Response {
    let mut calls = failures.lock().unwrap_or_else(PoisonError::into_inner);
    if calls.len() >= MAX_NAMES && !calls.contains_key(&name) {
        return (
            StatusCode::INSUFFICIENT_STORAGE,
            "too many names; restart the server\n",
        )
            .into_response();
    }
    let call = calls.entry(name).or_default();
    *call += 1;
    if *call <= query.fail {
        refusal(StatusCode::SERVICE_UNAVAILABLE, query.retry_after)
    } else {
        Json(json!({ "calls": *call })).into_response()
    }
}

fn refusal(status: StatusCode, retry_after: Option<u64>) -> Response {
    let headers: Option<[(HeaderName, String); 1]> =
        retry_after.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
    let body = Json(json!({ "status": status.as_u16() }));
    match headers {
        Some(headers) => (status, headers, body).into_response(),
        None => (status, body).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn flaky_fails_so_many_times() {
        let failures = Failures::default();
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let query = Query(FlakyQuery {
                fail: 2,
                retry_after: Some(1),
            });
            statuses.push(
                flaky(State(failures.clone()), Path("a".into()), query)
                    .await
                    .status()
                    .as_u16(),
            );
        }
        assert_eq!(statuses, [503, 503, 200]);
    }

    #[tokio::test]
    async fn large_has_exactly_that_many_bytes() {
        let answer = large(Query(LargeQuery { bytes: 200_001 })).await;
        assert_eq!(
            axum::body::to_bytes(answer.into_body(), 1_000_000)
                .await
                .unwrap()
                .len(),
            200_001
        );
    }
}
