//! The world of a test: its mocks are used up, scripts run, other workflows are found.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flowpilot_engine::journal::StepError;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::Task;
use flowpilot_engine::simulation::{Answer, Attempt, Reply, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::mocks::{Mock, MockAnswer, Mocks};
use super::workflows::Admitted;

/// A script to run.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) source: String,
    pub(crate) input: Map<String, Value>,
    /// What its clock shows.
    pub(crate) now: Timestamp,
    /// Where its random values begin.
    pub(crate) seed: u64,
}

/// Runs a script.
pub(crate) type Scripts = dyn Fn(Job) -> Result<Value, StepError> + Sync;

/// The world of one test.
pub(crate) struct Book<'a> {
    pub(crate) mocks: &'a Mocks,
    pub(crate) main: &'a Admitted,
    pub(crate) others: &'a BTreeMap<String, Admitted>,
    pub(crate) scripts: &'a Scripts,
    /// How many answers of a list were given.
    pub(crate) used: HashMap<(String, Option<usize>), usize>,
}

impl World for Book<'_> {
    fn answer(&mut self, attempt: &Attempt<'_>) -> Answer {
        if let Some(mock) = self.mocked(attempt) {
            let reply = match mock.result {
                Ok(output) => Reply::Output(output),
                Err(error) => Reply::Error(error),
            };
            return Answer {
                after: mock.delay,
                reply,
            };
        }
        if let Some(example) = &attempt.perform.example {
            return Answer::now(example.clone());
        }
        match &attempt.perform.task {
            Task::Action { .. } => Answer::now(json!({})),
            Task::Script { source, input } => {
                let job = Job {
                    source: source.clone(),
                    input: input.clone(),
                    now: attempt.now,
                    seed: seed(&attempt.perform.idempotency_key),
                };
                let reply = match (self.scripts)(job) {
                    Ok(output) => Reply::Output(output),
                    Err(error) => Reply::Error(error),
                };
                Answer {
                    after: SignedDuration::ZERO,
                    reply,
                }
            }
            Task::Container { .. } => {
                let message = format!(
                    "the container step `{}` needs a mock: a test starts no containers",
                    attempt.path
                );
                Answer {
                    after: SignedDuration::ZERO,
                    reply: Reply::Fault(message),
                }
            }
            Task::Workflow { .. } => Answer {
                after: SignedDuration::ZERO,
                reply: Reply::Runs,
            },
        }
    }

    fn workflow(&mut self, name: &str) -> Option<(Arc<Plan>, String)> {
        let found = self
            .others
            .get(name)
            .or_else(|| (self.main.name == name).then_some(self.main))?;
        Some((found.plan.clone(), found.revision.clone()))
    }

    fn triggered(&mut self) -> Vec<String> {
        let others = self.others.keys().filter(|name| **name != self.main.name);
        std::iter::once(&self.main.name).chain(others).cloned().collect()
    }
}

impl Book<'_> {
    /// The mock of an attempt: by path, else by the step's name.
    fn mocked(&mut self, attempt: &Attempt<'_>) -> Option<MockAnswer> {
        let suffix = if attempt.perform.undo { ".undo" } else { "" };
        let keys = [
            format!("{}{suffix}", attempt.path),
            format!("{}{suffix}", attempt.id),
        ];
        let key = keys.into_iter().find(|key| self.mocks.0.contains_key(key))?;
        let (list, index) = match self.mocks.0.get(&key)? {
            Mock::List(list) => (list, None),
            Mock::ByIndex(lists) => (lists.get(&attempt.index?)?, attempt.index),
        };
        let used = self.used.entry((key, index)).or_default();
        let answer = list.get(*used).or_else(|| list.last()).cloned();
        *used += 1;
        answer
    }
}

/// A number that belongs to a name (FNV-1a).
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
