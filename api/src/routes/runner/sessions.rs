//! `POST /sessions`, `DELETE /sessions/{session}`: hello and goodbye.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flowpilot_engine::protocol::runner::{
    HEARTBEAT_SECONDS, OpenSession, SELF_STOP_SECONDS, SESSION_TTL_SECONDS, SessionOpened,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::auth::{Caller, RunnerProtocol};
use crate::http::{Json, Reply, path::Path};
use crate::problem::{Code, Problem};
use crate::queue::NewSession;

/// Runs of one runner: far more than one process executes well.
const CAPACITY: u32 = 10_000;
/// Characters of a name.
const NAME: usize = 253;

/// Hello.
pub async fn open(
    caller: Caller<RunnerProtocol>,
    Json(hello, _): Json<OpenSession>,
) -> Result<Response, Problem> {
    if caller.draining.is_cancelled() {
        return Err(Problem::new(Code::Draining, "").retry_after(1));
    }
    let good = |name: &str| !name.is_empty() && name.len() <= NAME;
    if !good(&hello.pool) || !good(&hello.runner) || hello.capacity == 0 || hello.capacity > CAPACITY {
        let text = format!("`runner` and `pool` have 1 to {NAME} characters, `capacity` is 1 to {CAPACITY}");
        return Err(Problem::new(Code::MalformedRequest, text));
    }
    let session_id = Uuid::now_v7();
    let opened = caller
        .queue
        .open_session(NewSession {
            session_id,
            tenant_id: caller.scope.tenant_id,
            class: &hello.pool,
            runner: &hello.runner,
            capacity: i32::try_from(hello.capacity).unwrap_or(i32::MAX),
        })
        .await?;
    tracing::info!(runner = hello.runner, pool = hello.pool, version = hello.version, session = %session_id, "a runner came");
    let ttl = SignedDuration::from_secs(i64::try_from(SESSION_TTL_SECONDS).unwrap_or(i64::MAX));
    let answer = SessionOpened {
        session: session_id,
        ttl_seconds: SESSION_TTL_SECONDS,
        heartbeat_seconds: HEARTBEAT_SECONDS,
        self_stop_seconds: SELF_STOP_SECONDS,
        now: opened.expires_at - ttl,
    };
    let mut response = Reply::ok(answer).into_response();
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Goodbye: the runs of the session go back at once.
pub async fn close(caller: Caller<RunnerProtocol>, Path(session): Path<Uuid>) -> Result<StatusCode, Problem> {
    caller
        .queue
        .close_session(caller.scope.tenant_id, session)
        .await?;
    tracing::info!(%session, "a runner went");
    Ok(StatusCode::NO_CONTENT)
}
