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

use jiff::Timestamp;
use serde_json::Value as Json;

use super::approval::VoteRefused;
use super::ending::TIMEOUT;
use super::path::Target;
use super::record::Phase;
use super::{Command, Facts, IncomingEvent, ReplayError, Run};
use crate::journal::{Event, StepError, Vote};
use crate::plan::{Plan, WaitFor, Work};

/// How the message of a timeout of the machine's own begins.
pub(super) const TOOK_LONGER: &str = "the attempt took longer than";

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
    let mut tape = Tape {
        run: Run::resume(plan.clone(), facts.clone(), first)?,
        events,
        turns: vec![Turn::default()],
        suspicion: None,
    };
    let mut difference = None;
    while difference.is_none() && tape.next() < events.len() {
        difference = tape.step().err();
    }
    if difference.is_some() {
        difference = tape.suspicion.take().or(difference);
    } else {
        // What was about to be asked for when the journal was saved.
        let commands = tape.run.decide(tape.last_at());
        tape.ask(&commands);
    }
    Ok(Replayed {
        turns: tape.turns,
        finished: tape.run.is_finished() && difference.is_none(),
        difference,
    })
}

struct Tape<'a> {
    run: Run,
    events: &'a [Event],
    /// One for each event that was the same.
    turns: Vec<Turn>,
    /// A decision that is missing so far.
    suspicion: Option<Difference>,
}

impl Tape<'_> {
    fn next(&self) -> usize {
        self.turns.len()
    }

    fn last_at(&self) -> Timestamp {
        self.events[self.next() - 1].at()
    }

    /// One event, and what follows from it at once.
    fn step(&mut self) -> Result<(), Difference> {
        let event = &self.events[self.next()];
        if self.run.is_finished() {
            return Err(self.instead(Instead::Over));
        }
        let Some(outside) = self.run.outside(event) else {
            self.decide(event.at())?;
            self.suspicion = None;
            return Ok(());
        };
        if self.suspicion.is_none() && self.settle(event.at()) {
            return Ok(());
        }
        let commands = match self.run.tell(outside, event.at()) {
            Ok(commands) => commands,
            Err(refused) => return Err(self.instead(Instead::Refuse(refused.reason))),
        };
        self.compare(&commands)
    }

    /// The machine decided something at this moment. What is not written down may have been decided right after the last
    /// event, before a timer of this moment rang, or together with it.
    fn decide(&mut self, at: Timestamp) -> Result<(), Difference> {
        let rings = self.run.next_timer().is_some_and(|timer| timer <= at);
        if rings && self.run.has_pending() {
            let (mut run, mut commands) = self.tried(self.last_at());
            if !is_written(&commands) {
                commands.extend(run.decide(at));
                if self.matching(&commands).is_ok() {
                    self.run = run;
                    return self.compare(&commands);
                }
            }
        }
        let commands = self.run.decide(at);
        self.compare(&commands)
    }

    /// Before something from outside at this moment: what was decided by then. True if that is the next event itself.
    fn settle(&mut self, at: Timestamp) -> bool {
        if self.run.has_pending() {
            let (run, commands) = self.tried(self.last_at());
            if !is_written(&commands) {
                self.run = run;
                self.ask(&commands);
            } else if let Err(difference) = self.matching(&commands) {
                self.suspicion = Some(difference);
                return false;
            } else {
                self.run = run;
                return self.compare(&commands).is_ok();
            }
        }
        if self.run.next_timer().is_some_and(|timer| timer <= at) {
            let (run, commands) = self.tried(at);
            if !is_written(&commands) {
                self.run = run;
                self.ask(&commands);
            }
        }
        false
    }

    /// What the machine would decide, and become by that.
    fn tried(&self, at: Timestamp) -> (Run, Vec<Command>) {
        let mut run = self.run.clone();
        let commands = run.decide(at);
        (run, commands)
    }

    /// Whether what the machine records is what comes next. A journal that ends in between was saved there.
    fn matching(&self, commands: &[Command]) -> Result<(), Difference> {
        let mut number = self.next();
        for command in commands {
            let Command::Record(event) = command else { continue };
            match self.events.get(number) {
                Some(recorded) if recorded == event => number += 1,
                Some(_) => {
                    let instead = Instead::Event(Box::new(event.clone()));
                    return Err(Difference { number, instead });
                }
                None => return Ok(()),
            }
        }
        if number == self.next() {
            return Err(self.instead(Instead::Wait));
        }
        Ok(())
    }

    /// The same, and goes on behind it.
    fn compare(&mut self, commands: &[Command]) -> Result<(), Difference> {
        let matching = self.matching(commands);
        let end = match &matching {
            Ok(()) => self.events.len(),
            Err(difference) => difference.number,
        };
        for command in commands {
            if !matches!(command, Command::Record(_)) {
                self.ask(std::slice::from_ref(command));
            } else if self.next() < end {
                self.turns.push(Turn::default());
            } else {
                break;
            }
        }
        matching
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

fn is_written(commands: &[Command]) -> bool {
    commands
        .iter()
        .any(|command| matches!(command, Command::Record(_)))
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
    /// Whether something can be decided without a timer.
    fn has_pending(&self) -> bool {
        !(self.dirty.is_empty()
            && self.sweeps.is_empty()
            && self.settling.is_empty()
            && self.ready.is_empty())
    }

    /// Tells the machine what came from outside.
    fn tell(&mut self, outside: Outside<'_>, at: Timestamp) -> Result<Vec<Command>, VoteRefused> {
        Ok(match outside {
            Outside::Succeeded {
                step,
                attempt,
                output,
                cached: true,
            } => self.attempt_cached(step, attempt, output, at),
            Outside::Succeeded {
                step,
                attempt,
                output,
                cached: false,
            } => self.attempt_succeeded(step, attempt, output, at),
            Outside::Failed { step, attempt, error } => self.attempt_failed(step, attempt, error.clone(), at),
            Outside::Cancelled { step, attempt } => self.attempt_cancelled(step, attempt, at),
            Outside::Arrived(event) => self.deliver(&event, at),
            Outside::Voted { step, vote } => return self.vote(step, vote.clone(), at),
            Outside::Cancel { by } => self.cancel(by, at),
        })
    }

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
