//! Hands without a server: the same attempts, for runs that somebody in this process drives.
//!
//! Boundary: performs what it is told and says how it ended. When to start, to try again or to end is the engine's
//! business; nothing is stored.

use std::collections::HashMap;

use flowpilot_engine::journal::StepError;
use flowpilot_engine::run::Perform;
use futures::future::select_all;
use serde_json::Value;
use uuid::Uuid;

use crate::actions::Actions;
use crate::executor::{Attempts, End, Gate};
use crate::guard::{Egress, Guard};
use crate::metrics::Metrics;
use crate::script::Scripts;

/// Attempts of several runs. Dropping this ends them.
pub struct Hands {
    runs: HashMap<Uuid, Attempts>,
    actions: Actions,
    metrics: Metrics,
}

/// An attempt that ended.
#[derive(Debug)]
pub struct Ended {
    /// The run.
    pub run: Uuid,
    /// Path of the step.
    pub step: String,
    /// The number of the attempt.
    pub attempt: u32,
    /// What came of it.
    pub result: Result<Value, StepError>,
}

impl Hands {
    /// Hands that reach what `egress` opens. Fails if the path of this program is not known, which scripts run in.
    pub fn new(egress: Egress) -> std::io::Result<Self> {
        Ok(Self {
            runs: HashMap::new(),
            actions: Actions::new(Guard::new(egress), Scripts::new()?),
            metrics: Metrics::default(),
        })
    }

    /// Starts an attempt.
    pub fn perform(&mut self, run: Uuid, perform: Perform) {
        let (actions, metrics) = (&self.actions, &self.metrics);
        let fresh = || Attempts::new(run, 1, actions.clone(), metrics.clone());
        let attempts = self.runs.entry(run).or_insert_with(fresh);
        // Nothing has to be stored before it may begin: whoever drives the run holds its journal.
        attempts.add(Gate { perform, begun: 0 });
        attempts.start(0);
    }

    /// Ends the attempts of a step. Nobody hears of them again.
    pub fn stop(&mut self, run: Uuid, step: &str) {
        if let Some(attempts) = self.runs.get_mut(&run) {
            attempts.abort(step);
        }
    }

    /// The next attempt that ends; never, while nothing is under way.
    pub async fn next_end(&mut self) -> Ended {
        loop {
            self.runs.retain(|_, attempts| !attempts.is_idle());
            if self.runs.is_empty() {
                return std::future::pending().await;
            }
            let ends = self
                .runs
                .iter_mut()
                .map(|(run, attempts)| Box::pin(async { (*run, attempts.next_end().await) }));
            let ((run, end), ..) = select_all(ends).await;
            if let Some(End {
                step,
                attempt,
                result: Some(result),
            }) = end
            {
                return Ended {
                    run,
                    step,
                    attempt,
                    result,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flowpilot_engine::action::Effect;
    use flowpilot_engine::run::Task;

    use super::*;

    fn log(step: &str) -> Perform {
        let with = serde_json::json!({"message": "hello"});
        Perform {
            step: step.to_owned(),
            attempt: 1,
            undo: false,
            task: Task::Action {
                action: "core/log@1".to_owned(),
                connection: None,
                with: with.as_object().unwrap().clone(),
            },
            effect: Effect::Irreversible,
            idempotency_key: "key".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            deadline: None,
            max_attempts: 1,
            runner_class: None,
            sensitive: false,
            cache: None,
            example: None,
        }
    }

    #[tokio::test]
    async fn attempts_of_several_runs_are_told_apart_and_a_stopped_one_is_not_heard_of() {
        let mut hands = Hands::new(Egress::default()).unwrap();
        let runs = [Uuid::from_u128(1), Uuid::from_u128(2)];
        hands.perform(runs[0], log("a"));
        hands.perform(runs[1], log("b"));
        hands.perform(runs[1], log("c"));
        hands.stop(runs[1], "c");
        let mut ends = Vec::new();
        for _ in 0..2 {
            let Ended {
                run, step, result, ..
            } = hands.next_end().await;
            assert!(result.is_ok());
            ends.push((run, step));
        }
        ends.sort();
        assert_eq!(ends, [(runs[0], "a".to_owned()), (runs[1], "b".to_owned())]);
        let more = tokio::time::timeout(Duration::from_millis(50), hands.next_end()).await;
        assert!(more.is_err(), "{more:?}");
    }
}
