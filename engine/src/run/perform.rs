//! Attempts of what happens outside of the machine: everything evaluated and checked.

use jiff::SignedDuration;
use serde_json::{Map, Value as Json};

use super::command::{CacheUse, Task};
use super::frame::Instance;
use super::work::{Outcome, fields};
use super::{Perform, Run, after};
use crate::action::Effect;
use crate::journal::{RunMode, StepError};
use crate::plan::Work;
use crate::schema;

/// Problems that one error lists: more help nobody.
const PROBLEMS: usize = 5;

impl Run {
    /// The attempt that is under way, as the runner needs it. The same whenever it is asked.
    pub(super) fn perform(&self, instance: Instance) -> Outcome<Perform> {
        let definition = &self.plan.steps[instance.step];
        let record = self.record_of(instance);
        let timeout = definition
            .timeout_ms
            .and_then(|timeout| i64::try_from(timeout).ok());
        let started = record.attempt_at.unwrap_or(self.started_at);
        let (task, effect) = self.task(instance)?;
        let cache = match &definition.cache {
            Some(cache) => Some(CacheUse {
                key: match self.evaluate(instance, &cache.key)? {
                    Json::String(key) => key,
                    other => other.to_string(),
                },
                ttl_ms: cache.ttl_ms,
            }),
            None => None,
        };
        let example = match &task {
            Task::Action { action, .. } => self.example_of(action, effect),
            Task::Script { .. } => None,
            Task::Container { .. } | Task::Workflow { .. } => {
                (self.mode == RunMode::DryRun).then(|| Json::Object(Map::new()))
            }
        };
        Ok(Perform {
            step: self.path(instance),
            attempt: record.attempts,
            at: started,
            undo: false,
            task,
            effect,
            idempotency_key: self.idempotency_key(instance),
            deadline: timeout.map(|timeout| after(started, SignedDuration::from_millis(timeout))),
            max_attempts: definition.max_attempts(),
            runner_class: definition.runner_class.clone(),
            sensitive: self.plan.is_sensitive(instance.step),
            cache,
            example,
        })
    }

    fn task(&self, instance: Instance) -> Outcome<(Task, Effect)> {
        Ok(match &self.plan.steps[instance.step].work {
            Work::Uses {
                action,
                connection,
                with,
                effect,
                ..
            } => {
                let with = self.evaluate(instance, with)?;
                self.check_input(instance, action, &with)?;
                let task = Task::Action {
                    action: action.clone(),
                    connection: connection.clone(),
                    with: fields(with),
                };
                (task, *effect)
            }
            Work::Script { source, input } => {
                let task = Task::Script {
                    source: source.clone(),
                    input: fields(self.evaluate(instance, input)?),
                };
                (task, Effect::None)
            }
            Work::Container(container) => {
                let task = Task::Container {
                    image: container.image.clone(),
                    command: container.command.clone(),
                    args: container.args.clone(),
                    env: texts_of(fields(self.evaluate(instance, &container.env)?)),
                    resources: container.resources.clone(),
                    files: container.files.clone(),
                };
                (task, Effect::Write)
            }
            Work::Workflow { name, inputs, waits } => {
                let task = Task::Workflow {
                    name: name.clone(),
                    inputs: fields(self.evaluate(instance, inputs)?),
                    waits: *waits,
                };
                (task, Effect::Write)
            }
            _ => return Err(Box::default()),
        })
    }

    pub(super) fn check_input(&self, instance: Instance, action: &str, with: &Json) -> Outcome<()> {
        let Some(validator) = self.plan.input_validator(action) else {
            return Ok(());
        };
        if validator.is_valid(with) {
            return Ok(());
        }
        let found = schema::violations(validator, with, "with");
        Err(self.invalid(instance, "InvalidInput", found.iter()))
    }

    /// Whether what an action gave is what it declares. A part that is missing is no reason to throw away the rest.
    pub(super) fn check_output(&self, instance: Instance, action: &str, output: &Json) -> Outcome<()> {
        let Some(validator) = self.plan.output_validator(action) else {
            return Ok(());
        };
        if validator.is_valid(output) {
            return Ok(());
        }
        let found = schema::violations(validator, output, "output");
        let mut wrong = found
            .iter()
            .filter(|violation| violation.keyword != "required")
            .peekable();
        if wrong.peek().is_none() {
            return Ok(());
        }
        Err(self.invalid(instance, "InvalidOutput", wrong))
    }

    fn invalid<'a>(
        &self,
        instance: Instance,
        code: &str,
        found: impl Iterator<Item = &'a schema::Violation>,
    ) -> Box<StepError> {
        let is_hidden = self.plan.is_sensitive(instance.step);
        let said: Vec<String> = found
            .take(PROBLEMS)
            .map(|violation| {
                let path = &violation.path;
                if is_hidden {
                    format!("{path}: a sensitive value does not fit ({})", violation.keyword)
                } else {
                    format!("{path}: {}", violation.message)
                }
            })
            .collect();
        Box::new(StepError {
            code: code.to_owned(),
            message: said.join("; "),
            ..StepError::default()
        })
    }

    /// What a dry run gives instead of doing what changes the world.
    pub(super) fn example_of(&self, action: &str, effect: Effect) -> Option<Json> {
        let changes = matches!(effect, Effect::Write | Effect::Irreversible);
        (self.mode == RunMode::DryRun && changes).then(|| {
            let declared = self.plan.actions.get(action);
            declared.map_or_else(
                || Json::Object(Map::new()),
                |action| schema::example(&action.output),
            )
        })
    }
}

/// The environment of a process has only texts.
fn texts_of(env: Map<String, Json>) -> Map<String, Json> {
    env.into_iter()
        .map(|(name, value)| match value {
            Json::String(_) => (name, value),
            other => (name, Json::String(other.to_string())),
        })
        .collect()
}
