//! What runs see of this process: workflows of the files, hands that answer later, and somebody who writes down what
//! happens.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use flowpilot_engine::journal::Event;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Perform, Question, Task};
use flowpilot_engine::simulation::{Answer, Attempt, News, Reply, Started, World};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::Stage;
use crate::commands::logs;
use crate::journal::{Recorded, digest};
use crate::output;

/// What a run wants of the world.
#[derive(Debug)]
pub(crate) enum Order {
    /// An attempt begins.
    Perform { run: Uuid, perform: Box<Perform> },
    /// Nobody waits for a step's attempt any more.
    Stop { run: Uuid, step: String },
    /// People are asked.
    Ask { path: String, question: Box<Question> },
    /// A step waits for an event.
    Listen { path: String, event: String },
    /// Nobody is asked by this step any more.
    Close { path: String },
}

/// The world of a run.
pub(crate) struct LocalWorld<'a> {
    stage: &'a Stage,
    orders: Sender<Order>,
    runs: Vec<Recorded>,
    /// Paths of steps whose errors may speak of what must not be shown.
    sensitive: HashSet<String>,
}

impl<'a> LocalWorld<'a> {
    /// A world, and where its orders arrive: whoever drives the run takes them after each call.
    pub(crate) fn new(stage: &'a Stage) -> (Self, Receiver<Order>) {
        let (orders, receiver) = channel();
        let world = Self {
            stage,
            orders,
            runs: Vec::new(),
            sensitive: HashSet::new(),
        };
        (world, receiver)
    }

    /// What happened, and the paths of steps of which nothing is shown.
    pub(crate) fn into_parts(self) -> (Vec<Recorded>, HashSet<String>) {
        (self.runs, self.sensitive)
    }

    fn order(&self, order: Order) {
        // Whoever drives the run has gone: it is over.
        let _ = self.orders.send(order);
    }

    fn started(&mut self, started: &Started<'_>) {
        let Some(ready) = self.stage.find(&started.facts.workflow) else {
            return;
        };
        if !started.prefix.is_empty() {
            let (path, name) = (started.prefix.trim_end_matches('/'), &ready.name);
            output::note(&logs::told(started.event.at(), path, &format!("runs {name}")));
        }
        self.runs.push(Recorded {
            path: started.prefix.to_owned(),
            facts: started.facts.clone(),
            plan: digest(&ready.plan).unwrap_or_default(),
            workflow: ready.object.clone(),
            events: vec![started.event.clone()],
        });
    }
}

/// Takes what an error says of values away.
pub(crate) fn hide(document: &mut Value) {
    if let Some(error) = document.get_mut("error").and_then(Value::as_object_mut) {
        error.insert("message".to_owned(), json!("not shown, as the step is sensitive"));
        error.shift_remove("details");
    }
}

impl World for LocalWorld<'_> {
    fn answer(&mut self, attempt: &Attempt<'_>) -> Answer {
        if attempt.perform.sensitive {
            self.sensitive.insert(attempt.path.to_owned());
        }
        let after = SignedDuration::ZERO;
        let reply = match &attempt.perform.task {
            Task::Workflow { .. } => Reply::Runs,
            Task::Action { .. } | Task::Script { .. } | Task::Container { .. } => {
                self.order(Order::Perform {
                    run: attempt.run,
                    perform: Box::new(attempt.perform.clone()),
                });
                Reply::Later
            }
        };
        Answer { after, reply }
    }

    fn workflow(&mut self, name: &str) -> Option<(Arc<Plan>, String)> {
        let ready = self.stage.find(name)?;
        Some((ready.plan.clone(), ready.revision.clone()))
    }

    fn triggered(&mut self) -> Vec<String> {
        self.stage.names().cloned().collect()
    }

    fn stop(&mut self, run: Uuid, step: &str) {
        let step = step.to_owned();
        self.order(Order::Stop { run, step });
    }

    fn told(&mut self, news: &News<'_>) {
        match news {
            News::Started(started) => self.started(started),
            News::Recorded { run, prefix, event } => {
                let mut shown = serde_json::to_value(event).unwrap_or_default();
                if let Some(step) = event.step().filter(|_| !prefix.is_empty()) {
                    shown["step"] = Value::String(format!("{prefix}{step}"));
                } else if !prefix.is_empty() {
                    shown["step"] = Value::String(prefix.trim_end_matches('/').to_owned());
                }
                if self
                    .sensitive
                    .contains(shown["step"].as_str().unwrap_or_default())
                {
                    hide(&mut shown);
                }
                output::note(&logs::line(&shown));
                let is_end = matches!(
                    event,
                    Event::StepSucceeded { .. } | Event::StepFailed { .. } | Event::StepCancelled { .. }
                );
                if let Some(step) = event.step().filter(|_| is_end) {
                    let path = format!("{prefix}{step}");
                    self.order(Order::Close { path });
                }
                if let Some(recorded) = self.runs.iter_mut().find(|recorded| recorded.facts.run == *run) {
                    recorded.events.push((*event).clone());
                }
            }
            News::Asked { path, question } => self.order(Order::Ask {
                path: (*path).to_owned(),
                question: Box::new((*question).clone()),
            }),
            News::Listens { path, event } => self.order(Order::Listen {
                path: (*path).to_owned(),
                event: (*event).to_owned(),
            }),
            News::Refused(why) => output::note(&format!("refused: {why}")),
        }
    }
}
