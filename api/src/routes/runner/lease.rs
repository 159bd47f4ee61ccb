//! `POST /lease`: waits for runs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::protocol::runner::{
    InboxMessage, LEASE_WAIT_SECONDS, LeaseRequest as Request, RunInbox,
};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::inbox;
use crate::auth::{Caller, RunnerProtocol};
use crate::http::{Json, Reply};
use crate::problem::{Code, Problem};
use crate::queue::{LeaseRequest, LeasedRun};
use crate::store::journal::JournalRow;
use crate::store::{TenantTx, journal};

/// Runs handed out in one answer, and ids named in one request.
const RUNS: usize = 10_000;
/// Commits per read of a journal that is too long for the lease itself.
const COMMITS: i64 = 1_000;

/// `Leased` of the protocol; events and plans pass through as they are stored.
#[derive(Serialize)]
struct Leased {
    runs: Vec<Run>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inbox: Vec<RunInbox>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    #[serde(rename = "run")]
    id: Uuid,
    epoch: i32,
    workflow: Arc<str>,
    tenant: String,
    revision: Arc<str>,
    seq: i32,
    url: String,
    journal: Box<RawValue>,
    inbox: Vec<InboxMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Arc<Plan>>,
}

/// Waits for runs, at most the protocol's longest time; 204 when there is nothing.
pub async fn lease(
    caller: Caller<RunnerProtocol>,
    Json(request, _): Json<Request>,
) -> Result<Response, Problem> {
    if caller.draining.is_cancelled() {
        return Err(Problem::new(Code::Draining, "").retry_after(1));
    }
    if request.held.len() > RUNS || request.have.len() > RUNS {
        return Err(Problem::new(
            Code::PayloadTooLarge,
            format!("`held` and `have` name at most {RUNS} each"),
        ));
    }
    let tenant_id = caller.scope.tenant_id;
    let wait = Duration::from_secs(request.wait_seconds.min(LEASE_WAIT_SECONDS));
    let free = usize::try_from(request.free).unwrap_or(0);
    let leased = caller
        .queue
        .lease(
            LeaseRequest {
                tenant_id,
                session_id: request.session,
                free,
                held: request.held,
                wait,
            },
            &caller.draining,
        )
        .await?;
    let inbox = inbox::by_run(&leased.inbox);
    if leased.runs.is_empty() && inbox.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mut have: HashSet<Arc<str>> = request.have.into_iter().map(Arc::from).collect();
    let mut runs = Vec::with_capacity(leased.runs.len());
    for run in leased.runs {
        let id = run.run_id;
        match hand_out(&caller, run, &mut have).await {
            Ok(run) => runs.push(run),
            // It stays leased and unknown to its runner: the heartbeat gives it back.
            Err(problem) => tracing::error!(run.id = %id, ?problem, "a run cannot be handed out"),
        }
    }
    caller.metrics.leased(runs.len());
    if runs.is_empty() && inbox.is_empty() {
        return Err(
            Problem::new(Code::Unavailable, "the runs that wait cannot be handed out").retry_after(2),
        );
    }
    Ok(Reply::ok(Leased { runs, inbox }).into_response())
}

async fn hand_out(
    caller: &Caller<RunnerProtocol>,
    mut run: LeasedRun,
    have: &mut HashSet<Arc<str>>,
) -> Result<Run, Problem> {
    complete(caller, &mut run).await?;
    let plan = if have.contains(&run.revision) {
        None
    } else {
        let plan = caller
            .plans
            .find(&caller.pools, run.tenant_id, &run.revision)
            .await?;
        have.insert(Arc::clone(&run.revision));
        Some(plan.ok_or_else(Problem::not_found)?)
    };
    let tenant = &caller.scope.name;
    let base = caller
        .public_url
        .as_ref()
        .map(|url| url.as_str().trim_end_matches('/'));
    Ok(Run {
        url: base.map_or_else(String::new, |base| {
            format!("{base}/t/{tenant}/runs/{}", run.run_id)
        }),
        id: run.run_id,
        epoch: run.epoch,
        workflow: run.workflow,
        tenant: tenant.clone(),
        revision: run.revision,
        seq: run.next_seq,
        journal: join(&run.journal)?,
        inbox: inbox::messages(&run.inbox),
        plan,
    })
}

/// Reads what did not fit into the lease.
async fn complete(caller: &Caller<RunnerProtocol>, run: &mut LeasedRun) -> Result<(), Problem> {
    let stored = |run: &LeasedRun| run.journal.last().map_or(0, |row| row.seq + i32::from(row.n));
    if stored(run) >= run.next_seq {
        return Ok(());
    }
    let mut tx = TenantTx::begin(&caller.pools.app, run.tenant_id).await?;
    while stored(run) < run.next_seq {
        let rows = journal::read(&mut tx, run.run_id, stored(run) - 1, COMMITS).await?;
        if rows.is_empty() {
            return Err(Problem::new(
                Code::Internal,
                "a journal is shorter than its run says",
            ));
        }
        run.journal.extend(rows);
    }
    Ok(tx.commit().await?)
}

/// The arrays of all commits as one array, without reading what is in them.
fn join(rows: &[JournalRow]) -> Result<Box<RawValue>, Problem> {
    let mut text = String::with_capacity(rows.iter().map(|row| row.body.len() + 1).sum::<usize>() + 2);
    text.push('[');
    for row in rows {
        let inner = row.body.trim();
        let inner = inner
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
            .unwrap_or_default()
            .trim();
        if !inner.is_empty() {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(inner);
        }
    }
    text.push(']');
    RawValue::from_string(text).map_err(|error| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn commits_become_one_list_of_events() {
        let row = |body: &str| JournalRow {
            seq: 0,
            n: 1,
            epoch: 0,
            at: Timestamp::UNIX_EPOCH,
            body: body.to_owned(),
        };
        let joined = join(&[row("[{\"a\":1}]"), row(" [ ] "), row("[{\"b\":[2]},{\"c\":3}]")]).unwrap();
        assert_eq!(joined.get(), "[{\"a\":1},{\"b\":[2]},{\"c\":3}]");
        assert_eq!(join(&[]).unwrap().get(), "[]");
    }
}
