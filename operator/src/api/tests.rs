use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::routing::{get, put};
use tokio::net::TcpListener;

use super::*;

/// A server that speaks the protocol's HTTP on loopback, and the client of it.
async fn api(routes: Router, token_file: PathBuf) -> Api {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    Api::new(base, token_file).unwrap()
}

fn token_file(name: &str, token: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("flowpilot-operator-{name}-{}", std::process::id()));
    std::fs::write(&path, format!("{token}\n")).unwrap();
    path
}

fn revision() -> RevisionRegistration {
    RevisionRegistration {
        uid: Uuid::nil(),
        generation: 1,
        spec: serde_json::json!({}),
        labels: serde_json::Map::new(),
    }
}

#[tokio::test]
async fn names_in_paths_cannot_leave_their_place_and_the_token_is_sent() {
    let routes = Router::new().route(
        "/operator/v1/workflows/{namespace}/{name}/revisions/{digest}",
        put(async |Path(parts): Path<Vec<String>>, request: Request| {
            assert_eq!(parts, ["fp-a", "../b", "sha256:1"]);
            assert_eq!(request.headers()["authorization"], "Bearer secret");
            StatusCode::NO_CONTENT
        }),
    );
    let api = api(routes, token_file("paths", "secret")).await;
    api.register_revision(("fp-a", "../b"), "sha256:1", &revision())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_renewed_token_is_read_when_the_old_one_is_refused() {
    let path = token_file("renewed", "old");
    let asked = Arc::new(AtomicU32::new(0));
    let (renew, count) = (path.clone(), Arc::clone(&asked));
    let routes = Router::new().route(
        "/operator/v1/pools/changes",
        get(async move |request: Request| {
            count.fetch_add(1, Ordering::SeqCst);
            if request.headers()["authorization"] == "Bearer new" {
                return (StatusCode::OK, r#"{"pools":[],"version":3}"#);
            }
            std::fs::write(&renew, "new").unwrap();
            (StatusCode::UNAUTHORIZED, "{}")
        }),
    );
    let api = api(routes, path).await;
    assert_eq!(api.pool_changes(None).await.unwrap().version, 3);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_refused_for_good_is_told_apart_from_what_passes() {
    let routes = Router::new().route(
        "/operator/v1/workflows/{namespace}/{name}/revisions/{digest}",
        put(async |Path(parts): Path<Vec<String>>| StatusCode::from_u16(parts[1].parse().unwrap()).unwrap()),
    );
    let api = api(routes, token_file("refused", "t")).await;
    for (status, lasting) in [
        ("400", true),
        ("404", true),
        ("422", true),
        ("401", false),
        ("403", false),
        ("429", false),
        ("503", false),
    ] {
        let error = api
            .register_revision(("fp-a", status), "d", &revision())
            .await
            .unwrap_err();
        assert_eq!(error.refusal().is_some(), lasting, "{status}: {error}");
    }
}
