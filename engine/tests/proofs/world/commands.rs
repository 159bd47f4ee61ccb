//! What the machine asks for: done, and held against what it may ask for.

use flowpilot_engine::journal::Event;
use flowpilot_engine::run::{Command, IncomingEvent, Perform};
use serde_json::{Value, json};

use super::{Answer, Flight, World, add};
use crate::flow::Kind;
use crate::generate::CODES;
use crate::oracle::{State, Verdict, check};

impl World<'_> {
    /// Does what was asked for, what is to be recorded first.
    pub(super) fn take(&mut self, commands: Vec<Command>) -> Verdict {
        let mut others = Vec::new();
        for command in commands {
            check(!self.is_over, || format!("{command:?} after the end"))?;
            match command {
                Command::Record(event) => {
                    self.oracle.read(&event)?;
                    self.note(&event);
                    self.journal.push(event);
                }
                other => others.push(other),
            }
        }
        // Whoever begins to listen hears first what came before.
        others.sort_by_key(|command| !matches!(command, Command::Listen { .. }));
        for command in others {
            self.obey(command)?;
        }
        Ok(())
    }

    fn note(&mut self, event: &Event) {
        self.counts.events += 1;
        if let Some(step) = event.step() {
            let completed = matches!(event, Event::StepSucceeded { .. });
            self.asked.retain(|asked| {
                asked != step || matches!(event, Event::Voted { .. } | Event::WaitStarted { .. })
            });
            if completed {
                for (path, is_completed) in self.keys.values_mut().filter(|(path, _)| path == step) {
                    debug_assert!(!path.is_empty());
                    *is_completed = true;
                }
            }
        }
    }

    fn obey(&mut self, command: Command) -> Verdict {
        match command {
            Command::Perform(perform) => self.begin(&perform),
            Command::Abort { step } => {
                if let Some(flight) = self.flights.iter_mut().rev().find(|flight| flight.step == step) {
                    flight.told = true;
                    // It may still end as it would have; mostly it stops, sooner or later.
                    if self.random.chance(80) || flight.due.is_none() {
                        flight.answer = Answer::Cancelled;
                        flight.due = Some(add(self.now, *self.random.of(&[0, 0, 3])));
                    }
                }
                Ok(())
            }
            Command::Terminate { step } => {
                let place = self.oracle.place(&step)?;
                let is_container = matches!(self.oracle.step(place.step).kind, Kind::Container);
                check(is_container, || {
                    format!("{step} is terminated but is no container")
                })
            }
            Command::Ask(question) => {
                // It may have ended in the same breath.
                let known = self.oracle.state(&question.step);
                check(known.is_some(), || {
                    format!("people are asked about {}, which never began", question.step)
                })?;
                if known == Some(State::Waiting) {
                    self.asked.push(question.step);
                }
                Ok(())
            }
            Command::Listen { step: _, event } => {
                let earlier: Vec<IncomingEvent> = self
                    .events
                    .iter()
                    .filter(|known| known.event == event)
                    .cloned()
                    .collect();
                for event in earlier {
                    self.deliver(&event)?;
                }
                Ok(())
            }
            Command::Publish(publication) => {
                check(!self.oracle.dry, || "a dry run publishes".to_owned())?;
                let known = self.events.iter().any(|event| event.id == publication.id);
                check(!known, || format!("{} is published twice", publication.id))?;
                self.publish(&IncomingEvent {
                    id: publication.id,
                    event: publication.event,
                    source: None,
                    time: self.now,
                    data: Value::Object(publication.data),
                })
            }
            Command::Finish { .. } => {
                check(self.run.is_finished() && self.oracle.finished, || {
                    "finished before the end".to_owned()
                })?;
                self.is_over = true;
                Ok(())
            }
            Command::Record(_) => Ok(()),
        }
    }

    fn begin(&mut self, perform: &Perform) -> Verdict {
        let path = perform.step.as_str();
        self.may_perform(perform)?;
        let key = self
            .keys
            .entry(perform.idempotency_key.clone())
            .or_insert((path.to_owned(), false));
        check(key.0 == path, || format!("{path} has the key of {}", key.0))?;
        check(!key.1, || {
            format!("{path} is done again under the key with which it was completed")
        })?;
        let after = if self.random.chance(self.temper.never) {
            None
        } else {
            Some(*self.random.of(&[0, 0, 1, 3, 30, 500]))
        };
        let answer = self.answer(perform);
        let due = after.map(|after| add(self.now, after));
        let flight = Flight {
            step: path.to_owned(),
            attempt: perform.attempt,
            due,
            answer,
            told: false,
        };
        self.counts.undos += usize::from(perform.undo);
        // In a group that is tried again the numbers begin anew: whoever was told to stop must not be heard any more.
        self.flights
            .retain(|other| other.step != flight.step || other.attempt != flight.attempt);
        self.flights.push(flight);
        Ok(())
    }

    /// The attempt was recorded, is not under way already, and says what the workflow says.
    fn may_perform(&self, perform: &Perform) -> Verdict {
        let path = perform.step.as_str();
        let flying = self
            .flights
            .iter()
            .any(|flight| flight.step == path && !flight.told && flight.attempt == perform.attempt);
        check(!flying, || format!("{path} is performed twice"))?;
        let step = path.strip_suffix(".undo").unwrap_or(path);
        let definition = self.oracle.step(self.oracle.place(step)?.step);
        if perform.undo {
            let undo = self.oracle.undos.get(step);
            // It may have been given up in the same breath.
            let begun =
                undo.is_some_and(|undo| (undo.running || undo.given_up) && undo.attempts == perform.attempt);
            return check(begun && path != step, || {
                format!("{path} is performed but did not begin")
            });
        }
        let record = self.oracle.records.get(path);
        let begun =
            record.filter(|record| record.state == State::Running && record.attempts == perform.attempt);
        let record = begun.ok_or_else(|| format!("{path} is performed but did not begin"))?;
        let deadline = definition.timeout.map(|timeout| add(record.attempt_at, timeout));
        let harmless = match definition.kind {
            Kind::Uses(action) => action.is_harmless(),
            Kind::Script => true,
            _ => false,
        };
        let right = perform.deadline == deadline
            && perform.cache.is_some() == definition.cache
            && perform.example.is_some() == (self.oracle.dry && !harmless)
            && perform.sensitive >= definition.sensitive
            && perform.max_attempts == definition.retry.as_ref().map_or(1, |retry| retry.attempts);
        check(right, || format!("{path} is performed as {perform:?}"))
    }

    fn answer(&mut self, perform: &Perform) -> Answer {
        if let Some(example) = &perform.example {
            return Answer::Gives(example.clone());
        }
        if self.random.chance(self.temper.failure) {
            return Answer::Fails {
                code: self.random.of::<&'static str>(&CODES),
                may_have_happened: self.random.chance(20),
                retryable: *self.random.of(&[None, None, None, Some(true), Some(false)]),
                retry_after: *self.random.of(&[None, None, None, Some(2), Some(100_000)]),
            };
        }
        let output = json!({"status": 200, "headers": {}, "n": self.random.below(9)});
        if perform.cache.is_some() && self.random.chance(50) {
            Answer::Cached(output)
        } else {
            Answer::Gives(output)
        }
    }
}
