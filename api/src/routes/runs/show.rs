//! `GET T/runs/{r}`: one run with inputs, outputs and the state of its steps.

use flowpilot_engine::journal::Event;
use flowpilot_engine::run::{Facts, Run as Machine};
use uuid::Uuid;

use super::model::{RunSummary, RunView, StepView};
use crate::auth::{Caller, Permission, RunsRead};
use crate::http::{Reply, path::Path};
use crate::problem::Problem;
use crate::store::journal::JournalRow;
use crate::store::runs::Run;
use crate::store::workflows::Revision;
use crate::store::{TenantTx, journal, runs, workflows};

/// Commits that are read for one view. A run with more shows no steps; its events can still be paged through.
const COMMITS: i64 = 5_000;

/// One run. The states of its steps follow from its journal.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/runs/{run}", tag = "runs", operation_id = "getRun",
    security(("token" = [<RunsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"), ("run" = Uuid, Path, description = "Id of the run")),
    responses((status = 200, description = "The run", body = RunView)))]
pub async fn show(
    caller: Caller<RunsRead>,
    Path((_tenant, run)): Path<(String, Uuid)>,
) -> Result<Reply<RunView>, Problem> {
    let mut tx = TenantTx::begin(&caller.pools.app, caller.scope.tenant_id).await?;
    let found = runs::get(&mut tx, run).await?.ok_or_else(Problem::not_found)?;
    let rows = journal::read(&mut tx, run, -1, COMMITS).await?;
    let revision = workflows::revision(&mut tx, &found.run.revision, Some(found.run.workflow_id)).await?;
    tx.commit().await?;

    let events = events(&rows);
    let inputs = match events.as_deref() {
        Some([Event::RunStarted { inputs, .. }, ..]) => inputs.clone(),
        _ => serde_json::Map::new(),
    };
    let view = match (revision, &events) {
        (Some(revision), Some(events)) => steps(&caller, &revision, &found.run, events),
        _ => None,
    };
    let message = view.as_ref().and_then(|view| view.message.clone());
    let (events, crashes) = (found.run.next_seq, found.run.crashes);
    Ok(Reply::ok(RunView {
        steps: view.map(|view| view.steps.into_iter().map(StepView::from).collect()),
        summary: RunSummary::from(found.run),
        outputs: found.outputs,
        inputs,
        message,
        events,
        crashes,
    }))
}

/// The events of all commits; nothing if one of them is unknown to this version, or if there are too many.
fn events(rows: &[JournalRow]) -> Option<Vec<Event>> {
    if i64::try_from(rows.len()).is_ok_and(|count| count >= COMMITS) {
        return None;
    }
    let mut events = Vec::new();
    for row in rows {
        match serde_json::from_str::<Vec<Event>>(&row.body) {
            Ok(body) => events.extend(body),
            Err(error) => {
                tracing::warn!(%error, "a journal has events that this version does not know");
                return None;
            }
        }
    }
    Some(events)
}

fn steps(
    caller: &Caller<RunsRead>,
    revision: &Revision,
    run: &Run,
    events: &[Event],
) -> Option<flowpilot_engine::run::RunView> {
    let plan = caller.plans.of(revision).ok()?;
    let facts = Facts {
        run: run.run_id,
        tenant: caller.scope.name.clone(),
        workflow: run.workflow.clone(),
        revision: run.revision.clone(),
        url: String::new(),
        // Only approvals ask who started a run, and the API server takes none yet.
        started_by: String::new(),
        attempt: 1,
        jitter: true,
    };
    match Machine::resume(plan, facts, events) {
        Ok(machine) => Some(machine.view()),
        Err(error) => {
            tracing::warn!(run.id = %run.run_id, %error, "a journal cannot be replayed");
            None
        }
    }
}
