//! Ending a run on request.

use flowpilot_engine::{
    journal::{Event as JournalEvent, RunOutcome},
    protocol::runner::InboxBody,
};
use jiff::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Event, Queue, Result, error::database};

/// Names the one cancel message a run may have: asking twice changes nothing.
const DEDUPE: &str = "cancel";
/// What the message is about.
const KIND: &str = "CancelRequested";

/// What became of a request to end a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It has ended.
    Now,
    /// Its runner is told, and will end it.
    Requested,
    /// It had ended before.
    AlreadyFinished,
    /// There is no such run of this tenant.
    NotFound,
}

#[derive(FromRow)]
struct Ended {
    next_seq: i32,
    mirrored: bool,
}

#[derive(FromRow)]
struct Sent {
    session_id: Option<Uuid>,
    pool_id: i32,
    state: String,
}

impl Queue {
    /// Ends a run. One that no runner has touched ends here and now; any other is told by a message, which wakes it
    /// if it waits, and reaches its runner by the poll that waits, or else with the next lease, commit or heartbeat.
    pub async fn cancel(
        &self,
        tenant_id: Uuid,
        run_id: Uuid,
        actor: &str,
        at: Timestamp,
    ) -> Result<Cancelled> {
        let engine = &self.shared.pools.engine;
        let by = actor.to_owned();
        let finished = JournalEvent::RunFinished {
            at,
            outcome: RunOutcome::Cancelled,
            outputs: None,
            error: None,
            message: None,
        };
        let ended: Option<Ended> = sqlx::query_as(include_str!("sql/cancel_idle.sql"))
            .bind(tenant_id)
            .bind(run_id)
            .bind(json(&[
                JournalEvent::CancelRequested { at, by: by.clone() },
                finished,
            ]))
            .fetch_optional(engine)
            .await
            .map_err(database)?;
        if let Some(Ended { next_seq, mirrored }) = ended {
            self.shared.bus.publish(Event::RunChanged {
                tenant_id,
                run_id,
                seq: next_seq,
                finished: true,
            });
            if mirrored {
                self.shared.bus.publish(Event::MirrorChanged);
            }
            return Ok(Cancelled::Now);
        }
        let sent: Option<Sent> = sqlx::query_as(include_str!("sql/send_message.sql"))
            .bind(tenant_id)
            .bind(run_id)
            .bind(KIND)
            .bind(DEDUPE)
            .bind(json(&InboxBody::CancelRequested { by }))
            .fetch_optional(engine)
            .await
            .map_err(database)?;
        if let Some(Sent {
            session_id,
            pool_id,
            state,
        }) = sent
        {
            match (state.as_str(), session_id) {
                ("ready", _) => self.shared.pool_ready(pool_id),
                ("leased", Some(session_id)) => self.shared.message_for(session_id),
                _ => {}
            }
            return Ok(Cancelled::Requested);
        }
        let (live, done): (bool, bool) = sqlx::query_as(include_str!("sql/find_run.sql"))
            .bind(tenant_id)
            .bind(run_id)
            .fetch_one(engine)
            .await
            .map_err(database)?;
        Ok(match (live, done) {
            (true, _) => Cancelled::Requested,
            (false, true) => Cancelled::AlreadyFinished,
            (false, false) => Cancelled::NotFound,
        })
    }
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    // These values have string keys and no foreign serializers: there is nothing in them that can fail.
    serde_json::to_string(value).unwrap_or_default()
}
