//! `POST /commit`: what happened in some runs.

use std::collections::HashSet;

use flowpilot_engine::journal::{Event, RunOutcome};
use flowpilot_engine::protocol::runner::{COMMIT_ITEMS, CommitResult, CommitStatus, Committed, Then};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::inbox;
use crate::auth::{Caller, RunnerProtocol};
use crate::http::{Reply, body};
use crate::problem::{Code, Problem};
use crate::queue::{self, Next, RunCommit};
use crate::store::runs::RunError;

/// Events of one run in one commit.
const EVENTS: usize = 10_000;

/// `CommitRequest` of the protocol; events are judged, and stored as they came.
#[derive(Deserialize)]
pub struct Request {
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    run: Uuid,
    epoch: i32,
    seq: i32,
    events: Box<RawValue>,
    #[serde(default)]
    inbox_seen: i32,
    then: Then,
}

/// Stores what happened. Each item has its own result; a call that failed may be repeated as it was.
pub async fn commit(
    caller: Caller<RunnerProtocol>,
    body::Raw(bytes): body::Raw<{ body::COMMIT }>,
) -> Result<Reply<Committed>, Problem> {
    let request: Request = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(Code::MalformedRequest, error.to_string()))?;
    if request.items.len() > COMMIT_ITEMS {
        return Err(Problem::new(
            Code::PayloadTooLarge,
            format!("a commit has at most {COMMIT_ITEMS} items"),
        ));
    }
    let mut runs = HashSet::new();
    let commits = request.items.into_iter().enumerate().map(|(index, item)| {
        let run = item.run;
        let commit = check(caller.scope.tenant_id, item).and_then(|commit| {
            if runs.insert(run) {
                Ok(commit)
            } else {
                Err("a run has one commit under way at most".to_owned())
            }
        });
        let wrong = |text: String| {
            Problem::new(Code::InvalidCommit, format!("run {run}: {text}")).error(
                format!("/items/{index}"),
                "InvalidCommit",
                text,
            )
        };
        commit.map_err(wrong)
    });
    let commits = commits.collect::<Result<Vec<_>, _>>()?;
    let known: Vec<(Uuid, Option<&'static str>)> = commits
        .iter()
        .map(|commit| (commit.run_id, outcome(&commit.next)))
        .collect();

    let outcomes = caller.queue.commit(commits).await;
    let mut results = Vec::with_capacity(outcomes.len());
    for (outcome, (run, ended)) in outcomes.into_iter().zip(known) {
        let outcome = outcome?;
        let (result, word) = match outcome.status {
            queue::CommitStatus::Ok => (CommitStatus::Ok, "ok"),
            queue::CommitStatus::Dup => (CommitStatus::Dup, "dup"),
            queue::CommitStatus::Gap => (CommitStatus::Gap, "gap"),
            queue::CommitStatus::Fenced => (CommitStatus::Fenced, "fenced"),
        };
        caller.metrics.commit(word);
        if let (CommitStatus::Ok, Some(ended)) = (result, ended) {
            caller.metrics.run_finished(ended);
        }
        results.push(CommitResult {
            run,
            result,
            inbox: inbox::messages(&outcome.inbox),
        });
    }
    Ok(Reply::ok(Committed { results }))
}

fn outcome(next: &Next) -> Option<&'static str> {
    let Next::Finish { outcome, .. } = next else {
        return None;
    };
    Some(match outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::Failed => "failed",
        RunOutcome::Cancelled => "cancelled",
    })
}

/// What a runner may say: events that this version knows, the end where it belongs, and nothing after it.
fn check(tenant_id: Uuid, item: Item) -> Result<RunCommit, String> {
    let events: Vec<Event> = serde_json::from_str(item.events.get()).map_err(|error| error.to_string())?;
    if events.len() > EVENTS {
        return Err(format!("a commit has at most {EVENTS} events of one run"));
    }
    if item.epoch < 1 || item.seq < 1 || item.inbox_seen < 0 {
        return Err("`epoch` and `seq` are positive, `inboxSeen` is not negative".to_owned());
    }
    if events
        .iter()
        .any(|event| matches!(event, Event::RunStarted { .. }))
    {
        return Err("only the server says that a run started".to_owned());
    }
    let (last, before) = match events.split_last() {
        Some((last, before)) => (Some(last), before),
        None => (None, &events[..]),
    };
    if before
        .iter()
        .any(|event| matches!(event, Event::RunFinished { .. }))
    {
        return Err("nothing happens after `RunFinished`".to_owned());
    }
    let said = match last {
        Some(Event::RunFinished { outcome, .. }) => Some(*outcome),
        _ => None,
    };
    let next = match item.then {
        Then::Continue => Next::Continue,
        Then::Park { wake_at } => Next::Park { wake_at },
        Then::Yield => Next::Yield,
        Then::Finish { outcome, error, .. } => {
            if said != Some(outcome) {
                return Err(
                    "a run that finishes has `RunFinished` of the same outcome as its last event".to_owned(),
                );
            }
            let error = error.map(|error| RunError {
                code: error.code,
                step: error.step,
                message: Some(error.message),
            });
            Next::Finish { outcome, error }
        }
    };
    if said.is_some() && !matches!(next, Next::Finish { .. }) {
        return Err("after `RunFinished` a run finishes".to_owned());
    }
    Ok(RunCommit {
        tenant_id,
        run_id: item.run,
        epoch: item.epoch,
        seq: item.seq,
        n: i16::try_from(events.len()).map_err(|error| error.to_string())?,
        body: String::from(Box::<str>::from(item.events)),
        inbox_seen: item.inbox_seen,
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn judge(events: &Value, then: &Value) -> Result<RunCommit, String> {
        let item = json!({"run": Uuid::nil(), "epoch": 1, "seq": 1, "events": events, "then": then});
        check(Uuid::nil(), serde_json::from_str(&item.to_string()).unwrap())
    }

    #[test]
    fn impossible_histories_are_refused() {
        let at = "2026-01-01T00:00:00Z";
        let step = json!({"type": "StepStarted", "step": "a", "at": at, "attempt": 1});
        let end = json!({"type": "RunFinished", "at": at, "outcome": "succeeded"});
        let start = json!({"type": "RunStarted", "at": at, "inputs": {}});
        let finish = json!({"finish": {"outcome": "succeeded"}});
        let good = judge(&json!([step, end]), &finish).unwrap();
        assert_eq!(
            (good.n, &good.next),
            (
                2,
                &Next::Finish {
                    outcome: RunOutcome::Succeeded,
                    error: None
                }
            )
        );
        assert!(judge(&json!([]), &json!({"park": {"wakeAt": null}})).is_ok());
        for (events, then, words) in [
            (json!([start]), json!("continue"), "only the server"),
            (json!([end, step]), json!("continue"), "nothing happens after"),
            (json!([end]), json!("continue"), "a run finishes"),
            (json!([step]), finish.clone(), "as its last event"),
            (
                json!([end]),
                json!({"finish": {"outcome": "failed"}}),
                "same outcome",
            ),
            (
                json!([{"type": "StepDreamt", "at": at}]),
                json!("continue"),
                "unknown variant",
            ),
        ] {
            let error = judge(&events, &then).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
