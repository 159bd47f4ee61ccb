//! A world that answers late, twice or never, in which runners die, people vote as they like and clocks jump; and every
//! command of the machine held against what it may ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowpilot_engine::journal::{Event, RunMode, StepError, Vote};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Command, Facts, IncomingEvent, Perform, Run};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::flow::{Flow, Kind};
use crate::generate::{CODES, EVENTS};
use crate::noise;
use crate::oracle::{Answer, Oracle, Report, State, Verdict, check};
use crate::random::Random;
use crate::replay;

/// More moments than any workflow here has.
const MOMENTS: usize = 20_000;

/// A run, what surrounds it, and what is known of it.
pub(crate) struct World<'a> {
    pub(crate) random: Random,
    pub(crate) plan: Arc<Plan>,
    pub(crate) run: Run,
    pub(crate) oracle: Oracle<'a>,
    pub(crate) journal: Vec<Event>,
    pub(crate) now: Timestamp,
    pub(crate) flights: Vec<Flight>,
    /// Attempts that ended, were ended, or whose runner died: reports about them come late.
    pub(crate) ghosts: Vec<(String, u32)>,
    /// Open questions.
    asked: Vec<String>,
    pub(crate) events: Vec<IncomingEvent>,
    signals: Vec<(Timestamp, Signal)>,
    /// By key: the path that it belongs to, and whether it was completed under it.
    keys: BTreeMap<String, (String, bool)>,
    pub(crate) temper: Temper,
    /// The state at an earlier moment, with the number of events by then.
    pub(crate) kept: Option<(String, usize)>,
    is_over: bool,
    pub(crate) counts: Counts,
}

/// How often things were seen: a check that never sees its case checks nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) events: usize,
    pub(crate) takeovers: usize,
    pub(crate) noise: usize,
    pub(crate) replays: usize,
    pub(crate) undos: usize,
}

/// An attempt under way.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) step: String,
    pub(crate) attempt: u32,
    /// When it answers; never, if it is not told to stop.
    due: Option<Timestamp>,
    answer: Answer,
    pub(crate) told: bool,
}

#[derive(Clone, Debug)]
enum Signal {
    Cancel,
    Event(&'static str, bool),
    Vote,
}

/// What the world is like: it changes from seed to seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temper {
    failure: usize,
    never: usize,
    takeover: usize,
    pub(crate) noise: usize,
    pub(crate) replay: usize,
}

pub(crate) fn facts() -> Facts {
    Facts {
        run: Uuid::from_u128(7),
        tenant: "acme".to_owned(),
        workflow: "seeded".to_owned(),
        revision: "sha256:0".to_owned(),
        url: String::new(),
        started_by: "ann".to_owned(),
        attempt: 1,
        jitter: true,
    }
}

impl<'a> World<'a> {
    pub(crate) fn new(flow: &'a Flow, plan: Arc<Plan>, mut random: Random) -> Result<Self, String> {
        let dry = random.chance(8);
        let now = Timestamp::UNIX_EPOCH;
        let started = Event::RunStarted {
            at: now,
            inputs: plan
                .check_inputs(&Map::new())
                .map_err(|problems| format!("{problems:?}"))?,
            vars: Map::new(),
            mode: if dry { RunMode::DryRun } else { RunMode::Run },
        };
        let run =
            Run::resume(plan.clone(), facts(), std::slice::from_ref(&started)).map_err(|e| e.to_string())?;
        let temper = Temper {
            failure: random.below(70),
            never: *random.of(&[0, 0, 0, 3, 20]),
            takeover: *random.of(&[0, 0, 5, 20]),
            noise: *random.of(&[0, 2, 2, 10]),
            replay: *random.of(&[1, 2, 2, 10]),
        };
        let mut signals = Vec::new();
        let at = |random: &mut Random| add(now, *random.of(&[0, 1, 7, 20, 60, 200, 1500]));
        if random.chance(20) {
            signals.push((at(&mut random), Signal::Cancel));
        }
        for _ in 0..random.below(5) {
            let signal = Signal::Event(random.of::<&'static str>(&EVENTS), random.chance(60));
            signals.push((at(&mut random), signal));
        }
        for _ in 0..random.below(8) {
            signals.push((at(&mut random), Signal::Vote));
        }
        Ok(Self {
            random,
            plan,
            run,
            oracle: Oracle::new(flow, dry, now),
            journal: vec![started],
            now,
            flights: Vec::new(),
            ghosts: Vec::new(),
            asked: Vec::new(),
            events: Vec::new(),
            signals,
            keys: BTreeMap::new(),
            temper,
            kept: None,
            is_over: false,
            counts: Counts::default(),
        })
    }

    /// Runs to the end.
    pub(crate) fn run(&mut self) -> Verdict {
        for _ in 0..MOMENTS {
            if self.moment()? {
                return self.ended();
            }
        }
        Err(format!("the run goes on after {MOMENTS} moments"))
    }

    /// Lets one thing happen. True: the run is over.
    fn moment(&mut self) -> Result<bool, String> {
        self.settle()?;
        if self.is_over {
            return Ok(true);
        }
        let flights = &self.flights;
        let flying = |step: &str, attempt: u32| {
            let flight = flights
                .iter()
                .find(|flight| flight.step == step && flight.attempt == attempt);
            flight.map(|flight| flight.told)
        };
        self.oracle.quiet(self.now, &flying)?;
        let wake = self.run.next_timer();
        check(wake.is_none_or(|wake| wake > self.now), || {
            format!("a time has come and nothing is done: {wake:?}")
        })?;
        if self.random.chance(self.temper.replay) {
            replay::check_state(self)?;
        }
        if self.random.chance(self.temper.noise) {
            noise::make(self)?;
        }
        if self.random.chance(self.temper.takeover) {
            self.takeover()?;
            return Ok(false);
        }
        self.next()?;
        Ok(false)
    }

    fn settle(&mut self) -> Verdict {
        loop {
            let commands = self.run.decide(self.now);
            if commands.is_empty() {
                return Ok(());
            }
            self.take(commands)?;
        }
    }

    fn next(&mut self) -> Verdict {
        let answers = self.flights.iter().filter_map(|flight| flight.due).min();
        let signals = self.signals.iter().map(|(at, _)| *at).min();
        let timer = self.run.next_timer();
        let soonest = [answers, signals, timer].into_iter().flatten().min();
        let Some(soonest) = soonest else {
            let held = !self.flights.is_empty() || self.oracle.waits_for_a_signal();
            check(held, || {
                "nothing will ever happen, and the run is not over".to_owned()
            })?;
            return Err("no timer bounds the run".to_owned());
        };
        // Only the limit of the run is left: somebody must be keeping it from going on.
        let limit = self
            .oracle
            .deadline()
            .max(add(self.oracle.scopes[""].since, 3600));
        if timer.is_some_and(|timer| timer >= limit) && answers.is_none() && signals.is_none() {
            let held = !self.flights.is_empty() || self.oracle.waits_for_a_signal() || self.has_a_timer();
            check(held, || {
                "stuck: nothing is under way, and nothing is waited for".to_owned()
            })?;
        }
        self.now = self.now.max(soonest);
        // Now and then everybody was asleep for longer than they wanted.
        if self.random.chance(4) {
            self.now = add(self.now, *self.random.of(&[1, 30, 400, 4000]));
        }
        for _ in 0..=self.random.below(2) {
            self.happen()?;
        }
        Ok(())
    }

    /// A step or a turn waits for a time of its own.
    fn has_a_timer(&self) -> bool {
        self.oracle.records.values().any(|record| {
            record.state == State::Retrying || (record.state == State::Waiting && record.until.is_some())
        }) || self
            .oracle
            .scopes
            .values()
            .any(|scope| scope.pause.is_some() || scope.undo_since.is_some())
    }

    fn happen(&mut self) -> Verdict {
        let due: Vec<usize> = (0..self.flights.len())
            .filter(|flight| self.flights[*flight].due.is_some_and(|due| due <= self.now))
            .collect();
        let signal = self.signals.iter().position(|(at, _)| *at <= self.now);
        match signal {
            Some(signal) if due.is_empty() || self.random.chance(50) => {
                let (_, signal) = self.signals.remove(signal);
                self.signal(&signal)
            }
            _ if !due.is_empty() => {
                let flight = self.flights.remove(*self.random.of(&due));
                self.report(flight)
            }
            _ => Ok(()),
        }
    }

    fn signal(&mut self, signal: &Signal) -> Verdict {
        let commands = match signal {
            Signal::Cancel => self.run.cancel("ann", self.now),
            Signal::Event(kind, good) => {
                let event = IncomingEvent {
                    id: format!("e{}", self.events.len()),
                    event: (*kind).to_owned(),
                    source: None,
                    time: self.now,
                    data: json!({"good": good}),
                };
                return self.publish(&event);
            }
            Signal::Vote => return self.vote(),
        };
        self.take(commands)
    }

    fn vote(&mut self) -> Verdict {
        if self.asked.is_empty() {
            return Ok(());
        }
        let step = self.random.of(&self.asked.clone()).clone();
        let by = *self.random.of(&["ann", "bob", "cleo", "dan"]);
        let groups = if self.random.chance(85) {
            vec!["managers".to_owned()]
        } else {
            Vec::new()
        };
        let vote = Vote {
            by: by.to_owned(),
            groups,
            approve: self.random.chance(75),
            form: Map::new(),
            comment: None,
        };
        match self.run.vote(&step, vote, self.now) {
            Ok(commands) => self.take(commands),
            Err(_) => Ok(()),
        }
    }

    fn publish(&mut self, event: &IncomingEvent) -> Verdict {
        let good = event.data["good"] == json!(true);
        self.oracle
            .events
            .push((event.id.clone(), event.event.clone(), good));
        self.events.push(event.clone());
        self.deliver(event)
    }

    fn deliver(&mut self, event: &IncomingEvent) -> Verdict {
        self.oracle.delivery += 1;
        let commands = self.run.deliver(event, self.now);
        self.take(commands)
    }

    fn report(&mut self, flight: Flight) -> Verdict {
        let Flight {
            step,
            attempt,
            answer,
            ..
        } = flight;
        self.oracle.report = Some(Report {
            step: step.clone(),
            attempt,
            answer: answer.clone(),
        });
        let commands = match answer {
            Answer::Gives(output) => self.run.attempt_succeeded(&step, attempt, output, self.now),
            Answer::Cached(output) => self.run.attempt_cached(&step, attempt, output, self.now),
            Answer::Cancelled => self.run.attempt_cancelled(&step, attempt, self.now),
            Answer::Fails {
                code,
                may_have_happened,
                retryable,
                retry_after,
            } => {
                let error = StepError {
                    code: code.to_owned(),
                    message: "no".to_owned(),
                    may_have_happened,
                    retryable,
                    retry_after_ms: retry_after.and_then(|seconds| u64::try_from(seconds * 1000).ok()),
                    ..StepError::default()
                };
                self.run.attempt_failed(&step, attempt, error, self.now)
            }
        };
        check(!commands.is_empty() || self.is_dead(&step, attempt), || {
            format!("a report about {step} is ignored")
        })?;
        self.ghosts.push((step, attempt));
        self.take_records(commands)?;
        Ok(())
    }

    /// The machine ended the attempt itself.
    fn is_dead(&self, step: &str, attempt: u32) -> bool {
        !noise::is_running(self, step, attempt)
    }

    fn take_records(&mut self, commands: Vec<Command>) -> Verdict {
        let taken = self.take(commands);
        self.oracle.report = None;
        taken
    }

    /// The runner died. Another one takes over, from the journal or from a snapshot.
    fn takeover(&mut self) -> Verdict {
        self.counts.takeovers += 1;
        let from_journal = self.random.chance(50);
        self.run = if from_journal {
            replay::from_journal(self)?
        } else {
            replay::from_snapshot(self)?
        };
        let lost = std::mem::take(&mut self.flights);
        self.ghosts
            .extend(lost.into_iter().map(|flight| (flight.step, flight.attempt)));
        self.asked.clear();
        if self.random.chance(50) {
            self.now = add(self.now, *self.random.of(&[1, 50, 900]));
        }
        let commands = self.run.recover(self.now);
        self.oracle.recovering = true;
        let taken = self.take(commands);
        self.oracle.recovering = false;
        taken
    }

    /// Does what was asked for, what is to be recorded first.
    fn take(&mut self, commands: Vec<Command>) -> Verdict {
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

    /// The run is over: what is left must fit.
    fn ended(&mut self) -> Verdict {
        let left: Vec<&Flight> = self
            .flights
            .iter()
            .filter(|flight| !self.is_dead(&flight.step, flight.attempt))
            .collect();
        check(left.is_empty(), || format!("the run ended while {left:?} ran"))?;
        check(self.run.running() == 0, || {
            format!("{} attempts are said to run", self.run.running())
        })?;
        check(self.run.next_timer().is_none(), || {
            "a run that ended waits for a time".to_owned()
        })?;
        replay::check_whole(self)?;
        if self.random.chance(20) {
            noise::make(self)
        } else {
            Ok(())
        }
    }
}

pub(crate) fn add(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.takeovers += other.takeovers;
        self.noise += other.noise;
        self.replays += other.replays;
        self.undos += other.undos;
    }
}
