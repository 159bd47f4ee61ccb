//! Attempts under way, and those that wait for leave to start.

use std::collections::HashMap;
use std::time::Duration;

use flowpilot_engine::action::Effect;
use flowpilot_engine::journal::StepError;
use flowpilot_engine::run::Perform;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use crate::actions::{Actions, Call, internal};
use crate::metrics::Metrics;

/// How long a write may go on after its run was cancelled, unless its own deadline is nearer.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// An attempt that has not started, and how many events must be stored before it may.
pub(super) struct Gate {
    pub(super) perform: Perform,
    /// The number of events up to and including its beginning.
    pub(super) begun: i32,
}

/// An attempt that ended; without a result, it was ended.
pub(super) struct End {
    pub(super) step: String,
    pub(super) attempt: u32,
    pub(super) result: Option<Result<Value, StepError>>,
}

struct Attempt {
    step: String,
    attempt: u32,
    action: String,
    changes: bool,
    deadline: Option<Timestamp>,
    /// When it is ended, once somebody wants it to.
    end_at: Option<Instant>,
    handle: AbortHandle,
}

/// All attempts of one run. Dropping this ends them.
pub(super) struct Attempts {
    run: Uuid,
    epoch: i32,
    waiting: Vec<Gate>,
    running: HashMap<Id, Attempt>,
    tasks: JoinSet<Result<Value, StepError>>,
    actions: Actions,
    metrics: Metrics,
}

impl Attempts {
    pub(super) fn new(run: Uuid, epoch: i32, actions: Actions, metrics: Metrics) -> Self {
        let (waiting, running, tasks) = (Vec::new(), HashMap::new(), JoinSet::new());
        Self {
            run,
            epoch,
            waiting,
            running,
            tasks,
            actions,
            metrics,
        }
    }

    pub(super) fn add(&mut self, gate: Gate) {
        self.waiting.push(gate);
    }

    /// Nothing runs and nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// An attempt that changes the world waits for its beginning to be stored.
    pub(super) fn waits_beyond(&self, stored: i32) -> bool {
        self.waiting
            .iter()
            .any(|gate| changes(gate.perform.effect) && gate.begun > stored)
    }

    /// Starts what may start, with so many events stored.
    pub(super) fn start(&mut self, stored: i32) {
        let may_start = |gate: &mut Gate| !changes(gate.perform.effect) || gate.begun <= stored;
        for gate in self.waiting.extract_if(.., may_start).collect::<Vec<_>>() {
            self.spawn(gate.perform);
        }
    }

    fn spawn(&mut self, perform: Perform) {
        let Perform {
            step,
            attempt,
            action,
            with,
            effect,
            idempotency_key,
            deadline,
            max_attempts: _,
        } = perform;
        let call = Call {
            run: self.run,
            epoch: self.epoch,
            step: step.clone(),
            action: action.clone(),
            with,
            idempotency_key,
            deadline,
        };
        let actions = self.actions.clone();
        let handle = self.tasks.spawn(async move { actions.perform(call).await });
        let changes = changes(effect);
        self.running.insert(
            handle.id(),
            Attempt {
                step,
                attempt,
                action,
                changes,
                deadline,
                end_at: None,
                handle,
            },
        );
    }

    /// The next attempt that ends; nothing if none runs.
    pub(super) async fn next_end(&mut self) -> Option<End> {
        loop {
            let (id, result) = match self.tasks.join_next_with_id().await? {
                Ok((id, result)) => (id, Some(result)),
                Err(error) => {
                    let panicked = error.is_panic();
                    (
                        error.id(),
                        panicked.then(|| Err(internal("the action panicked, see the runner's log"))),
                    )
                }
            };
            // What was abandoned has nobody to hear of its end.
            let Some(Attempt {
                step,
                attempt,
                action,
                changes,
                ..
            }) = self.running.remove(&id)
            else {
                continue;
            };
            let result = result.map(|result| {
                result.map_err(|mut error| {
                    error.may_have_happened |= changes && error.code == "Internal";
                    error
                })
            });
            let word = match &result {
                Some(Ok(_)) => "succeeded",
                Some(Err(_)) => "failed",
                None => "cancelled",
            };
            self.metrics.action_ended(&action, word);
            return Some(End {
                step,
                attempt,
                result,
            });
        }
    }

    /// Ends the attempts of a step and gives those that are over at once. One that changes the world goes on
    /// until its deadline, at most for a minute, so that what it did is known.
    pub(super) fn abort(&mut self, step: &str) -> Vec<u32> {
        let waiting = self.waiting.extract_if(.., |gate| gate.perform.step == step);
        let mut over: Vec<u32> = waiting.map(|gate| gate.perform.attempt).collect();
        let now = Timestamp::now();
        for attempt in self.running.values_mut().filter(|attempt| attempt.step == step) {
            let left = attempt.deadline.map_or(LAST_WORDS, |deadline| {
                Duration::try_from(deadline.duration_since(now))
                    .unwrap_or_default()
                    .min(LAST_WORDS)
            });
            if attempt.changes && !left.is_zero() {
                attempt.end_at.get_or_insert_with(|| Instant::now() + left);
            } else {
                attempt.handle.abort();
            }
        }
        let metrics = &self.metrics;
        self.running.retain(|_, attempt| {
            let ended = attempt.step == step && attempt.end_at.is_none();
            if ended {
                metrics.action_ended(&attempt.action, "cancelled");
                over.push(attempt.attempt);
            }
            !ended
        });
        over
    }

    /// Ends what does not change the world, forgets what has not started, and gives the rest until then.
    pub(super) fn abandon_all_but_writes(&mut self, until: Instant) {
        self.waiting.clear();
        self.running.retain(|_, attempt| {
            if attempt.changes {
                attempt.end_at = Some(attempt.end_at.map_or(until, |at| at.min(until)));
            } else {
                attempt.handle.abort();
            }
            attempt.changes
        });
    }

    /// When the next attempt's time is over.
    pub(super) fn next_overdue(&self) -> Option<Instant> {
        self.running.values().filter_map(|attempt| attempt.end_at).min()
    }

    /// Ends attempts whose time is over.
    pub(super) fn end_overdue(&mut self, now: Instant) {
        for attempt in self
            .running
            .values_mut()
            .filter(|attempt| attempt.end_at.is_some_and(|at| at <= now))
        {
            attempt.end_at = None;
            attempt.handle.abort();
        }
    }
}

fn changes(effect: Effect) -> bool {
    matches!(effect, Effect::Write | Effect::Irreversible)
}
