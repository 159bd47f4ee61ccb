//! `GET /actions`: built-in actions with their schemas.

use flowpilot_engine::action::{Effect, built_in};
use serde::Serialize;
use serde_json::Value;

use crate::auth::{Caller, Myself, Permission};
use crate::http::Reply;
use crate::routes::page::Page;

/// An action that steps can use.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionView {
    /// Name with its major version, as it stands in `uses`.
    name: &'static str,
    /// Name for people.
    title: &'static str,
    /// What it does to the world at worst: `None`, `Read`, `Write` or `Irreversible`.
    #[schema(value_type = String)]
    effect: Effect,
    /// It passes an idempotency key on.
    idempotency_key: bool,
    /// JSON Schema of `with`.
    #[schema(value_type = Object)]
    input: Value,
    /// JSON Schema of the output.
    #[schema(value_type = Object)]
    output: Value,
}

/// Built-in actions, by name.
#[utoipa::path(get, path = "/api/v1/actions", tag = "meta", operation_id = "listActions",
    security(("token" = [<Myself as Permission>::NAME])),
    responses((status = 200, description = "All of them on one page", body = Page<ActionView>)))]
pub async fn list(_caller: Caller<Myself>) -> Reply<Page<ActionView>> {
    let items = built_in().iter().map(|action| ActionView {
        name: action.name,
        title: action.title,
        effect: action.effect,
        idempotency_key: action.idempotency_key,
        input: action.input.clone(),
        output: action.output.clone(),
    });
    Reply::ok(Page {
        items: items.collect(),
        next_cursor: None,
    })
}
