//! What the machine asks for, and what comes back.

#![allow(
    clippy::result_large_err,
    reason = "a StepError is made once per attempt that fails, and goes into the journal"
)]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Simulation;
use super::answers::Due;
use super::calls::{Call, Called};
use super::live::{Birth, Caller, Live};
use super::steps::{item_index, last_id};
use super::world::{Answer, Attempt, News, Reply};
use crate::journal::{RunOutcome, StepError};
use crate::problem::Problem;
use crate::run::{Command, IncomingEvent, Perform, Publication, Task};

/// How deep runs call each other.
const CALL_DEPTH: u32 = 16;
/// When an answer comes of which nobody knows when.
pub(super) const LATER: Timestamp = Timestamp::MAX;

impl Simulation<'_> {
    /// Does what a run asks for, in order.
    pub(super) fn take(&mut self, number: usize, mut commands: Vec<Command>) {
        self.touch(number);
        // What was decided is written down before anything is done about it: doing may lead to further decisions.
        for command in &commands {
            if let Command::Record(event) = command {
                let live = &mut self.runs[number];
                live.journal.push(event.clone());
                let (run, prefix) = (live.id, live.prefix.as_str());
                self.world.told(&News::Recorded { run, prefix, event });
            }
        }
        // Whoever begins to listen hears what came before, then what is published now.
        commands.sort_by_key(|command| !matches!(command, Command::Listen { .. }));
        for command in commands {
            match command {
                Command::Record(_) => {}
                Command::Perform(perform) => self.perform(number, &perform),
                Command::Ask(question) => self.ask(number, &question),
                Command::Listen { step, event } => self.listen(number, &step, &event),
                Command::Publish(publication) => self.publish(number, publication),
                Command::Abort { step } => self.abort(number, &step),
                Command::Terminate { step } => self.terminate(number, &step),
                Command::Finish {
                    outcome,
                    outputs,
                    error,
                } => {
                    self.runs[number].outputs = outputs;
                    self.finished(number, outcome, error);
                }
            }
        }
    }

    fn perform(&mut self, number: usize, perform: &Perform) {
        let step = perform.step.clone();
        let of = step.strip_suffix(".undo").unwrap_or(&step).to_owned();
        // What an earlier attempt of the same path still had to say is of no interest any more.
        self.answers.take(number, &step);
        self.disown(number, &step);
        if let Some(output) = self.kept(number, perform) {
            let due = Due {
                run: number,
                step,
                attempt: perform.attempt,
                call: None,
                cache: None,
                result: Some(Ok(output)),
            };
            return self.later(SignedDuration::ZERO, due);
        }
        let live = &self.runs[number];
        let path = live.shown(&of);
        let attempt = Attempt {
            run: live.id,
            path: &path,
            id: last_id(&of),
            index: item_index(&live.plan, &of),
            now: self.now,
            perform,
        };
        let Answer { after, reply } = self.world.answer(&attempt);
        let call = self.calls.len();
        self.calls.push(Call {
            at: self.since(self.now),
            step: path,
            attempt: perform.attempt,
            undo: perform.undo,
            cancelled: false,
            // A dry run only thinks of what would change the world.
            hidden: perform.example.is_some(),
            what: Called::Task(perform.task.clone()),
        });
        let cache = perform.cache.clone();
        let due = |result| Due {
            run: number,
            step: step.clone(),
            attempt: perform.attempt,
            call: Some(call),
            cache: cache.clone(),
            result,
        };
        match reply {
            Reply::Output(output) => self.later(after, due(Some(Ok(output)))),
            Reply::Error(error) => self.later(after, due(Some(Err(error)))),
            Reply::Fault(why) => self.fault = Some(why),
            Reply::Later => self.answers.begin(LATER, due(None)),
            Reply::Runs => {
                let caller = Caller {
                    run: number,
                    step: step.clone(),
                    attempt: perform.attempt,
                    call,
                };
                match self.start(number, &perform.task, caller) {
                    Ok(None) => {}
                    Ok(Some(started)) => self.later(SignedDuration::ZERO, due(Some(Ok(started)))),
                    Err(error) => self.later(SignedDuration::ZERO, due(Some(Err(*error)))),
                }
            }
        }
    }

    /// Nobody waits any more for what this step called before.
    fn disown(&mut self, number: usize, step: &str) {
        for live in &mut self.runs {
            if live
                .caller
                .as_ref()
                .is_some_and(|caller| caller.run == number && caller.step == step)
            {
                live.caller = None;
            }
        }
    }

    /// An earlier output that this attempt can use.
    fn kept(&self, number: usize, perform: &Perform) -> Option<Value> {
        let cache = perform.cache.as_ref()?;
        self.kept.find(
            &self.runs[number].workflow,
            last_id(&perform.step),
            cache,
            self.now,
        )
    }

    fn later(&mut self, after: SignedDuration, due: Due) {
        let at = self.now.checked_add(after).unwrap_or(Timestamp::MAX);
        self.answers.begin(at, due);
    }

    /// Starts a called workflow. With a value: nobody waits for it.
    fn start(&mut self, number: usize, task: &Task, caller: Caller) -> Result<Option<Value>, Box<StepError>> {
        let Task::Workflow { name, inputs, waits } = task else {
            return Err(Box::new(failure(
                "NotFound",
                "only a workflow step calls a workflow".to_owned(),
            )));
        };
        let depth = self.runs[number].depth + 1;
        if depth > CALL_DEPTH {
            let message =
                format!("runs call each other at most {CALL_DEPTH} deep: does `{name}` call itself?");
            return Err(Box::new(failure("LimitExceeded", message)));
        }
        let Some((plan, revision)) = self.world.workflow(name) else {
            return Err(Box::new(failure(
                "NotFound",
                format!("there is no workflow `{name}`"),
            )));
        };
        let inputs = plan
            .check_inputs(inputs)
            .map_err(|problems| Box::new(failure("InvalidInput", in_words(&problems))))?;
        let prefix = format!("{}/", self.runs[number].shown(&caller.step));
        let birth = Birth {
            plan,
            workflow: name,
            revision,
            inputs,
            prefix,
            caller: waits.then_some(caller),
            depth,
            heard_from: self.events.len(),
            now: self.now,
        };
        let live = Live::start(&self.scene, birth)
            .map_err(|error| Box::new(failure("Unavailable", error.to_string())))?;
        let id = live.id;
        self.join(live);
        Ok((!waits).then(|| json!({"run": id})))
    }

    /// A run begins beside the others.
    pub(super) fn join(&mut self, live: Live) {
        live.tell(self.world);
        let number = self.runs.len();
        self.runs.push(live);
        self.touch(number);
    }

    /// An answer is there.
    pub(super) fn answer(&mut self, due: Due) {
        if let (Some(cache), Some(Ok(output))) = (&due.cache, &due.result) {
            let workflow = &self.runs[due.run].workflow;
            self.kept
                .keep(workflow, last_id(&due.step), cache, output, self.now);
        }
        let run = &mut self.runs[due.run].run;
        let commands = match due.result {
            Some(Ok(output)) if due.call.is_none() => {
                run.attempt_cached(&due.step, due.attempt, output, self.now)
            }
            Some(Ok(output)) => run.attempt_succeeded(&due.step, due.attempt, output, self.now),
            Some(Err(error)) => run.attempt_failed(&due.step, due.attempt, error, self.now),
            None => run.attempt_cancelled(&due.step, due.attempt, self.now),
        };
        self.take(due.run, commands);
    }

    /// A run ended: whoever called it hears of it.
    fn finished(&mut self, number: usize, outcome: RunOutcome, error: Option<StepError>) {
        let Some(caller) = self.runs[number].caller.clone() else {
            return;
        };
        let outputs = self.runs[number].outputs.clone().unwrap_or_default();
        let aborted = self.runs[number].aborted;
        let parent = &mut self.runs[caller.run].run;
        let (step, attempt, now) = (&caller.step, caller.attempt, self.now);
        let commands = match outcome {
            RunOutcome::Succeeded => parent.attempt_succeeded(step, attempt, Value::Object(outputs), now),
            RunOutcome::Cancelled if aborted => parent.attempt_cancelled(step, attempt, now),
            RunOutcome::Cancelled => {
                let error = failure("Cancelled", "the called run was cancelled".to_owned());
                parent.attempt_failed(step, attempt, error, now)
            }
            RunOutcome::Failed => {
                let error = error.unwrap_or_else(|| failure("Stopped", "the called run failed".to_owned()));
                parent.attempt_failed(step, attempt, error, now)
            }
        };
        self.take(caller.run, commands);
    }

    /// Stops an attempt under way.
    fn abort(&mut self, number: usize, step: &str) {
        let child = self.runs.iter().position(|live| {
            let called = live.caller.as_ref();
            called.is_some_and(|caller| caller.run == number && caller.step == step)
                && !live.run.is_finished()
        });
        if let Some(child) = child {
            if let Some(caller) = &self.runs[child].caller {
                self.calls[caller.call].cancelled = true;
            }
            self.runs[child].aborted = true;
            let commands = self.runs[child].run.cancel("caller", self.now);
            return self.take(child, commands);
        }
        if let Some(((at, order), due)) = self.answers.take(number, step) {
            self.mark_cancelled(&due);
            if at == LATER {
                self.world.stop(self.runs[number].id, step);
            }
            self.answers.put((self.now, order), Due { result: None, ..due });
        }
    }

    /// Asks a container to end. It answers when it wants to.
    fn terminate(&mut self, number: usize, step: &str) {
        if let Some((place, due)) = self.answers.take(number, step) {
            self.mark_cancelled(&due);
            self.answers.put(place, due);
        }
    }

    fn mark_cancelled(&mut self, due: &Due) {
        if let Some(call) = due.call {
            self.calls[call].cancelled = true;
        }
    }

    /// A run listens: it hears what came since it began.
    fn listen(&mut self, number: usize, step: &str, event: &str) {
        let path = self.runs[number].shown(step);
        self.world.told(&News::Listens { path: &path, event });
        for heard in self.runs[number].heard_from..self.events.len() {
            if self.events[heard].event == event {
                let commands = self.runs[number].run.deliver(&self.events[heard], self.now);
                self.take(number, commands);
            }
        }
    }

    fn publish(&mut self, number: usize, publication: Publication) {
        let Publication {
            step,
            id,
            event,
            data,
        } = publication;
        self.calls.push(Call {
            at: self.since(self.now),
            step: self.runs[number].shown(&step),
            attempt: 1,
            undo: false,
            cancelled: false,
            hidden: self.scene.dry_run,
            what: Called::Emit {
                event: event.clone(),
                data: data.clone(),
            },
        });
        if self.scene.dry_run {
            return;
        }
        self.deliver(IncomingEvent {
            id,
            event,
            source: Some(format!("run/{}", self.runs[number].id)),
            time: self.now,
            data: Value::Object(data),
        });
    }

    /// An event of the tenant: every run hears it, and it may start others.
    pub(super) fn deliver(&mut self, event: IncomingEvent) {
        self.events.push(event);
        let number = self.events.len() - 1;
        for run in 0..self.runs.len() {
            if !self.runs[run].run.is_finished() {
                let commands = self.runs[run].run.deliver(&self.events[number], self.now);
                self.take(run, commands);
            }
        }
        self.trigger(number);
    }
}

pub(super) fn in_words(problems: &[Problem]) -> String {
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    words.join("; ")
}

fn failure(code: &str, message: String) -> StepError {
    StepError {
        code: code.to_owned(),
        message,
        ..StepError::default()
    }
}
