//! A world in which time costs nothing and actions answer what they are told to.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowpilot_crds::WorkflowSpec;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(super) use super::answers::{Answer, Mocks, fails, gives, mocks};
use crate::compile::{Compiled, Context, compile};
use crate::journal::{Event, RunMode, RunOutcome, StepError, Vote};
use crate::plan::Plan;
use crate::run::{
    Command, Facts, IncomingEvent, Perform, Publication, Question, Run, RunView, StepView, Task,
};

pub(super) fn plan(steps: &str) -> Arc<Plan> {
    Arc::new(compiled(steps).plan)
}

/// Compiles a spec in YAML; one that begins with `-` is a list of steps.
pub(super) fn compiled(text: &str) -> Compiled {
    let text = if text.trim_start().starts_with('-') {
        format!("steps:\n{text}")
    } else {
        text.to_owned()
    };
    let spec: WorkflowSpec = serde_saphyr::from_str(&text).expect("readable");
    compile(&spec, &Context::default()).expect("a workflow without problems")
}

pub(super) fn facts() -> Facts {
    Facts {
        run: Uuid::from_u128(7),
        tenant: "acme".to_owned(),
        workflow: "flow".to_owned(),
        revision: "sha256:0".to_owned(),
        url: "http://x/runs/7".to_owned(),
        started_by: "ann".to_owned(),
        attempt: 1,
        jitter: true,
    }
}

/// A run, its journal, and what is under way.
pub(super) struct World {
    pub(super) run: Run,
    pub(super) plan: Arc<Plan>,
    pub(super) journal: Vec<Event>,
    pub(super) now: Timestamp,
    /// Attempts under way: when each ends, in the order in which they began.
    pub(super) doing: Vec<(Timestamp, Perform, Result<Value, StepError>)>,
    pub(super) performed: Vec<Perform>,
    pub(super) aborted: Vec<String>,
    pub(super) asked: Vec<Question>,
    pub(super) published: Vec<Publication>,
    /// Votes that did not count, with the reason.
    pub(super) refused: Vec<String>,
    /// What happened in the tenant since the run began.
    events: Vec<IncomingEvent>,
    answers: BTreeMap<String, Vec<Answer>>,
    /// Answers are listed by the id of the step, whatever the item.
    pub(super) answers_by_id: bool,
    /// Decisions come a moment after what they follow from, as those of a runner do.
    pub(super) is_slow: bool,
    signals: Vec<(Timestamp, Signal)>,
}

/// What people and the world do.
#[derive(Clone, Debug)]
pub(super) enum Signal {
    Cancel,
    Vote(String, Vote),
    Event(String, Value),
}

/// A vote of somebody who is in the group `managers`.
pub(super) fn vote(by: &str, approve: bool) -> Vote {
    Vote {
        by: by.to_owned(),
        groups: vec!["managers".to_owned()],
        approve,
        form: Map::new(),
        comment: None,
    }
}

impl World {
    pub(super) fn new(steps: &str, mocks: Mocks) -> Self {
        Self::of(plan(steps), json!({}), mocks)
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers write json!(…) there")]
    pub(super) fn of(plan: Arc<Plan>, inputs: Value, mocks: Mocks) -> Self {
        let inputs = plan
            .check_inputs(inputs.as_object().expect("a map"))
            .expect("good inputs");
        let started = Event::RunStarted {
            at: Timestamp::UNIX_EPOCH,
            inputs,
            vars: Map::new(),
            mode: RunMode::Run,
        };
        Self::from(plan, started, mocks)
    }

    pub(super) fn from(plan: Arc<Plan>, started: Event, mocks: Mocks) -> Self {
        let run = Run::resume(plan.clone(), facts(), std::slice::from_ref(&started)).expect("a new run");
        Self {
            run,
            plan,
            journal: vec![started],
            now: Timestamp::UNIX_EPOCH,
            doing: Vec::new(),
            performed: Vec::new(),
            aborted: Vec::new(),
            asked: Vec::new(),
            published: Vec::new(),
            refused: Vec::new(),
            events: Vec::new(),
            answers: mocks.0,
            answers_by_id: false,
            is_slow: false,
            signals: Vec::new(),
        }
    }

    pub(super) fn cancel_at(self, seconds: i64) -> Self {
        self.signal_at(seconds, Signal::Cancel)
    }

    pub(super) fn vote_at(self, seconds: i64, step: &str, vote: Vote) -> Self {
        self.signal_at(seconds, Signal::Vote(step.to_owned(), vote))
    }

    pub(super) fn event_at(self, seconds: i64, event: &str, data: Value) -> Self {
        self.signal_at(seconds, Signal::Event(event.to_owned(), data))
    }

    pub(super) fn signal_at(mut self, seconds: i64, signal: Signal) -> Self {
        self.signals
            .push((Timestamp::from_second(seconds).expect("a time"), signal));
        self
    }

    /// Runs to the end.
    pub(super) fn finish(mut self) -> Self {
        for _ in 0..100_000 {
            if !self.step() {
                return self;
            }
        }
        panic!("the run does not end: {:?}", self.run.view());
    }

    /// Runs until nothing is due at this moment, then goes to the next one. False when the run has ended.
    pub(super) fn step(&mut self) -> bool {
        loop {
            if self.is_slow {
                let later = self.now.checked_add(jiff::SignedDuration::from_millis(3));
                self.now = later.expect("a time");
            }
            let commands = self.run.decide(self.now);
            let is_quiet = commands.is_empty();
            self.take(commands);
            if self.run.is_finished() {
                return false;
            }
            if is_quiet {
                break;
            }
        }
        let answers = self.doing.iter().map(|(at, ..)| *at);
        let next = answers
            .chain(self.run.next_timer())
            .chain(self.signals.iter().map(|(at, _)| *at))
            .min();
        self.now = next
            .expect("the run waits for nothing and has not ended")
            .max(self.now);
        if let Some(position) = self.signals.iter().position(|(at, _)| *at <= self.now) {
            let (_, signal) = self.signals.remove(position);
            self.happens(signal);
        } else if let Some(position) = self.doing.iter().position(|(at, ..)| *at <= self.now) {
            let (_, perform, result) = self.doing.remove(position);
            let commands = match result {
                Ok(output) => self
                    .run
                    .attempt_succeeded(&perform.step, perform.attempt, output, self.now),
                Err(error) => self
                    .run
                    .attempt_failed(&perform.step, perform.attempt, error, self.now),
            };
            self.take(commands);
        }
        true
    }

    fn happens(&mut self, signal: Signal) {
        let commands = match signal {
            Signal::Cancel => self.run.cancel("ann", self.now),
            Signal::Vote(step, vote) => match self.run.vote(&step, vote, self.now) {
                Ok(commands) => commands,
                Err(refused) => {
                    self.refused.push(refused.reason);
                    Vec::new()
                }
            },
            Signal::Event(event, data) => {
                let id = format!("e{}", self.events.len());
                return self.event(id, event, data);
            }
        };
        self.take(commands);
    }

    fn event(&mut self, id: String, event: String, data: Value) {
        let event = IncomingEvent {
            id,
            event,
            source: None,
            time: self.now,
            data,
        };
        self.events.push(event.clone());
        let commands = self.run.deliver(&event, self.now);
        self.take(commands);
    }

    /// Does what was asked for. What is to be recorded first: the machine knows it already, and what it says when it
    /// is called in between comes after it.
    pub(super) fn take(&mut self, commands: Vec<Command>) {
        let mut others = Vec::new();
        for command in commands {
            match command {
                Command::Record(event) => self.journal.push(event),
                other => others.push(other),
            }
        }
        for command in others {
            match command {
                Command::Perform(perform) => self.begin(perform),
                Command::Abort { step } => {
                    self.aborted.push(step.clone());
                    if let Some(position) = self.doing.iter().position(|(_, perform, _)| perform.step == step)
                    {
                        let (_, perform, _) = self.doing.remove(position);
                        let ended = self.run.attempt_cancelled(&step, perform.attempt, self.now);
                        self.take(ended);
                    }
                }
                Command::Record(_) | Command::Terminate { .. } => {}
                Command::Ask(question) => self.asked.push(question),
                Command::Listen { event, .. } => {
                    let earlier: Vec<IncomingEvent> = self.events.clone();
                    for happened in earlier.iter().filter(|happened| happened.event == event) {
                        let commands = self.run.deliver(happened, self.now);
                        self.take(commands);
                    }
                }
                Command::Publish(publication) => {
                    self.published.push(publication.clone());
                    let Publication { id, event, data, .. } = publication;
                    if !self.events.iter().any(|known| known.id == id) {
                        self.event(id, event, Value::Object(data));
                    }
                }
                Command::Finish { .. } => assert!(self.run.is_finished()),
            }
        }
    }

    fn begin(&mut self, perform: Perform) {
        let path = perform.step.clone();
        let key = if self.answers_by_id {
            path.rsplit_once('.')
                .map_or(path.clone(), |(_, id)| id.to_owned())
        } else {
            path
        };
        let answers = self.answers.entry(key).or_default();
        let answer = match answers.len() {
            0 => gives(json!({})),
            1 => answers[0].clone(),
            _ => answers.remove(0),
        };
        self.performed.push(perform.clone());
        self.doing.push((
            self.now.checked_add(answer.after).expect("a time"),
            perform,
            answer.result,
        ));
    }

    pub(super) fn view(&self) -> RunView {
        self.run.view()
    }

    pub(super) fn outcome(&self) -> RunOutcome {
        self.view().outcome.expect("an ended run")
    }

    pub(super) fn error(&self) -> StepError {
        self.view().error.expect("an error")
    }

    pub(super) fn of_step(&self, step: &str) -> StepView {
        self.view()
            .steps
            .into_iter()
            .find(|view| view.step == step)
            .expect("a step")
    }

    /// A step's end in one word: `succeeded`, `failed:Code`, `skipped:Reason`, `cancelled`.
    pub(super) fn end(&self, step: &str) -> String {
        let view = self.of_step(step);
        let state = format!("{:?}", view.state).to_lowercase();
        match (view.reason, view.error) {
            (Some(reason), _) => format!("{state}:{reason:?}"),
            (_, Some(error)) if state == "failed" => format!("{state}:{}", error.code),
            _ => state,
        }
    }

    pub(super) fn calls(&self) -> Vec<&str> {
        self.performed
            .iter()
            .map(|perform| perform.step.as_str())
            .collect()
    }

    /// What was given to an action.
    pub(super) fn with(&self, call: usize) -> Value {
        match &self.performed[call].task {
            Task::Action { with, .. } => Value::Object(with.clone()),
            Task::Script { input, .. } => Value::Object(input.clone()),
            Task::Workflow { inputs, .. } => Value::Object(inputs.clone()),
            Task::Container { env, .. } => Value::Object(env.clone()),
        }
    }

    /// How a step ended, from the journal: also one of an item that is long over.
    pub(super) fn ended(&self, step: &str) -> String {
        let of_step = self.journal.iter().filter(|event| event.step() == Some(step));
        let mut ends = of_step.filter_map(|event| match event {
            Event::StepSucceeded { named, .. } => {
                Some(named.clone().unwrap_or_else(|| "succeeded".to_owned()))
            }
            Event::StepFailed {
                error,
                retry_at: None,
                ..
            } => Some(format!("failed:{}", error.code)),
            Event::StepSkipped { reason, .. } => Some(format!("skipped:{reason:?}").to_lowercase()),
            Event::StepCancelled { .. } => Some("cancelled".to_owned()),
            _ => None,
        });
        ends.next_back().unwrap_or_else(|| "nothing".to_owned())
    }

    pub(super) fn seconds(&self) -> i64 {
        self.now.as_second()
    }

    pub(super) fn outputs(&self) -> Map<String, Value> {
        match self.journal.last() {
            Some(Event::RunFinished {
                outputs: Some(outputs),
                ..
            }) => outputs.clone(),
            other => panic!("no outputs: {other:?}"),
        }
    }
}
