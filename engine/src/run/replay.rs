//! A journal played again: whether the machine decides today what was decided then.
//!
//! ```text
//!                ┌─ from outside (an answer, a vote, an event, a cancel) ─► told to the machine ─┐
//! next event ────┤                                                                              ├─► what it records
//!                └─ a decision ─► decide at its moment ─────────────────────────────────────────┘   must come next
//! ```
//!
//! A runner that was about to end told the machine of ends without letting it decide, and the next one decided later. So
//! a decision that is missing before an event from outside is only a suspicion: it is dropped if the same decisions
//! follow, and becomes the difference if they do not.

use std::sync::Arc;

use serde_json::Value as Json;

use super::ending::TIMEOUT;
use super::path::Target;
use super::record::Phase;
use super::{Command, Facts, IncomingEvent, ReplayError, Run};
use crate::journal::{Event, StepError, Vote};
use crate::plan::{Plan, WaitFor, Work};

/// How the message of a timeout of the machine's own begins.
pub(super) const TOOK_LONGER: &str = "the attempt took longer than";
/// Suspicions that are followed up: each reads the journal so far again.
const SUSPICIONS: usize = 100;

/// What came of playing a journal again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The events that were the same, each with what the machine asked for then.
    pub turns: Vec<Turn>,
    /// The first thing that is not the same.
    pub difference: Option<Difference>,
    /// The run ended.
    pub finished: bool,
}

/// An event, and what the machine asked for beside recording it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// What was to be done after it, up to the next event.
    pub commands: Vec<Command>,
}

/// Where a journal and the machine part.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Number of the event, from 0.
    pub number: usize,
    /// What the machine would do now.
    pub instead: Instead,
}

/// What the machine would do instead of what was recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Instead {
    /// Record another event.
    Event(Box<Event>),
    /// Nothing: it waits for something from outside.
    Wait,
    /// Nothing: the run has ended.
    Over,
    /// Refuse the vote.
    Refuse(String),
}

/// Plays a journal again, whose first event is `RunStarted`.
pub fn replay(plan: &Arc<Plan>, facts: &Facts, events: &[Event]) -> Result<Replayed, ReplayError> {
    let first = &events[..events.len().min(1)];
    let run = Run::resume(plan.clone(), facts.clone(), first)?;
    let mut tape = Tape {
        run,
        events,
        turns: vec![Turn::default()],
        suspicion: None,
        suspicions: 0,
    };
    let difference = loop {
        if tape.next() >= events.len() {
            break None;
        }
        if let Err(difference) = tape.step(plan, facts)? {
            break Some(tape.suspicion.take().unwrap_or(difference));
        }
    };
    if difference.is_none() && !tape.run.is_finished() {
        // What was about to be asked for when the journal was saved.
        let commands = tape.run.decide(events[events.len() - 1].at());
        tape.ask(&commands);
    }
    Ok(Replayed {
        turns: tape.turns,
        difference,
        finished: tape.run.is_finished(),
    })
}

struct Tape<'a> {
    run: Run,
    events: &'a [Event],
    /// One for each event that was the same.
    turns: Vec<Turn>,
    /// A decision that is missing so far.
    suspicion: Option<Difference>,
    suspicions: usize,
}

impl Tape<'_> {
    fn next(&self) -> usize {
        self.turns.len()
    }

    /// One event, and what follows from it at once.
    fn step(&mut self, plan: &Arc<Plan>, facts: &Facts) -> Result<Result<(), Difference>, ReplayError> {
        let next = self.next();
        let event = &self.events[next];
        if self.run.is_finished() {
            return Ok(Err(self.instead(Instead::Over)));
        }
        let Some(outside) = self.run.outside(event) else {
            let commands = self.run.decide(event.at());
            let same = self.compare(&commands);
            if same.is_ok() {
                self.suspicion = None;
            }
            return Ok(same);
        };
        if self.suspicion.is_none() {
            let commands = self.run.decide(self.events[next - 1].at());
            if commands
                .iter()
                .any(|command| matches!(command, Command::Record(_)))
            {
                let turns = self.turns.len();
                let Err(difference) = self.compare(&commands) else {
                    return Ok(Ok(()));
                };
                self.suspicions += 1;
                if self.suspicions > SUSPICIONS {
                    return Ok(Err(difference));
                }
                self.suspicion = Some(difference);
                self.turns.truncate(turns);
                self.run = Run::resume(plan.clone(), facts.clone(), &self.events[..next])?;
            } else {
                self.ask(&commands);
            }
        }
        let at = event.at();
        let commands = match outside {
            Outside::Succeeded {
                step,
                attempt,
                output,
                cached: true,
            } => self.run.attempt_cached(step, attempt, output, at),
            Outside::Succeeded {
                step,
                attempt,
                output,
                cached: false,
            } => self.run.attempt_succeeded(step, attempt, output, at),
            Outside::Failed { step, attempt, error } => {
                self.run.attempt_failed(step, attempt, error.clone(), at)
            }
            Outside::Cancelled { step, attempt } => self.run.attempt_cancelled(step, attempt, at),
            Outside::Arrived(event) => self.run.deliver(&event, at),
            Outside::Voted { step, vote } => match self.run.vote(step, vote.clone(), at) {
                Ok(commands) => commands,
                Err(refused) => return Ok(Err(self.instead(Instead::Refuse(refused.reason)))),
            },
            Outside::Cancel { by } => self.run.cancel(by, at),
        };
        Ok(self.compare(&commands))
    }

    /// What the machine records must be what comes next. A journal that ends in between was saved there.
    fn compare(&mut self, commands: &[Command]) -> Result<(), Difference> {
        let before = self.next();
        for command in commands {
            let Command::Record(event) = command else {
                self.ask(std::slice::from_ref(command));
                continue;
            };
            match self.events.get(self.next()) {
                Some(recorded) if recorded == event => self.turns.push(Turn::default()),
                Some(_) => return Err(self.instead(Instead::Event(Box::new(event.clone())))),
                None => return Ok(()),
            }
        }
        if self.next() == before {
            return Err(self.instead(Instead::Wait));
        }
        Ok(())
    }

    /// Keeps what was asked for with the last event.
    fn ask(&mut self, commands: &[Command]) {
        let asked = commands
            .iter()
            .filter(|command| !matches!(command, Command::Record(_)));
        if let Some(turn) = self.turns.last_mut() {
            turn.commands.extend(asked.cloned());
        }
    }

    fn instead(&self, instead: Instead) -> Difference {
        Difference {
            number: self.next(),
            instead,
        }
    }
}

/// An event that did not follow from the journal before it.
enum Outside<'a> {
    Succeeded {
        step: &'a str,
        attempt: u32,
        output: Json,
        cached: bool,
    },
    Failed {
        step: &'a str,
        attempt: u32,
        error: &'a StepError,
    },
    Cancelled {
        step: &'a str,
        attempt: u32,
    },
    Arrived(IncomingEvent),
    Voted {
        step: &'a str,
        vote: &'a Vote,
    },
    Cancel {
        by: &'a str,
    },
}

impl Run {
    /// What the machine was told when this event was recorded; nothing if it decided it itself.
    fn outside<'a>(&self, event: &'a Event) -> Option<Outside<'a>> {
        match event {
            Event::StepSucceeded {
                step,
                attempt,
                output,
                cached,
                ..
            } => {
                if self.under_way(step, *attempt).is_some() {
                    return Some(Outside::Succeeded {
                        step,
                        attempt: *attempt,
                        output: output.clone().unwrap_or_default(),
                        cached: *cached,
                    });
                }
                let instance = self.waiting_step(step)?;
                let waits = matches!(self.plan.steps[instance.step].work, Work::Wait(WaitFor::Event(_)));
                let taken = output.as_ref().filter(|_| waits).and_then(IncomingEvent::taken);
                taken.map(Outside::Arrived)
            }
            Event::StepFailed {
                step, attempt, error, ..
            } => {
                let is_own = error.code == "Timeout" && error.message.starts_with(TOOK_LONGER);
                let is_told = !is_own && self.under_way(step, *attempt).is_some();
                is_told.then_some(Outside::Failed {
                    step,
                    attempt: *attempt,
                    error,
                })
            }
            Event::StepCancelled { step, .. } => {
                let Ok(Target::Step(instance)) = self.find(step) else {
                    return None;
                };
                let record = self.record_of(instance);
                let performed = self.plan.steps[instance.step].work.is_performed();
                (performed && record.phase == Phase::Running).then_some(Outside::Cancelled {
                    step,
                    attempt: record.attempts,
                })
            }
            Event::Voted { step, vote, .. } => Some(Outside::Voted { step, vote }),
            Event::CancelRequested { at, by } => {
                let is_own = by == TIMEOUT && *at >= self.deadline;
                (!is_own).then_some(Outside::Cancel { by })
            }
            _ => None,
        }
    }
}
