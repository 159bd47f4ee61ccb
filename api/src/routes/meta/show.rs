//! `GET /meta`: version, limits, who asks.

use serde::Serialize;

use crate::auth::{Caller, Myself, Permission};
use crate::http::{Reply, body};

/// What this server is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Version of the server.
    version: &'static str,
    /// Who the caller is to the server.
    caller: &'static str,
    /// Where the definitions of workflows live: `cluster` or `folder`.
    definitions: &'static str,
    /// What a request may be.
    limits: Limits,
}

/// What a request may be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Limits {
    /// Bytes of a body.
    body_bytes: usize,
    /// Bytes of a workflow.
    workflow_bytes: usize,
    /// Items of a page.
    page_items: usize,
}

/// Version and limits of the server.
#[utoipa::path(get, path = "/api/v1/meta", tag = "meta", operation_id = "getMeta",
    security(("token" = [<Myself as Permission>::NAME])),
    responses((status = 200, description = "About the server", body = Meta)))]
pub async fn show(caller: Caller<Myself>) -> Reply<Meta> {
    let limits = Limits {
        body_bytes: body::BODY,
        workflow_bytes: body::WORKFLOW,
        page_items: 200,
    };
    let definitions = match caller.definitions {
        crate::definitions::Definitions::Cluster(_) => "cluster",
        crate::definitions::Definitions::Folder(_) => "folder",
    };
    Reply::ok(Meta {
        version: env!("CARGO_PKG_VERSION"),
        caller: caller.principal.name(),
        definitions,
        limits,
    })
}
