//! Attempts under way, and those that wait for leave to start.

#![allow(
    clippy::result_large_err,
    reason = "a StepError is made once per attempt that fails, and goes into the journal"
)]

use std::collections::HashMap;

use flowpilot_engine::action::Effect;
use flowpilot_engine::journal::StepError;
use flowpilot_engine::run::Perform;
use serde_json::Value;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use super::task;
use crate::actions::{Actions, internal};
use crate::metrics::Metrics;

/// An attempt that has not started, and how many events must be stored before it may.
pub(crate) struct Gate {
    pub(crate) perform: Perform,
    /// The number of events up to and including its beginning.
    pub(crate) begun: i32,
}

/// An attempt that ended; without a result, it was ended.
pub(crate) struct End {
    pub(crate) step: String,
    pub(crate) attempt: u32,
    pub(crate) result: Option<Result<Value, StepError>>,
}

struct Running {
    step: String,
    attempt: u32,
    action: String,
    changes: bool,
    handle: AbortHandle,
}

/// All attempts of one run. Dropping this ends them.
pub(crate) struct Attempts {
    run: Uuid,
    epoch: i32,
    waiting: Vec<Gate>,
    running: HashMap<Id, Running>,
    tasks: JoinSet<Result<Value, StepError>>,
    actions: Actions,
    metrics: Metrics,
    /// When the last of them is ended, once the process drains.
    end_at: Option<Instant>,
}

impl Attempts {
    pub(crate) fn new(run: Uuid, epoch: i32, actions: Actions, metrics: Metrics) -> Self {
        let (waiting, running, tasks) = (Vec::new(), HashMap::new(), JoinSet::new());
        Self {
            run,
            epoch,
            waiting,
            running,
            tasks,
            actions,
            metrics,
            end_at: None,
        }
    }

    pub(crate) fn add(&mut self, gate: Gate) {
        self.waiting.push(gate);
    }

    /// Nothing runs and nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// An attempt that changes the world waits for its beginning to be stored.
    pub(super) fn waits_beyond(&self, stored: i32) -> bool {
        self.waiting
            .iter()
            .any(|gate| changes(gate.perform.effect) && gate.begun > stored)
    }

    /// Starts what may start, with so many events stored.
    pub(crate) fn start(&mut self, stored: i32) {
        let may_start = |gate: &mut Gate| !changes(gate.perform.effect) || gate.begun <= stored;
        for gate in self.waiting.extract_if(.., may_start).collect::<Vec<_>>() {
            self.spawn(gate.perform);
        }
    }

    fn spawn(&mut self, perform: Perform) {
        let (step, attempt, changes) = (perform.step.clone(), perform.attempt, changes(perform.effect));
        let action = task::name(&perform.task);
        let work = task::perform(self.actions.clone(), self.run, self.epoch, perform);
        let handle = self.tasks.spawn(work);
        self.running.insert(
            handle.id(),
            Running {
                step,
                attempt,
                action,
                changes,
                handle,
            },
        );
    }

    /// The next attempt that ends; nothing if none runs.
    pub(crate) async fn next_end(&mut self) -> Option<End> {
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
            let Some(Running {
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

    /// Ends the attempts of a step at once and gives them. How long a write may go on after its run was cancelled
    /// is decided by the machine, which asks for the end only when that time is over.
    pub(crate) fn abort(&mut self, step: &str) -> Vec<u32> {
        let waiting = self.waiting.extract_if(.., |gate| gate.perform.step == step);
        let mut over: Vec<u32> = waiting.map(|gate| gate.perform.attempt).collect();
        for (_, attempt) in self.running.extract_if(|_, attempt| attempt.step == step) {
            attempt.handle.abort();
            self.metrics.action_ended(&attempt.action, "cancelled");
            over.push(attempt.attempt);
        }
        over
    }

    /// Ends what does not change the world, forgets what has not started, and gives the rest until then.
    pub(super) fn abandon_all_but_writes(&mut self, until: Instant) {
        self.waiting.clear();
        for (_, attempt) in self.running.extract_if(|_, attempt| !attempt.changes) {
            attempt.handle.abort();
        }
        self.end_at = Some(until);
    }

    /// When the time of those that are left is over.
    pub(super) fn overdue_at(&self) -> Option<Instant> {
        self.end_at
    }

    /// Ends what is left when its time is over.
    pub(super) fn end_overdue(&mut self, now: Instant) {
        if self.end_at.is_some_and(|at| at <= now) {
            self.end_at = None;
            for (_, attempt) in self.running.drain() {
                attempt.handle.abort();
            }
        }
    }
}

fn changes(effect: Effect) -> bool {
    matches!(effect, Effect::Write | Effect::Irreversible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Egress, Guard};
    use crate::script::Scripts;
    use flowpilot_engine::run::Task;

    fn attempts() -> Attempts {
        let actions = Actions::new(Guard::new(Egress::default()), Scripts::new().unwrap());
        Attempts::new(Uuid::nil(), 1, actions, Metrics::default())
    }

    fn gate(action: &str, effect: Effect, begun: i32) -> Gate {
        let perform = Perform {
            step: "a".to_owned(),
            attempt: 2,
            undo: false,
            task: Task::Action {
                action: action.to_owned(),
                connection: None,
                with: serde_json::Map::new(),
            },
            effect,
            idempotency_key: "key".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            deadline: None,
            max_attempts: 3,
            runner_class: None,
            sensitive: false,
            cache: None,
            example: None,
        };
        Gate { perform, begun }
    }

    #[tokio::test]
    async fn an_action_that_panics_fails_its_attempt() {
        for (effect, may_have_happened) in [(Effect::Read, false), (Effect::Write, true)] {
            let mut attempts = attempts();
            attempts.add(gate("test/panic@1", effect, 1));
            attempts.start(1);
            let end = attempts.next_end().await.unwrap();
            let error = end.result.unwrap().unwrap_err();
            assert_eq!(
                (end.step.as_str(), end.attempt, error.code.as_str()),
                ("a", 2, "Internal")
            );
            assert_eq!(error.may_have_happened, may_have_happened);
            assert!(attempts.is_idle());
        }
    }

    #[tokio::test]
    async fn what_changes_the_world_waits_until_its_beginning_is_stored() {
        let mut attempts = attempts();
        attempts.add(gate("core/log@1", Effect::Irreversible, 3));
        attempts.add(gate("core/log@1", Effect::None, 3));
        assert!(attempts.waits_beyond(2));
        attempts.start(2);
        assert_eq!((attempts.running.len(), attempts.waiting.len()), (1, 1));
        assert!(!attempts.waits_beyond(3));
        attempts.start(3);
        assert_eq!((attempts.running.len(), attempts.waiting.len()), (2, 0));
        assert_eq!(attempts.abort("a"), [2, 2]);
        assert!(attempts.is_idle());
        assert!(
            attempts.next_end().await.is_none(),
            "nobody hears of what was aborted"
        );
    }
}
