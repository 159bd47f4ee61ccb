//! Beginning an attempt: the kinds of steps.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::evaluate::expression_error;
use super::frame::Instance;
use super::names::{Call, Given};
use super::path::Target;
use super::{Command, Publication, Run};
use crate::journal::{Event, RunMode, StepError};
use crate::plan::{Case, Work};

/// Boxed, so that the good way stays small.
pub(super) type Outcome<T> = Result<T, Box<StepError>>;

impl Run {
    /// Begins an attempt.
    pub(super) fn begin(
        &mut self,
        instance: Instance,
        attempt: u32,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let event = Event::StepStarted {
            step: self.path(instance),
            at: now,
            attempt,
        };
        self.record_at(Target::Step(instance), event, commands);
        self.work(instance, now, commands);
    }

    /// Does the work of an attempt that began: at once where no hands are needed.
    pub(super) fn work(&mut self, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let plan = self.plan.clone();
        let done = match &plan.steps[instance.step].work {
            Work::Set { values } => self
                .evaluate(instance, values)
                .map(|output| self.succeed(instance, Some(output), now, commands)),
            Work::Uses { .. } | Work::Script { .. } | Work::Container(_) | Work::Workflow { .. } => {
                // What is wrong with the input can be named in `retry.codes`, as anything that an action says.
                match self.perform(instance) {
                    Ok(perform) => commands.push(Command::Perform(perform)),
                    Err(error) => self.fail(instance, *error, now, commands),
                }
                Ok(())
            }
            Work::Switch { cases, default } => self
                .case(instance, cases, default.as_deref())
                .map(|named| self.succeed_as(instance, None, Some(named), now, commands)),
            Work::ForEach(each) => self.list_items(instance, each).map(|items| {
                let event = Event::IterationsOpened {
                    step: self.path(instance),
                    at: now,
                    items: Some(items),
                    carried: None,
                    over: false,
                };
                self.record_at(Target::Step(instance), event, commands);
            }),
            Work::Loop(turns) => self.begin_turns(instance, turns, now).map(|(carried, over)| {
                let event = Event::IterationsOpened {
                    step: self.path(instance),
                    at: now,
                    items: None,
                    carried: Some(carried),
                    over,
                };
                self.record_at(Target::Step(instance), event, commands);
            }),
            // Its steps start by themselves.
            Work::Group { .. } => Ok(()),
            Work::Wait(wait) => self.begin_wait(instance, wait, now, commands),
            Work::Approval(approval) => self.ask(instance, approval, now, commands),
            Work::Emit { event, data } => self.evaluate(instance, data).map(|data| {
                if self.mode == RunMode::Run {
                    commands.push(Command::Publish(self.publication(instance, event, data)));
                }
                self.succeed(instance, None, now, commands);
            }),
            Work::Fail { code, message } => self.message(instance, message.as_ref()).and_then(|message| {
                Err(Box::new(StepError {
                    code: code.clone(),
                    message: message.unwrap_or_default(),
                    ..StepError::default()
                }))
            }),
            Work::Stop { message, .. } => self
                .message(instance, message.as_ref())
                .map(|message| self.stopped(instance, self.hide_message(instance, message), now, commands)),
        };
        if let Err(error) = done {
            self.fail_for_good(instance, *error, now, commands);
        }
    }

    /// The first case whose condition is true.
    fn case(&self, instance: Instance, cases: &[Case], default: Option<&str>) -> Outcome<String> {
        let (path, record) = (self.path(instance), self.record_of(instance));
        let at = record.attempt_at.unwrap_or(self.started_at);
        for case in cases {
            let call = Call::new(&path, &case.name, record.attempts, at);
            if self.truth_at(instance.frame, call, "when", &case.when, Given::default())? {
                return Ok(case.name.clone());
            }
        }
        default.map(str::to_owned).ok_or_else(|| {
            Box::new(StepError {
                code: "NoMatchingCase".to_owned(),
                message: "no case is true, and there is no default".to_owned(),
                ..StepError::default()
            })
        })
    }

    fn publication(&self, instance: Instance, event: &str, data: Json) -> Publication {
        Publication {
            step: self.path(instance),
            id: self.idempotency_key(instance),
            event: event.to_owned(),
            data: fields(data),
        }
    }

    fn stopped(
        &mut self,
        instance: Instance,
        message: Option<String>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let event = Event::StepSucceeded {
            step: self.path(instance),
            at: now,
            attempt: self.record_of(instance).attempts,
            output: None,
            named: None,
            cached: false,
            message,
        };
        self.record_at(Target::Step(instance), event, commands);
    }

    /// A wait for a time, an event or people began.
    pub(super) fn waiting(
        &mut self,
        instance: Instance,
        until: Option<Timestamp>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        let event = Event::WaitStarted {
            step: self.path(instance),
            at: now,
            until,
        };
        self.record_at(Target::Step(instance), event, commands);
    }
}

/// A map, as the compiler made sure of.
pub(super) fn fields(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A list of texts. An expression in it may give several.
pub(super) fn texts(name: &str, value: &Json) -> Outcome<Vec<String>> {
    let wrong = || expression_error(format!("`{name}` gave {value}, not a list of texts"));
    let mut found = Vec::new();
    for item in value.as_array().ok_or_else(wrong)? {
        let inner = item.as_array().map_or(std::slice::from_ref(item), Vec::as_slice);
        for text in inner {
            found.push(text.as_str().ok_or_else(wrong)?.to_owned());
        }
    }
    Ok(found)
}
