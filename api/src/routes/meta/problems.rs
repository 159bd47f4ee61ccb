//! `GET /problems/{code}`: where the `type` of a problem points. Says what the code means and what its reader does about
//! it, in the words of `docs/errors.md`.
//!
//! Open to everybody, like the probes: it tells nothing of this installation, and whoever has no token yet must be able
//! to read why.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::auth::Door;
use crate::http::path::Path;
use crate::problem::{Code, Problem, advice};

pub(crate) fn routes() -> Router<Door> {
    Router::new().route("/problems/{code}", get(show))
}

async fn show(Path(name): Path<String>) -> Result<Response, Problem> {
    let code = Code::ALL.iter().find(|code| code.as_str() == name);
    let code = *code.ok_or_else(Problem::not_found)?;
    let text = format!(
        "{name} (HTTP status {})\n\n{}.\n\nWhat to do: {}.\n",
        code.status().as_u16(),
        code.title(),
        advice(code)
    );
    let mut response = text.into_response();
    // The same for everybody, until the next version.
    let public = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, public);
    Ok(response)
}
