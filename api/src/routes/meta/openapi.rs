//! `GET /openapi.json`: the specification of this API, generated from its code.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::auth::{Caller, Myself, Permission};

/// The specification of this API (OpenAPI 3.1).
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "meta", operation_id = "getOpenApi",
    security(("token" = [<Myself as Permission>::NAME])),
    responses((status = 200, description = "The specification", content_type = "application/json", body = Object)))]
pub async fn openapi(caller: Caller<Myself>) -> Response {
    let text = caller.specification.to_string();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
