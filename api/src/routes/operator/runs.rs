//! `POST /runs`, `DELETE /runs/{uid}`: the runs of WorkflowRun objects.

use axum::http::StatusCode;
use flowpilot_engine::journal::StepError;
use flowpilot_engine::protocol::operator::{RunReport, RunRequest};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::find_run::find_run;
use super::workflows::tenant;
use crate::auth::{Caller, OperatorProtocol};
use crate::http::{Json, Reply, path::Path};
use crate::launch::{Launch, Trigger, launch};
use crate::problem::Problem;
use crate::queue::{Cancelled, Dedupe, Started};
use crate::store::TenantTx;
use crate::store::runs::{self, RunDetail};

/// Scope of WorkflowRuns among the things that make a start unique.
const SCOPE: i16 = 4;
/// Priority of a run whose door knows none: normal.
const PRIORITY: i16 = 2;

/// Starts the run that a WorkflowRun wants, once; a repeated call finds it.
pub async fn start(
    caller: Caller<OperatorProtocol>,
    Json(request, bytes): Json<RunRequest>,
) -> Result<Reply<RunReport>, Problem> {
    let tenant = tenant(&caller, &request.namespace).await?;
    let launched = launch(
        &caller,
        Launch {
            run: Uuid::now_v7(),
            tenant: &tenant,
            workflow: &request.workflow,
            revision: request.revision.as_deref(),
            inputs: &request.inputs,
            priority: PRIORITY,
            trigger: Trigger::Resource(request.uid),
            actor: format!("workflowrun/{}", request.name),
            dedupe: Some(Dedupe {
                scope: SCOPE,
                key: request.uid,
                body_hash: Sha256::digest(&bytes).to_vec(),
            }),
        },
    )
    .await?;
    let (run, state) = match launched.started {
        Started::Leased => (launched.run, "running"),
        Started::Ready => (launched.run, "queued"),
        // The object's spec cannot change, so another body is the same wish in other words.
        Started::Duplicate { existing, .. } => {
            let mut tx = TenantTx::begin(&caller.pools.app, tenant.tenant_id).await?;
            let found = runs::get(&mut tx, existing).await?;
            tx.commit().await?;
            match found {
                Some(found) => return Ok(Reply::ok(report(request.uid, found))),
                None => (existing, "queued"),
            }
        }
    };
    Ok(Reply::ok(RunReport {
        uid: request.uid,
        run,
        state: state.to_owned(),
        revision: launched.revision.to_string(),
        started_at: None,
        finished_at: None,
        outputs: None,
        error: None,
    }))
}

/// The WorkflowRun goes away: its run is cancelled.
pub async fn cancel(caller: Caller<OperatorProtocol>, Path(uid): Path<Uuid>) -> Result<StatusCode, Problem> {
    let Some((tenant_id, run)) = find_run(&caller, uid).await? else {
        return Err(Problem::not_found());
    };
    match caller
        .queue
        .cancel(tenant_id, run, "workflowrun", Timestamp::now())
        .await?
    {
        Cancelled::Now => caller.metrics.run_finished("cancelled"),
        Cancelled::Requested | Cancelled::AlreadyFinished => {}
        Cancelled::NotFound => return Err(Problem::not_found()),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A run as the operator mirrors it.
pub(super) fn report(uid: Uuid, detail: RunDetail) -> RunReport {
    let RunDetail { run, outputs } = detail;
    let outputs = outputs.and_then(|outputs| serde_json::from_str::<Map<String, Value>>(outputs.get()).ok());
    let error = run.error.map(|error| StepError {
        code: error.code,
        message: error.message.unwrap_or_default(),
        step: error.step,
        ..StepError::default()
    });
    RunReport {
        uid,
        run: run.run_id,
        state: run.state.as_str().to_owned(),
        revision: run.revision,
        started_at: run.started_at,
        finished_at: run.finished_at,
        outputs,
        error,
    }
}
