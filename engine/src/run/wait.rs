//! Waits: for a time, or for an event of the tenant.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::approval::expired;
use super::evaluate::expression_error;
use super::frame::Instance;
use super::names::{Call, Given};
use super::path::Target;
use super::record::Phase;
use super::work::Outcome;
use super::{Command, Run, after};
use crate::expression::Value;
use crate::journal::RunMode;
use crate::plan::{EventWait, WaitFor, Work};

/// An event of the tenant, as it arrives.
#[derive(Clone, Debug, PartialEq)]
pub struct IncomingEvent {
    /// Its identity: no step takes the same one twice.
    pub id: String,
    /// Its type.
    pub event: String,
    /// Who sent it.
    pub source: Option<String>,
    /// When it happened.
    pub time: Timestamp,
    /// What it says.
    pub data: Json,
}

impl Run {
    pub(super) fn begin_wait(
        &mut self,
        instance: Instance,
        wait: &WaitFor,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) -> Outcome<()> {
        let dry = self.mode == RunMode::DryRun;
        match wait {
            WaitFor::Duration(duration) => {
                let duration = self.duration(instance, "wait.duration", duration)?;
                let until = if dry { now } else { after(now, duration) };
                self.waiting(instance, Some(until), now, commands);
            }
            WaitFor::Until(until) => {
                let time = self.evaluate(instance, until)?;
                let time = time.as_str().and_then(|time| time.parse().ok()).ok_or_else(|| {
                    expression_error(format!(
                        "wait.until gave {time}, not a time such as 2026-01-31T08:00:00Z"
                    ))
                })?;
                let until = if dry { now } else { time };
                self.waiting(instance, Some(until), now, commands);
            }
            WaitFor::Event(event) => {
                let until = self.expiry(instance, "wait.event.timeout", event.timeout.as_ref(), now)?;
                let until = if dry { Some(now) } else { until };
                self.waiting(instance, until, now, commands);
                if !dry {
                    self.listen_for(instance, event, commands);
                }
            }
        }
        Ok(())
    }

    pub(super) fn listen_for(&self, instance: Instance, event: &EventWait, commands: &mut Vec<Command>) {
        commands.push(Command::Listen {
            step: self.path(instance),
            event: event.event.clone(),
        });
    }

    /// When a wait for an event or for people is over by itself.
    pub(super) fn expiry(
        &self,
        instance: Instance,
        name: &str,
        timeout: Option<&crate::expression::Tree>,
        now: Timestamp,
    ) -> Outcome<Option<Timestamp>> {
        let Some(timeout) = timeout else { return Ok(None) };
        Ok(Some(after(now, self.duration(instance, name, timeout)?)))
    }

    /// The time of a wait has come.
    pub(super) fn wait_is_over(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let plan = self.plan.clone();
        let is_passed = match &plan.steps[instance.step].work {
            Work::Wait(WaitFor::Event(_)) => self.mode == RunMode::DryRun,
            Work::Approval(_) => false,
            _ => true,
        };
        if is_passed {
            self.succeed(instance, None, now, commands);
        } else {
            self.fail_as(
                instance,
                expired(&plan.steps[instance.step].work),
                "expired",
                None,
                now,
                commands,
            );
        }
    }

    /// An event arrived: it ends every open wait that it matches and whose step has not taken it yet.
    pub fn deliver(&mut self, event: &IncomingEvent, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.finished.is_some() {
            return commands;
        }
        let open: Vec<Instance> = self
            .listening
            .get(&event.event)
            .map(|waits| waits.iter().map(|(_, instance)| *instance).collect())
            .unwrap_or_default();
        let output = event.seen();
        let value = Value::from_json(&output);
        // Before one of them takes it: in items that run together, each may.
        let matching: Vec<Instance> = open
            .into_iter()
            .filter(|instance| self.matches(*instance, &event.id, &value))
            .collect();
        for instance in matching {
            if self.record_of(instance).phase == Phase::Waiting {
                self.succeed(instance, Some(output.clone()), now, &mut commands);
            }
        }
        commands
    }

    fn matches(&self, instance: Instance, id: &str, event: &Value) -> bool {
        let Work::Wait(WaitFor::Event(wait)) = &self.plan.steps[instance.step].work else {
            return false;
        };
        if self
            .taken
            .get(&instance.step)
            .is_some_and(|taken| taken.contains(id))
        {
            return false;
        }
        let Some(condition) = &wait.matches else {
            return true;
        };
        let (path, record) = (self.path(instance), self.record_of(instance));
        let at = record.attempt_at.unwrap_or(self.started_at);
        let call = Call::new(&path, "match", record.attempts, at);
        // An event that a condition cannot judge is passed over.
        self.truth_at(
            instance.frame,
            call,
            "match",
            condition,
            Given::event(event.clone()),
        )
        .unwrap_or(false)
    }

    /// A step that is under way, by its path.
    pub(super) fn waiting_step(&self, path: &str) -> Option<Instance> {
        match self.find(path) {
            Ok(Target::Step(instance)) if self.record_of(instance).phase == Phase::Waiting => Some(instance),
            _ => None,
        }
    }
}

impl IncomingEvent {
    /// As conditions see it, and what a wait gives.
    pub(crate) fn seen(&self) -> Json {
        let mut output = Map::new();
        output.insert("id".to_owned(), json!(self.id));
        output.insert("type".to_owned(), json!(self.event));
        if let Some(source) = &self.source {
            output.insert("source".to_owned(), json!(source));
        }
        output.insert("time".to_owned(), json!(self.time.to_string()));
        output.insert("data".to_owned(), self.data.clone());
        Json::Object(output)
    }

    /// The event that a wait took, from what it gave.
    pub(crate) fn taken(output: &Json) -> Option<Self> {
        let text = |name: &str| output.get(name).and_then(Json::as_str);
        Some(Self {
            id: text("id")?.to_owned(),
            event: text("type")?.to_owned(),
            source: text("source").map(str::to_owned),
            time: text("time")?.parse().ok()?,
            data: output.get("data")?.clone(),
        })
    }
}
