//! The loop of a run without a server: the engine says what to do, hands do it, people answer, time passes.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use flowpilot_engine::simulation::{Report, SignalKind, Simulation};
use flowpilot_runner::{Ended, Hands};
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind as Kind, signal};
use tokio::time::{Instant, sleep_until};

use super::answers::Told;
use super::people::People;
use super::world::Order;
use crate::output;

/// A timer that never comes too late for anything.
const FAR: Duration = Duration::from_hours(1);

/// A run under way.
pub(crate) struct Drive<'w> {
    simulation: Simulation<'w>,
    orders: Receiver<Order>,
    hands: Hands,
    people: People,
    /// When it is cancelled.
    deadline: Option<Instant>,
    interrupt: Signal,
    terminate: Signal,
    end: End,
}

/// What ended a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It itself.
    Over,
    /// A signal.
    Interrupted,
    /// The time it was given.
    TimedOut,
    /// It waits for answers that do not come: for which, and how to give them.
    Unanswered(String),
    /// Its clean-up does: it is left as it is.
    CleanUpUnanswered(String),
}

impl<'w> Drive<'w> {
    pub(crate) fn new(
        simulation: Simulation<'w>,
        orders: Receiver<Order>,
        hands: Hands,
        people: People,
        timeout: Option<Duration>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            simulation,
            orders,
            hands,
            people,
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            interrupt: signal(Kind::interrupt())?,
            terminate: signal(Kind::terminate())?,
            end: End::Over,
        })
    }

    /// Runs until everything has ended. Without a report, somebody was impatient.
    pub(crate) async fn run(mut self, events: Vec<Told>) -> (End, Option<Box<Report>>) {
        self.simulation.begin();
        for event in events {
            self.signal(event.signal());
        }
        loop {
            self.obey();
            if self.simulation.is_over() {
                for step in self.people.unused() {
                    output::note(&format!(
                        "--answer {step}: nobody was asked by a step of this name"
                    ));
                }
                return (self.end, Some(Box::new(self.simulation.finish())));
            }
            if self.simulation.waits_for_somebody() && !self.people.may_answer() {
                let help = self.people.help();
                if self.end != End::Over {
                    return (End::CleanUpUnanswered(help), None);
                }
                self.cancel(End::Unanswered(help));
                continue;
            }
            self.people.tell();
            let timer = self.timer();
            tokio::select! {
                biased;
                () = told_to_end(&mut self.interrupt, &mut self.terminate) => {
                    if self.end == End::Interrupted {
                        return (self.end, None);
                    }
                    output::note("cancelling: what was done is cleaned up and undone. Ctrl-C again stops at once");
                    self.cancel(End::Interrupted);
                }
                ended = self.hands.next_end() => {
                    let Ended { run, step, attempt, result } = ended;
                    self.simulation.ended(run, &step, attempt, result, Timestamp::now());
                }
                said = self.people.next() => said.into_iter().for_each(|what| self.signal(what)),
                () = sleep_until(timer) => {
                    if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                        self.deadline = None;
                        self.cancel(End::TimedOut);
                    }
                    self.simulation.advance(Timestamp::now());
                }
            }
        }
    }

    /// Does what the runs asked for since the last time, and what follows from it.
    fn obey(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Perform { run, perform } => self.hands.perform(run, *perform),
                Order::Stop { run, step } => self.hands.stop(run, &step),
                Order::Ask { path, question } => {
                    for vote in self.people.asked(path, question) {
                        self.signal(vote);
                    }
                }
                Order::Listen { path, event } => self.people.listens(path, event),
                Order::Close { path } => self.people.closed(&path),
            }
        }
    }

    fn signal(&mut self, what: SignalKind) {
        self.simulation.signal_at(what, Timestamp::now());
    }

    /// Cancels what goes on. The first reason is the one that is told, unless a person is impatient.
    fn cancel(&mut self, end: End) {
        if self.end == End::Over || end == End::Interrupted {
            self.end = end;
        }
        self.simulation.cancel_all("flowpilot-run", Timestamp::now());
    }

    fn timer(&self) -> Instant {
        let now = Instant::now();
        let due = self.simulation.next_moment().map(|at| {
            // A moment more: timers are due at their time, and clocks are rounded.
            let wait = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
            now + wait.saturating_add(Duration::from_millis(1)).min(FAR)
        });
        [due, self.deadline]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + FAR)
    }
}

async fn told_to_end(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
