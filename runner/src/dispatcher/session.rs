//! Whether the API server knows this runner, and when it has to hear from it again.

use std::time::Duration;

use flowpilot_engine::protocol::runner::SessionOpened;
use flowpilot_telemetry::health::Health;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use uuid::Uuid;

use super::READINESS;
use crate::api::{Api, Failure};
use crate::backoff;

/// After a heartbeat that failed the next one comes sooner: there are several before the runner has to stop.
const BEAT_AGAIN: Duration = Duration::from_secs(1);
/// Refused tokens in a row, each read anew, after which the session is given up.
const LOCKED_OUT: u32 = 5;
/// A timer that never comes too late for anything.
const FAR: Duration = Duration::from_hours(1);

/// The state of the session.
#[derive(Debug)]
pub(super) enum Session {
    /// There is none.
    None {
        /// Attempts that failed.
        failures: u32,
        /// When to try again; nothing while an attempt is under way.
        open_at: Option<Instant>,
    },
    /// There is one.
    Open(Open),
}

/// An open session.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: Uuid,
    /// A heartbeat is under way.
    pub(super) beating: bool,
    /// When the next one is due.
    pub(super) beat_at: Instant,
    /// A lease call is under way.
    pub(super) leasing: Option<AbortHandle>,
    /// When the next one may start.
    pub(super) lease_at: Instant,
    /// Lease calls that failed in a row.
    pub(super) lease_failures: u32,
    /// When the last heartbeat that was answered was sent.
    heard_at: Instant,
    /// Time between heartbeats.
    beat: Duration,
    /// Silence after which nothing more is started.
    self_stop: Duration,
    refused_tokens: u32,
}

impl Session {
    pub(super) fn none() -> Self {
        Self::None {
            failures: 0,
            open_at: Some(Instant::now()),
        }
    }

    pub(super) fn id(&self) -> Option<Uuid> {
        match self {
            Self::Open(open) => Some(open.id),
            Self::None { .. } => None,
        }
    }

    pub(super) fn may_open(&self, now: Instant) -> bool {
        matches!(self, Self::None { open_at: Some(at), .. } if now >= *at)
    }

    pub(super) fn opening(&mut self) {
        if let Self::None { open_at, .. } = self {
            *open_at = None;
        }
    }

    /// The API server did not open one.
    pub(super) fn refused(&mut self, failure: &Failure, api: &Api) {
        let Self::None { failures, open_at } = self else {
            return;
        };
        *failures = failures.saturating_add(1);
        let wait = backoff::wait(*failures, failure.retry_after());
        *open_at = Some(Instant::now() + wait);
        if matches!(failure, Failure::Unauthorized { .. }) {
            api.renew_token();
        }
        tracing::warn!(
            error = %failure,
            attempt = *failures,
            retry_in_seconds = wait.as_secs_f64(),
            "failed to open a session"
        );
    }

    pub(super) fn next_timer(&self) -> Instant {
        match self {
            Self::None { open_at, .. } => open_at.unwrap_or_else(|| Instant::now() + FAR),
            Self::Open(open) => open.next_timer(),
        }
    }
}

impl Open {
    pub(super) fn new(opened: &SessionOpened) -> Self {
        let now = Instant::now();
        let beat = Duration::from_secs(opened.heartbeat_seconds.max(1));
        Self {
            id: opened.session,
            beating: false,
            beat_at: now + beat,
            leasing: None,
            lease_at: now,
            lease_failures: 0,
            heard_at: now,
            beat,
            self_stop: Duration::from_secs(opened.self_stop_seconds.max(1)),
            refused_tokens: 0,
        }
    }

    /// A heartbeat was answered: the runs are ours from the moment it was sent.
    pub(super) fn acknowledged(&mut self, sent: Instant, may_start: &watch::Sender<bool>, health: &Health) {
        self.heard_at = sent;
        self.beat_at = sent + self.beat;
        self.refused_tokens = 0;
        self.judge_silence(Instant::now(), may_start, health);
    }

    /// A heartbeat was not answered.
    pub(super) fn missed(&mut self, now: Instant) {
        self.beat_at = now + BEAT_AGAIN.min(self.beat);
    }

    /// A lease call failed.
    pub(super) fn lease_failed(&mut self, now: Instant, failure: &Failure) {
        self.lease_failures = self.lease_failures.saturating_add(1);
        self.lease_at = now + backoff::wait(self.lease_failures, failure.retry_after());
    }

    /// Counts a refused token; true if there is no hope left.
    pub(super) fn is_locked_out(&mut self) -> bool {
        self.refused_tokens += 1;
        self.refused_tokens >= LOCKED_OUT
    }

    /// Stops and allows the start of actions, by how long the API server has been silent.
    pub(super) fn judge_silence(&self, now: Instant, may_start: &watch::Sender<bool>, health: &Health) {
        let heard = now.duration_since(self.heard_at) < self.self_stop;
        let changed = may_start.send_if_modified(|may| std::mem::replace(may, heard) != heard);
        if changed {
            health.set_ready(READINESS, heard);
            if heard {
                tracing::info!("the API server answers again");
            } else {
                tracing::warn!(
                    silence_seconds = self.self_stop.as_secs(),
                    "no heartbeat was answered: starting no more actions"
                );
            }
        }
    }

    fn next_timer(&self) -> Instant {
        let now = Instant::now();
        let stop_at = Some(self.heard_at + self.self_stop).filter(|at| *at > now);
        let beat_at = (!self.beating).then_some(self.beat_at);
        let lease_at = Some(self.lease_at).filter(|at| self.leasing.is_none() && *at > now);
        [stop_at, beat_at, lease_at]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + FAR)
    }
}
