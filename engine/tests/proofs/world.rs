//! A world that answers late, twice or never, in which runners die, people vote as they like and clocks jump.

mod commands;

use std::collections::BTreeMap;
use std::sync::Arc;

use flowpilot_engine::journal::{Event, RunMode, StepError, Vote};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Command, Facts, IncomingEvent, Run};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::flow::Flow;
use crate::generate::EVENTS;
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
