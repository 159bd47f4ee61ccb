//! Sessions of runners: hello, heartbeat, goodbye.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    Error, Event, Queue, Result,
    error::database,
    lease::{Message, read_inbox},
};

/// Sessions with orphans that are remembered. When full, all are forgotten, which delays giving back.
const SESSIONS: usize = 4_096;

/// A runner that says hello.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// Id of the session, new.
    pub session_id: Uuid,
    /// Its tenant, from its proof.
    pub tenant_id: Uuid,
    /// RunnerClass it belongs to.
    pub class: &'a str,
    /// Its name, for people.
    pub runner: &'a str,
    /// Runs it executes at the same moment.
    pub capacity: i32,
}

/// A session that stands.
#[derive(Clone, Copy, Debug)]
pub struct OpenedSession {
    /// The pool it draws from.
    pub pool_id: i32,
    /// When it ends without a heartbeat.
    pub expires_at: Timestamp,
}

/// A run that a runner says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The run.
    pub run_id: Uuid,
    /// Its fence.
    pub epoch: i32,
}

/// Answer to a heartbeat.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The database's time.
    pub now: Timestamp,
    /// When the session ends without another heartbeat.
    pub expires_at: Timestamp,
    /// Runs that the runner does not hold any longer.
    pub lost: Vec<Uuid>,
    /// Messages not yet dealt with, of runs it holds.
    pub inbox: Vec<(Uuid, Message)>,
}

/// Runs leased to a session of which its runner seems not to know, and since when.
#[derive(Debug, Default)]
pub(crate) struct Known {
    orphans: Mutex<HashMap<Uuid, HashMap<Uuid, Instant>>>,
}

impl Known {
    /// Notes the orphans of a heartbeat and returns those that were there in every heartbeat for a while.
    fn overdue(&self, session_id: Uuid, orphans: &HashSet<Uuid>, after: Duration) -> Vec<Uuid> {
        let mut sessions = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        if orphans.is_empty() {
            sessions.remove(&session_id);
            return Vec::new();
        }
        if sessions.len() >= SESSIONS {
            sessions.clear();
        }
        let seen = sessions.entry(session_id).or_default();
        seen.retain(|run_id, _| orphans.contains(run_id));
        let now = Instant::now();
        for run_id in orphans {
            seen.entry(*run_id).or_insert(now);
        }
        seen.iter()
            .filter(|(_, since)| now.duration_since(**since) >= after)
            .map(|(run_id, _)| *run_id)
            .collect()
    }

    pub(crate) fn forget(&self, session_id: Uuid) {
        self.orphans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&session_id);
    }
}

#[derive(FromRow)]
struct OpenRow {
    pool_id: i32,
    expires_at: jiff_sqlx::Timestamp,
}

#[derive(FromRow)]
struct HeartbeatRow {
    at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
    run_id: Option<Uuid>,
    epoch: Option<i32>,
    inbox_seq: Option<i32>,
}

impl Queue {
    /// Registers a runner.
    pub async fn open_session(&self, session: NewSession<'_>) -> Result<OpenedSession> {
        let row: OpenRow = sqlx::query_as(include_str!("sql/open_session.sql"))
            .bind(session.session_id)
            .bind(session.tenant_id)
            .bind(session.class)
            .bind(session.runner)
            .bind(session.capacity)
            .bind(self.shared.ttl_millis())
            .fetch_one(&self.shared.pools.engine)
            .await
            .map_err(database)?;
        Ok(OpenedSession {
            pool_id: row.pool_id,
            expires_at: row.expires_at.to_jiff(),
        })
    }

    /// A runner's goodbye: its runs go back at once. Saying it twice, or after the session expired, changes nothing.
    pub async fn close_session(&self, tenant_id: Uuid, session_id: Uuid) -> Result<()> {
        let pools: Vec<i32> = sqlx::query_scalar(include_str!("sql/close_session.sql"))
            .bind(session_id)
            .bind(tenant_id)
            .fetch_all(&self.shared.pools.engine)
            .await
            .map_err(database)?;
        self.shared.sessions.forget(session_id);
        self.shared.dispatcher.close(tenant_id, session_id);
        for pool_id in pools {
            self.shared.pool_ready(pool_id);
        }
        Ok(())
    }

    /// Renews a session and with it every lease of its runner.
    pub async fn heartbeat(&self, tenant_id: Uuid, session_id: Uuid, held: &[Held]) -> Result<Heartbeat> {
        let rows: Vec<HeartbeatRow> = sqlx::query_as(include_str!("sql/heartbeat.sql"))
            .bind(session_id)
            .bind(tenant_id)
            .bind(self.shared.ttl_millis())
            .fetch_all(&self.shared.pools.engine)
            .await
            .map_err(database)?;
        let Some(first) = rows.first() else {
            return Err(Error::SessionClosed { session_id });
        };
        let (now, expires_at) = (first.at.to_jiff(), first.expires_at.to_jiff());

        let said: HashMap<Uuid, i32> = held.iter().map(|held| (held.run_id, held.epoch)).collect();
        let have: HashMap<Uuid, i32> = rows
            .iter()
            .filter_map(|row| Some((row.run_id?, row.epoch?)))
            .collect();
        let lost = held
            .iter()
            .filter(|held| have.get(&held.run_id) != Some(&held.epoch));
        let lost: Vec<Uuid> = lost.map(|held| held.run_id).collect();
        let orphans: HashSet<Uuid> = have
            .keys()
            .filter(|run_id| !said.contains_key(run_id))
            .copied()
            .collect();
        let overdue =
            self.shared
                .sessions
                .overdue(session_id, &orphans, self.shared.settings.give_back_after);
        if !overdue.is_empty() {
            self.give_back(tenant_id, session_id, overdue).await?;
        }
        let asked: Vec<Uuid> = rows
            .iter()
            .filter(|row| row.inbox_seq.is_some_and(|seq| seq > 0))
            .filter_map(|row| row.run_id)
            .filter(|run_id| said.contains_key(run_id))
            .collect();
        let inbox = if asked.is_empty() {
            Vec::new()
        } else {
            let tenants = vec![tenant_id; asked.len()];
            let mut connection = self.shared.pools.engine.acquire().await.map_err(database)?;
            read_inbox(&mut connection, &tenants, &asked).await?
        };
        Ok(Heartbeat {
            now,
            expires_at,
            lost,
            inbox,
        })
    }

    async fn give_back(&self, tenant_id: Uuid, session_id: Uuid, runs: Vec<Uuid>) -> Result<()> {
        let pools: Vec<i32> = sqlx::query_scalar(include_str!("sql/give_back.sql"))
            .bind(session_id)
            .bind(tenant_id)
            .bind(runs)
            .fetch_all(&self.shared.pools.engine)
            .await
            .map_err(database)?;
        for pool_id in pools {
            self.shared.pool_ready(pool_id);
        }
        Ok(())
    }
}

impl super::Shared {
    fn ttl_millis(&self) -> i64 {
        i64::try_from(self.settings.session_ttl.as_millis()).unwrap_or(i64::MAX)
    }

    /// A run was given to a session that does not wait here: perhaps it waits elsewhere.
    pub(super) fn wake_elsewhere(&self, session_id: Uuid) {
        self.bus.publish(Event::SessionWake { session_id });
    }

    /// A run of a session has a message: its poll takes it along, here or elsewhere.
    pub(super) fn message_for(&self, session_id: Uuid) {
        if !self.dispatcher.message(session_id) {
            self.bus.publish(Event::SessionMessage { session_id });
        }
    }
}
