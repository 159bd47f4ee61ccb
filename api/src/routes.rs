//! Every operation, one file each: parameters, documentation, handler.
//!
//! ```text
//! 8080  /api/v1        meta actions tenants workflows runs     people
//!       /livez /readyz /problems /metrics
//! 8081  /runner/v1     runner                                  runners of one tenant
//!       /operator/v1   operator                                the operator
//! ```

pub mod actions;
pub mod meta;
pub mod operator;
pub mod page;
pub mod runner;
pub mod runs;
pub mod tenants;
pub mod workflows;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post, put};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Door;
use crate::http::observe;

/// The operations of people, with their specification.
pub(crate) fn people() -> OpenApiRouter<Door> {
    OpenApiRouter::with_openapi(crate::openapi::base())
        .routes(routes!(meta::show::show))
        .routes(routes!(meta::openapi::openapi))
        .routes(routes!(actions::list::list))
        .routes(routes!(tenants::show::show))
        .routes(routes!(workflows::list::list, workflows::create::create))
        .routes(routes!(workflows::validate::validate))
        .routes(routes!(
            workflows::show::show,
            workflows::replace::replace,
            workflows::delete::delete
        ))
        .routes(routes!(workflows::revisions::revisions))
        .routes(routes!(runs::start::start))
        .routes(routes!(runs::list::list))
        .routes(routes!(runs::show::show))
        .routes(routes!(runs::events::events))
        .routes(routes!(runs::stream::stream))
        .routes(routes!(runs::cancel::cancel))
}

/// The public listener.
pub(crate) fn public(door: Door) -> Router {
    let (router, _) = people().split_for_parts();
    let router = router
        .merge(meta::health::routes())
        .merge(meta::problems::routes())
        .route("/metrics", get(meta::health::metrics));
    finish(router, door)
}

/// The listener inside the cluster.
pub(crate) fn internal(door: Door) -> Router {
    let router = Router::new()
        .route("/runner/v1/sessions", post(runner::sessions::open))
        .route("/runner/v1/sessions/{session}", delete(runner::sessions::close))
        .route("/runner/v1/lease", post(runner::lease::lease))
        .route("/runner/v1/commit", post(runner::commit::commit))
        .route("/runner/v1/heartbeat", post(runner::heartbeat::heartbeat))
        .route("/runner/v1/plans/{digest}", get(runner::plan::plan))
        .route(
            "/operator/v1/tenants/{name}",
            put(operator::tenants::put).delete(operator::tenants::delete),
        )
        .route(
            "/operator/v1/workflows/{namespace}/{name}/revisions/{digest}",
            put(operator::workflows::put_revision),
        )
        .route(
            "/operator/v1/workflows/{namespace}/{name}",
            delete(operator::workflows::delete),
        )
        .route("/operator/v1/runs", post(operator::runs::start))
        .route("/operator/v1/runs/{uid}", delete(operator::runs::cancel))
        .route("/operator/v1/runs/{uid}/cancel", post(operator::runs::cancel))
        .route("/operator/v1/runs/changes", get(operator::changes::runs))
        .route("/operator/v1/pools/changes", get(operator::changes::pools))
        .merge(meta::health::routes())
        .merge(meta::problems::routes());
    finish(router, door)
}

fn finish(router: Router<Door>, door: Door) -> Router {
    router
        .fallback(observe::no_such_address)
        .method_not_allowed_fallback(observe::no_such_method)
        .layer(from_fn_with_state(door.clone(), observe::observe))
        .with_state(door)
}
