//! Files of a folder under `/data/`: one level, known kinds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub(crate) fn router(folder: PathBuf) -> Router {
    Router::new()
        .route("/data/{name}", get(file))
        .with_state(Arc::from(folder))
}

async fn file(State(folder): State<Arc<Path>>, UrlPath(name): UrlPath<String>) -> Response {
    if !is_plain(&name) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::fs::read(folder.join(&name)).await {
        Ok(content) => ([(header::CONTENT_TYPE, content_type(&name))], content).into_response(),
        Err(error) => {
            tracing::info!(%name, %error, "no such file");
            StatusCode::NOT_FOUND.into_response()
        }
    }
}

/// A bare file name: nothing that could lead out of the folder.
fn is_plain(name: &str) -> bool {
    !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "json")) => "application/json",
        Some((_, "csv")) => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        assert!(is_plain("seattle-weather.csv"));
        for name in ["..", "../etc/passwd", "a/b", ".hidden", "a\\b"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
