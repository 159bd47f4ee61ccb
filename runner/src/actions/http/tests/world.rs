//! A server that answers as its path says and keeps what it saw, and a tenant whose rules let a step reach it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::any;
use flowpilot_engine::journal::StepError;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::actions::http::perform;
use crate::actions::tests::call;
use crate::guard::{Egress, Guard};

#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) type Log = Arc<Mutex<Vec<Seen>>>;

pub(super) struct World {
    pub(super) address: String,
    pub(super) log: Log,
    pub(super) guard: Guard,
}

impl World {
    pub(super) async fn new() -> Self {
        let log = Log::default();
        let router = Router::new().fallback(any(answer)).with_state(log.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let rules = json!({"allow": [{"cidr": "127.0.0.0/8", "ports": [port]}]});
        let guard = Guard::new(Egress::new(&serde_json::from_value(rules).unwrap()).unwrap());
        Self {
            address: format!("http://127.0.0.1:{port}"),
            log,
            guard,
        }
    }

    pub(super) async fn ask(&self, path: &str, more: Value) -> Result<Value, StepError> {
        let mut with = json!({"url": format!("{}{path}", self.address)});
        with.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        perform(&self.guard, call("core/http@1", with)).await
    }

    pub(super) async fn fails(&self, path: &str, more: Value) -> StepError {
        self.ask(path, more).await.unwrap_err()
    }

    pub(super) async fn last(&self) -> Seen {
        self.log.lock().await.last().unwrap().clone()
    }
}

/// `/status/404` answers with that status, `/to/303/next` redirects, and so on.
async fn answer(
    State(log): State<Log>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen {
        method,
        uri: uri.clone(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    log.lock().await.push(seen);
    let mut parts = uri.path().trim_start_matches('/').splitn(3, '/');
    let (what, number, rest) = (
        parts.next().unwrap(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let kind = |kind: &'static str| [(header::CONTENT_TYPE, kind)];
    match what {
        "json" => (kind("application/json"), r#"{"a": 1, "b": [2.5, null]}"#).into_response(),
        "problem" => (kind("application/problem+json"), r#"{"a": 1}"#).into_response(),
        "broken" => (kind("application/json"), "{nothing").into_response(),
        "csv" => (kind("text/csv"), "a,b\n1,2\n").into_response(),
        "latin" => (kind("text/plain; charset=iso-8859-1"), vec![b'g', 0xfc, b'n']).into_response(),
        "untyped" => "[1]".to_owned().into_bytes().into_response(),
        "status" => {
            let status = StatusCode::from_u16(number.parse().unwrap()).unwrap();
            (status, [("retry-after", "7")], "what the server says").into_response()
        }
        "to" => {
            let status = StatusCode::from_u16(number.parse().unwrap()).unwrap();
            let target = if rest.starts_with("http") {
                rest.replacen(':', "://", 1)
            } else {
                format!("/{rest}")
            };
            (status, [("location", target)]).into_response()
        }
        "loop" => (StatusCode::FOUND, [("location", "/loop")]).into_response(),
        "bytes" => "x".repeat(number.parse().unwrap()).into_response(),
        "endless" => Body::from_stream(futures::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 65536]))
        }))
        .into_response(),
        "slow" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            "late".into_response()
        }
        "cookies" => (
            AppendHeaders([("set-cookie", "secret=1"), ("x-twice", "1"), ("x-twice", "2")]),
            "{}",
        )
            .into_response(),
        _ => "ok".into_response(),
    }
}
