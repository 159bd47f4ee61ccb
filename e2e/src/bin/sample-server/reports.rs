//! A letter box: `POST /reports/{name}` keeps what came, so that a test can read back what a workflow sent.
//!
//! Bounded: the newest [`KEPT`] reports over all names, each of at most [`MAX_BODY`] bytes. Counts go on beyond that.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Serialize;

/// Reports kept in all: a test reads its own within seconds, and memory stays below 100 MiB.
const KEPT: usize = 100;
/// Bytes of one report; a larger one is answered with 413.
const MAX_BODY: usize = 1024 * 1024;
/// Names counted; one more is answered with 507. Each costs some 100 bytes.
const MAX_NAMES: usize = 10_000;

#[derive(Default)]
struct LetterBox {
    reports: VecDeque<Report>,
    received: HashMap<String, u64>,
}

type Shared = Arc<Mutex<LetterBox>>;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(skip)]
    name: String,
    received_at: Timestamp,
    headers: BTreeMap<String, String>,
    /// As text: reports are JSON, CSV or prose.
    body: String,
}

#[derive(Serialize)]
struct All {
    /// How many came in under this name since the start.
    count: u64,
    /// Those still kept, oldest first.
    reports: Vec<Report>,
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/reports/{name}", get(last).post(receive))
        .route("/reports/{name}/all", get(all))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Shared::default())
}

async fn receive(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<serde_json::Value>), (StatusCode, &'static str)> {
    let mut letter_box = open(&shared);
    if letter_box.received.len() >= MAX_NAMES && !letter_box.received.contains_key(&name) {
        return Err((
            StatusCode::INSUFFICIENT_STORAGE,
            "too many names; restart the server\n",
        ));
    }
    let count = letter_box.received.entry(name.clone()).or_default();
    *count += 1;
    let count = *count;
    if letter_box.reports.len() == KEPT {
        letter_box.reports.pop_front();
    }
    let headers = headers
        .iter()
        .map(|(key, value)| {
            (
                key.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    tracing::info!(%name, bytes = body.len(), count, "report received");
    letter_box.reports.push_back(Report {
        name,
        received_at: Timestamp::now(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    Ok((StatusCode::CREATED, Json(serde_json::json!({ "count": count }))))
}

async fn last(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let found = open(&shared)
        .reports
        .iter()
        .rev()
        .find(|report| report.name == name)
        .cloned();
    match found {
        Some(report) => {
            let content_type = report.headers.get("content-type").cloned();
            let content_type = content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            ([(header::CONTENT_TYPE, content_type)], report.body).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no report of this name\n").into_response(),
    }
}

async fn all(State(shared): State<Shared>, Path(name): Path<String>) -> Json<All> {
    let letter_box = open(&shared);
    Json(All {
        count: letter_box.received.get(&name).copied().unwrap_or_default(),
        reports: letter_box
            .reports
            .iter()
            .filter(|report| report.name == name)
            .cloned()
            .collect(),
    })
}

/// Nothing is left half done under this lock, so that a panic elsewhere does not spoil the content.
fn open(shared: &Shared) -> MutexGuard<'_, LetterBox> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn post(shared: &Shared, name: &str, body: &str) -> u64 {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, "text/plain".parse().unwrap())]);
        let (status, Json(answer)) = receive(
            State(shared.clone()),
            Path(name.into()),
            headers,
            Bytes::copy_from_slice(body.as_bytes()),
        )
        .await
        .unwrap();
        assert_eq!(status, StatusCode::CREATED);
        answer["count"].as_u64().unwrap()
    }

    #[tokio::test]
    async fn the_last_report_and_all_of_a_name() {
        let shared = Shared::default();
        assert_eq!(post(&shared, "a", "one").await, 1);
        assert_eq!(post(&shared, "b", "other").await, 1);
        assert_eq!(post(&shared, "a", "two").await, 2);
        let answer = last(State(shared.clone()), Path("a".into())).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain");
        assert_eq!(axum::body::to_bytes(answer.into_body(), 10).await.unwrap(), "two");
        let Json(answer) = all(State(shared.clone()), Path("a".into())).await;
        assert_eq!((answer.count, answer.reports.len()), (2, 2));
        assert_eq!(
            last(State(shared), Path("c".into())).await.status(),
            StatusCode::NOT_FOUND
        );
    }

    #[tokio::test]
    async fn no_more_are_kept_than_the_bound() {
        let shared = Shared::default();
        for _ in 0..=KEPT {
            post(&shared, "a", "x").await;
        }
        let Json(answer) = all(State(shared), Path("a".into())).await;
        assert_eq!((answer.count, answer.reports.len()), (KEPT as u64 + 1, KEPT));
    }
}
