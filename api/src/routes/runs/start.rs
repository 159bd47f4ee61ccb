//! `POST T/workflows/{w}/runs`: starts a run.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::model::{ErrorView, Priority, StateView};
use crate::auth::{Caller, Permission, RunsStart};
use crate::http::{Json, Parameters, Reply, path::Path};
use crate::launch::{Launch, Trigger, launch};
use crate::problem::{Code, Problem};
use crate::queue::{Dedupe, EndWait, Ending, RunEnd, Started};
use crate::store::TenantTx;
use crate::store::runs::{self, State};

/// Longest wait for the end of a run within one request.
const WAIT: Duration = Duration::from_secs(25);
/// Characters of an idempotency key.
const KEY: usize = 128;
/// Scope of idempotency keys among the things that make a start unique.
const SCOPE: i16 = 1;

/// What to start.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartRun {
    /// Values for the workflow's inputs.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// Digest of the revision; the current one if absent.
    #[serde(default)]
    revision: Option<String>,
    /// How soon it gets a runner; `normal` if absent.
    #[serde(default)]
    priority: Option<Priority>,
}

/// A run that was accepted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunStarted {
    /// Its id.
    id: Uuid,
    /// Name of its workflow.
    workflow: String,
    /// Digest of its revision.
    revision: String,
    /// What is happening to it.
    state: StateView,
    /// When it was accepted.
    created_at: Timestamp,
    /// When it ended, of one that ended within `wait`.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    /// What it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    outputs: Option<Box<RawValue>>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorView>,
}

/// How to answer.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Answer when the run has ended, or after this time (`500ms` to `25s`); at once if absent.
    wait: Option<String>,
}

/// Starts a run. With an `Idempotency-Key` a repeated request finds the first run, for 24 hours.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/workflows/{workflow}/runs", tag = "runs", operation_id = "startRun",
    security(("token" = [<RunsStart as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant"),
        ("workflow" = String, Path, description = "Name of the workflow"),
        ("Idempotency-Key" = Option<String>, Header, description = "Up to 128 visible ASCII characters"), Query),
    request_body = StartRun,
    responses((status = 201, description = "Accepted, durably. `Idempotency-Replayed: true` if it was before", body = RunStarted)),
    extensions(("x-problems" = json!(["MalformedRequest", "UnknownField", "UnsupportedMediaType", "WorkflowNotReady",
        "InvalidInputs", "IdempotencyMismatch", "Draining"]))))]
pub async fn start(
    caller: Caller<RunsStart>,
    Path((_tenant, workflow)): Path<(String, String)>,
    Parameters(query): Parameters<Query>,
    headers: HeaderMap,
    Json(request, bytes): Json<StartRun>,
) -> Result<Reply<RunStarted>, Problem> {
    let tenant = &caller.scope;
    let wait = query.wait.as_deref().map(wait_of).transpose()?;
    let dedupe = key(&headers)?.map(|key| {
        let named = format!("{}\n{key}", caller.principal.name());
        let hash = Sha256::new()
            .chain_update(workflow.as_bytes())
            .chain_update([0])
            .chain_update(&bytes);
        Dedupe {
            scope: SCOPE,
            key: Uuid::new_v5(&Uuid::NAMESPACE_OID, named.as_bytes()),
            body_hash: hash.finalize().to_vec(),
        }
    });
    let run = Uuid::now_v7();
    // Waiting begins before the start, so that the end cannot be missed.
    let end = wait.map(|wait| (wait, caller.queue.end_of(tenant.tenant_id, run)));
    let launched = launch(
        &caller,
        Launch {
            run,
            tenant,
            workflow: &workflow,
            revision: request.revision.as_deref(),
            inputs: &request.inputs,
            priority: request.priority.unwrap_or_default().number(),
            trigger: Trigger::Api,
            actor: caller.principal.name().to_owned(),
            dedupe,
        },
    )
    .await?;
    let (run, state, replayed) = match launched.started {
        Started::Leased => (launched.run, StateView::Running, false),
        Started::Ready => (launched.run, StateView::Queued, false),
        Started::Duplicate {
            existing,
            same_body: true,
        } => (existing, StateView::Queued, true),
        Started::Duplicate { same_body: false, .. } => {
            let text = "this Idempotency-Key started a run with another body; take a new key for a new run";
            return Err(Problem::new(Code::IdempotencyMismatch, text));
        }
    };
    let mut answer = RunStarted {
        id: run,
        workflow,
        revision: launched.revision.to_string(),
        state,
        created_at: launched.at,
        finished_at: None,
        outputs: None,
        error: None,
    };
    if let Some((wait, end)) = end {
        // A run of an earlier request may have ended long ago.
        let (end, ended) = if replayed {
            let end = caller.queue.end_of(tenant.tenant_id, run);
            (end, look(&caller, run, &mut answer).await.unwrap_or(false))
        } else {
            (end, false)
        };
        if !ended {
            wait_for(&caller, wait, end, &mut answer).await;
        }
    } else if replayed {
        look(&caller, run, &mut answer).await?;
    }
    let location = format!("/api/v1/tenants/{}/runs/{run}", tenant.name);
    let reply = Reply::created(&location, answer);
    Ok(if replayed {
        reply.header(HeaderName::from_static("idempotency-replayed"), "true")
    } else {
        reply
    })
}

/// Waits for the end of a run and brings the answer up to date. The run is stored: whatever fails now, the answer says
/// what is known of it.
async fn wait_for(caller: &Caller<RunsStart>, wait: Duration, mut end: EndWait, answer: &mut RunStarted) {
    let run = answer.id;
    let deadline = tokio::time::sleep(wait);
    tokio::pin!(deadline);
    loop {
        let over = tokio::select! {
            ending = end.next() => match ending {
                Ending::Ended(end) => return answer.end(*end),
                Ending::Look => false,
            },
            () = &mut deadline => true,
            () = caller.draining.cancelled() => true,
        };
        if look(caller, run, answer).await.unwrap_or(false) || over {
            return;
        }
    }
}

impl RunStarted {
    fn end(&mut self, end: RunEnd) {
        let RunEnd {
            outcome,
            error,
            finished_at,
            body,
        } = end;
        self.state = State::from(outcome).into();
        self.finished_at = Some(finished_at);
        self.outputs = (self.state == StateView::Succeeded)
            .then(|| runs::outputs_of(&body))
            .flatten();
        self.error = error.map(ErrorView::from);
    }
}

/// Brings the answer up to date; true when the run has ended.
async fn look(caller: &Caller<RunsStart>, run: Uuid, answer: &mut RunStarted) -> Result<bool, Problem> {
    let mut tx = TenantTx::begin(&caller.pools.app, caller.scope.tenant_id).await?;
    let found = runs::get(&mut tx, run).await?;
    tx.commit().await?;
    let Some(found) = found else { return Ok(false) };
    let ended = found.run.state.is_finished();
    let summary = super::model::RunSummary::from(found.run);
    (answer.state, answer.finished_at, answer.error) = (summary.state, summary.finished_at, summary.error);
    (answer.created_at, answer.revision, answer.outputs) =
        (summary.created_at, summary.revision, found.outputs);
    Ok(ended)
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .filter(|key| (1..=KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
    let wrong = || {
        Problem::new(
            Code::MalformedRequest,
            format!("Idempotency-Key has 1 to {KEY} visible ASCII characters"),
        )
    };
    key.map(Some).ok_or_else(wrong)
}

/// `10s`, `500ms`.
fn wait_of(text: &str) -> Result<Duration, Problem> {
    let number = |digits: &str| digits.parse::<u64>().ok();
    let wait = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => number(digits).map(Duration::from_millis),
        (None, Some(digits)) => number(digits).map(Duration::from_secs),
        (None, None) => None,
    };
    wait.filter(|wait| *wait <= WAIT).ok_or_else(|| {
        Problem::new(
            Code::MalformedRequest,
            "`wait` is a time up to `25s`, such as `10s` or `500ms`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn waits_are_bounded_durations() {
        assert_eq!(wait_of("10s").unwrap(), Duration::from_secs(10));
        assert_eq!(wait_of("500ms").unwrap(), Duration::from_millis(500));
        for bad in ["", "10", "26s", "-1s", "1m", "s", "ms"] {
            assert!(wait_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_that_others_could_read_differently_is_refused() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", HeaderValue::from_str(value).unwrap());
            key(&headers).map(|key| key.map(ToOwned::to_owned))
        };
        assert_eq!(with("a-1").unwrap().as_deref(), Some("a-1"));
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        for bad in ["", "with space", &"x".repeat(129)] {
            assert!(with(bad).is_err(), "{bad:?}");
        }
    }
}
