//! `GET T/runs/{r}/stream`: the journal as it grows, as server-sent events.
//!
//! The bus says when to look and the journal says what happened, so a stream has no gap: neither at its beginning nor
//! after a pause, where `Last-Event-ID` names the last event that was seen.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use super::model::{Numbered, numbered};
use crate::auth::{Caller, Permission, RunsRead};
use crate::follow::Follow;
use crate::http::{Parameters, path::Path};
use crate::problem::{Code, Problem};
use crate::store::{TenantTx, journal, runs};

/// A stream ends after this time with `event: bye`; the client comes back with `Last-Event-ID`.
const LONGEST: Duration = Duration::from_hours(1);
/// A comment line this often keeps proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events between the journal and a slow reader.
const BUFFER: usize = 64;
/// Commits per read.
const COMMITS: i64 = 100;

/// Where to begin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Events after the one of this number; `Last-Event-ID` says the same and wins.
    after: Option<i32>,
}

/// What happens in a run, live (server-sent events). `id` is the number of the event, `data` the event as in
/// `GET …/events`. Ends after `RunFinished`.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/runs/{run}/stream", tag = "runs", operation_id = "streamRun",
    security(("token" = [<RunsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"),
        ("run" = Uuid, Path, description = "Id of the run"),
        ("Last-Event-ID" = Option<i32>, Header, description = "Number of the last event that was seen"), Query),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = String)),
    extensions(("x-problems" = json!(["MalformedRequest", "TooManyStreams", "Draining"]))))]
pub async fn stream(
    caller: Caller<RunsRead>,
    Path((_tenant, run)): Path<(String, Uuid)>,
    Parameters(query): Parameters<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers
        .get("last-event-id")
        .map(|value| value.to_str().unwrap_or_default().parse::<i32>());
    let last = last
        .transpose()
        .map_err(|_| Problem::new(Code::MalformedRequest, "Last-Event-ID is a number"))?;
    let after = last.or(query.after).unwrap_or(-1);
    if caller.draining.is_cancelled() {
        return Err(Problem::new(Code::Draining, "").retry_after(1));
    }
    let Ok(permit) = caller.streams.clone().try_acquire_owned() else {
        return Err(
            Problem::new(Code::TooManyStreams, "this server has no room for another stream").retry_after(5),
        );
    };
    let follow = Follow::new(&caller.queue, run);
    let mut tx = TenantTx::begin(&caller.pools.app, caller.scope.tenant_id).await?;
    let found = runs::get(&mut tx, run).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;

    let (send, receive) = mpsc::channel(BUFFER);
    let done = found.run.state.is_finished() && after + 1 >= found.run.next_seq;
    let metrics = caller.metrics.clone();
    metrics.stream(1);
    tokio::spawn(async move {
        if !done {
            let told = tokio::select! {
                told = tell(&caller, run, after, follow, &send) => told,
                () = tokio::time::sleep(LONGEST) => true,
                () = caller.draining.cancelled() => true,
                () = send.closed() => false,
            };
            if told {
                let _ = send.try_send(Ok(Event::default().event("bye").data("")));
            }
        }
        metrics.stream(-1);
        drop(permit);
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(ReceiverStream::new(receive))
        .keep_alive(keep_alive)
        .into_response())
}

type Sender = mpsc::Sender<Result<Event, Infallible>>;

/// Tells everything until the run's end. False: there is nothing more to say.
async fn tell(
    caller: &Caller<RunsRead>,
    run: Uuid,
    mut after: i32,
    mut follow: Follow,
    send: &Sender,
) -> bool {
    loop {
        // The client comes back, and by then the database may have, too.
        let Ok(events) = read(caller, run, after).await else {
            return true;
        };
        let full = !events.is_empty();
        for Numbered { seq, text } in events {
            after = seq;
            let finished = is_last(text.get());
            if send
                .send(Ok(Event::default().id(seq.to_string()).data(text.get())))
                .await
                .is_err()
                || finished
            {
                return false;
            }
        }
        if !full {
            follow.changed(after + 1).await;
        }
    }
}

async fn read(caller: &Caller<RunsRead>, run: Uuid, after: i32) -> Result<Vec<Numbered>, Problem> {
    let mut tx = TenantTx::begin(&caller.pools.app, caller.scope.tenant_id).await?;
    let rows = journal::read(&mut tx, run, after, COMMITS).await?;
    tx.commit().await?;
    numbered(&rows, after)
}

/// Whether an event is the end of its run.
fn is_last(event: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type", borrow)]
        kind: std::borrow::Cow<'a, str>,
    }
    serde_json::from_str::<Kind<'_>>(event).is_ok_and(|kind| kind.kind == "RunFinished")
}
