//! What LANGUAGE says about a run, held against its journal event by event.
//!
//! It is written from the text of the language and knows nothing of the machine: a step's path, the workflow as it was
//! generated, and what the world reported are all it has. Where the language leaves a choice (the moment at which a race
//! is lost) it allows each.

use std::collections::{BTreeMap, HashMap};

use flowpilot_engine::journal::{Event, SkipReason};
use jiff::Timestamp;
use serde_json::Value;

use crate::flow::{Flow, Kind, Step};

mod blocks;
mod ends;
mod join;
mod quiet;
mod rules;
mod starts;
mod undo;

/// Why a rule is broken.
pub(crate) type Verdict = Result<(), String>;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the run, and none follows from another"
)]
pub(crate) struct Oracle<'a> {
    pub(crate) flow: &'a Flow,
    /// Steps by their ids.
    ids: HashMap<&'a str, usize>,
    pub(crate) dry: bool,
    pub(crate) records: BTreeMap<String, Record>,
    pub(crate) scopes: BTreeMap<String, Scope>,
    pub(crate) undos: BTreeMap<String, Undo>,
    /// What the world reports at this moment.
    pub(crate) report: Option<Report>,
    /// The run is being taken over.
    pub(crate) recovering: bool,
    /// Events of the tenant: id, type, whether they are good.
    pub(crate) events: Vec<(String, String, bool)>,
    /// By step of the manifest: ids of events that it took, and the delivery in which it did.
    pub(crate) taken: BTreeMap<usize, Vec<(String, usize)>>,
    /// Number of the delivery under way.
    pub(crate) delivery: usize,
    pub(crate) started_at: Timestamp,
    pub(crate) cut_short: bool,
    pub(crate) finished: bool,
    pub(crate) incomplete: bool,
    /// Number of the event.
    pub(crate) sequence: usize,
}

/// A report of the world: of which attempt, and what.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) step: String,
    pub(crate) attempt: u32,
    pub(crate) answer: Answer,
}

/// What comes of an attempt.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Gives(Value),
    Cached(Value),
    Fails {
        code: &'static str,
        may_have_happened: bool,
        retryable: Option<bool>,
        retry_after: Option<i64>,
    },
    Cancelled,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the step, and none follows from another"
)]
pub(crate) struct Record {
    pub(crate) state: State,
    pub(crate) attempts: u32,
    pub(crate) attempt_at: Timestamp,
    pub(crate) named: Option<String>,
    pub(crate) clean_up: bool,
    /// Nobody can tell whether it is clean-up.
    pub(crate) maybe_clean_up: bool,
    pub(crate) retry_at: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) votes: Vec<(String, bool)>,
    pub(crate) handled: bool,
    /// It was skipped, and its own needs decided that.
    pub(crate) by_needs: bool,
    pub(crate) error: Option<(String, Option<String>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Waiting,
    Retrying,
    Succeeded,
    Failed,
    Skipped(SkipReason),
    Cancelled,
}

impl State {
    pub(crate) fn is_end(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting | Self::Retrying)
    }
}

/// The inside of a block: the run (``), an attempt of a group (its path), all items or turns of a block (its path), one of
/// them (`path[index]`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) cause: Option<Cause>,
    pub(crate) since: Timestamp,
    pub(crate) error: Option<(String, Option<String>)>,
    pub(crate) completed: Vec<(usize, String)>,
    pub(crate) undoing: Option<String>,
    pub(crate) undo_since: Option<Timestamp>,
    pub(crate) closed: bool,
    /// Of a race: something failed in it, and it may be lost.
    pub(crate) doomed: bool,
    pub(crate) next: usize,
    pub(crate) open: usize,
    pub(crate) over: bool,
    pub(crate) pause: Option<Timestamp>,
    pub(crate) results: BTreeMap<usize, Value>,
    pub(crate) failures: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Failing,
    Cancelled { undo: bool },
    Stopped { well: bool },
    Won,
    Skipped(SkipReason),
}

impl Cause {
    pub(crate) fn undoes(self) -> bool {
        match self {
            Self::Failing => true,
            Self::Cancelled { undo } => undo,
            Self::Stopped { well } => !well,
            Self::Won | Self::Skipped(_) => false,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Undo {
    pub(crate) attempts: u32,
    pub(crate) running: bool,
    /// It took too long.
    pub(crate) given_up: bool,
    pub(crate) retry_at: Timestamp,
    /// The scope that takes it back.
    pub(crate) by: String,
}

/// A path in parts: the step, and what the paths of its siblings begin with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'p> {
    pub(crate) step: usize,
    pub(crate) prefix: &'p str,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(flow: &'a Flow, dry: bool, started_at: Timestamp) -> Self {
        Self {
            flow,
            ids: flow
                .steps
                .iter()
                .enumerate()
                .map(|(number, step)| (step.id.as_str(), number))
                .collect(),
            dry,
            records: BTreeMap::new(),
            scopes: BTreeMap::from([(String::new(), Scope::default())]),
            undos: BTreeMap::new(),
            report: None,
            recovering: false,
            events: Vec::new(),
            taken: BTreeMap::new(),
            delivery: 0,
            started_at,
            cut_short: false,
            finished: false,
            incomplete: false,
            sequence: 0,
        }
    }

    /// The next event of the journal.
    pub(crate) fn read(&mut self, event: &Event) -> Verdict {
        if self.finished {
            return Err("an event after the run ended".to_owned());
        }
        self.sequence += 1;
        let path = event.step().unwrap_or_default();
        if let Some(step) = path.strip_suffix(".undo") {
            return self.undo(step, event);
        }
        match event {
            Event::StepStarted { at, attempt, .. } => self.starts(path, *attempt, *at),
            Event::WaitStarted { at, until, .. } => self.waits(path, *at, *until),
            Event::Voted { vote, .. } => self.voted(path, vote),
            Event::StepSucceeded { .. } => self.succeeds(path, event),
            Event::StepFailed { .. } => self.fails(path, event),
            Event::StepSkipped { at, reason, .. } => self.skips(path, *reason, *at),
            Event::StepCancelled { at, .. } => self.is_cancelled(path, *at),
            Event::IterationsOpened {
                items, carried, over, ..
            } => self.opens(path, items.as_deref(), carried.as_ref(), *over),
            Event::IterationStarted { at, .. } => self.item_starts(path, *at),
            Event::IterationEnded { at, end, .. } => self.item_ends(path, end, *at),
            Event::BlockFailing { at, error, .. } => self.block_fails(path, error, *at),
            Event::UndoGivenUp { at, .. } => self.undo_given_up(path, *at),
            Event::CleanUpTimedOut { at } => self.clean_up_is_cut(*at),
            Event::CancelRequested { at, by } => {
                self.cancel(by, *at);
                Ok(())
            }
            Event::RunFinished { .. } => self.run_ends(event),
            Event::RunStarted { .. } => Err("the run starts twice".to_owned()),
        }
    }

    pub(crate) fn step(&self, number: usize) -> &'a Step {
        &self.flow.steps[number]
    }

    pub(crate) fn place<'p>(&self, path: &'p str) -> Result<Place<'p>, String> {
        let (prefix, id) = path.rfind('.').map_or(("", path), |dot| path.split_at(dot + 1));
        let step = *self
            .ids
            .get(id)
            .ok_or_else(|| format!("there is no step {path}"))?;
        Ok(Place { step, prefix })
    }

    /// The scope that a step is in.
    pub(crate) fn scope_of(&self, place: Place<'_>) -> String {
        match self.step(place.step).block {
            None => String::new(),
            Some(block) if matches!(self.step(block).kind, Kind::Group { .. }) => {
                format!("{}{}", place.prefix, self.step(block).id)
            }
            Some(_) => place.prefix.trim_end_matches('.').to_owned(),
        }
    }

    /// The scope around a scope.
    pub(crate) fn around(&self, scope: &str) -> Option<String> {
        if scope.is_empty() {
            return None;
        }
        if scope.ends_with(']') {
            return scope.rfind('[').map(|bracket| scope[..bracket].to_owned());
        }
        self.place(scope).ok().map(|place| self.scope_of(place))
    }

    /// Steps of a scope with their paths. All items of a block have none.
    pub(crate) fn members(&self, scope: &str) -> Vec<(usize, String)> {
        let (block, prefix) = if scope.is_empty() {
            (None, String::new())
        } else if scope.ends_with(']') {
            let block = scope
                .rfind('[')
                .and_then(|bracket| self.place(&scope[..bracket]).ok());
            (block.map(|place| place.step), format!("{scope}."))
        } else {
            match self.place(scope) {
                Ok(place) if matches!(self.step(place.step).kind, Kind::Group { .. }) => {
                    (Some(place.step), place.prefix.to_owned())
                }
                _ => return Vec::new(),
            }
        };
        let steps = self.flow.steps.iter().enumerate();
        steps
            .filter(|(_, step)| step.block == block)
            .map(|(number, step)| (number, format!("{prefix}{}", step.id)))
            .collect()
    }

    pub(crate) fn state(&self, path: &str) -> Option<State> {
        self.records.get(path).map(|record| record.state)
    }

    pub(crate) fn scope(&self, key: &str) -> Result<&Scope, String> {
        self.scopes
            .get(key)
            .ok_or_else(|| format!("`{key}` is not under way"))
    }

    pub(crate) fn scope_mut(&mut self, key: &str) -> Result<&mut Scope, String> {
        self.scopes
            .get_mut(key)
            .ok_or_else(|| format!("`{key}` is not under way"))
    }

    /// The number of the innermost item of a forEach.
    pub(crate) fn index(&self, path: &str) -> Option<usize> {
        path.split('.').rev().find_map(|part| {
            let (id, number) = part.strip_suffix(']')?.split_once('[')?;
            let step = self.flow.steps.iter().find(|step| step.id == id)?;
            number
                .parse()
                .ok()
                .filter(|_| matches!(step.kind, Kind::ForEach { .. }))
        })
    }

    /// Everything in a scope has ended.
    pub(crate) fn is_over(&self, key: &str) -> bool {
        self.scopes.get(key).is_some_and(|scope| scope.open == 0)
            && self
                .members(key)
                .iter()
                .all(|(_, path)| self.state(path).is_some_and(State::is_end))
    }
}

pub(crate) fn check(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}
