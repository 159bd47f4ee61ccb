//! `POST /heartbeat`: a runner is still there.

use flowpilot_engine::protocol::runner::{Heartbeat, HeartbeatAnswer};

use super::inbox;
use crate::auth::{Caller, RunnerProtocol};
use crate::http::{Json, Reply};
use crate::problem::{Code, Problem};
use crate::queue::Held;

/// Runs of one runner.
const RUNS: usize = 10_000;

/// Renews the session and with it every lease.
pub async fn heartbeat(
    caller: Caller<RunnerProtocol>,
    Json(beat, _): Json<Heartbeat>,
) -> Result<Reply<HeartbeatAnswer>, Problem> {
    if beat.held.len() > RUNS {
        return Err(Problem::new(
            Code::PayloadTooLarge,
            format!("`held` names at most {RUNS} runs"),
        ));
    }
    let held: Vec<Held> = beat
        .held
        .iter()
        .map(|held| Held {
            run_id: held.run,
            epoch: held.epoch,
        })
        .collect();
    let answer = caller
        .queue
        .heartbeat(caller.scope.tenant_id, beat.session, &held)
        .await?;
    Ok(Reply::ok(HeartbeatAnswer {
        now: answer.now,
        expires_at: answer.expires_at,
        lost: answer.lost,
        inbox: inbox::by_run(&answer.inbox),
    }))
}
