//! What the machine asks of whoever drives it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::action::Effect;
use crate::journal::{Event, RunOutcome, StepError};
use crate::plan::FormField;

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Append to the journal; the machine knows it already.
    Record(Event),
    /// Perform an attempt. Its `StepStarted` was recorded just before.
    Perform(Perform),
    /// Ask people. What comes back goes to [`super::Run::vote`].
    Ask(Question),
    /// Listen for events of a type; what came since the run began, and what comes, goes to [`super::Run::deliver`], in
    /// its order: what was there before anything that the same decision publishes.
    Listen {
        /// Path of the step.
        step: String,
        /// Type of the event.
        event: String,
    },
    /// Publish an event, once: the id is the same whenever it is asked again.
    Publish(Publication),
    /// Stop a running attempt and report its end: [`super::Run::attempt_cancelled`], or how it really ended. A
    /// report about an attempt that the machine ended itself (a timeout) is ignored, but must not come any more once
    /// [`Command::Perform`] asks for the step again: in a group that is tried again the numbers begin at 1 anew.
    Abort {
        /// Path of the step.
        step: String,
    },
    /// Ask a running container to end (SIGTERM): its answer still counts. [`Command::Abort`] follows if it takes too
    /// long.
    Terminate {
        /// Path of the step.
        step: String,
    },
    /// The run is over. Its `RunFinished` was recorded just before.
    Finish {
        /// How.
        outcome: RunOutcome,
        /// What it gave.
        outputs: Option<Map<String, Value>>,
        /// Why it failed.
        error: Option<StepError>,
    },
}

/// An attempt of something that happens outside of the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Perform {
    /// Path of the step.
    pub step: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// When it began.
    pub at: Timestamp,
    /// It takes the step back. Reports name the path with `.undo` at its end.
    pub undo: bool,
    /// What to do.
    pub task: Task,
    /// What it does to the world.
    pub effect: Effect,
    /// `<run>:<step path>`: the same for every attempt, another one for the undo, and for what a group took back
    /// and does again.
    pub idempotency_key: String,
    /// When the attempt is over at the latest. The machine ends it then, by itself, with `Timeout`.
    pub deadline: Option<Timestamp>,
    /// How many attempts there are at most.
    pub max_attempts: u32,
    /// The RunnerClass that the step names.
    pub runner_class: Option<String>,
    /// Nothing of the task or its answer is shown or logged.
    pub sensitive: bool,
    /// An earlier output will do: look it up first, and answer with [`super::Run::attempt_cached`].
    pub cache: Option<CacheUse>,
    /// In a dry run: what to answer instead of performing it. Absent: it is performed.
    pub example: Option<Value>,
}

/// Reuse of an earlier output of the same step of the workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheUse {
    /// What the output depends on.
    pub key: String,
    /// How long an output can be used, in milliseconds.
    pub ttl_ms: u64,
}

/// What an attempt does. Everything is evaluated and checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// An action, with its input.
    Action {
        /// Name and major version.
        action: String,
        /// The Connection it uses.
        connection: Option<String>,
        /// Its input.
        with: Map<String, Value>,
    },
    /// A sandboxed program.
    Script {
        /// Its text.
        source: String,
        /// What it sees as `input`.
        input: Map<String, Value>,
    },
    /// A container.
    Container {
        /// The image.
        image: String,
        /// Replaces the entry point.
        command: Vec<String>,
        /// Arguments.
        args: Vec<String>,
        /// Environment.
        env: Map<String, Value>,
        /// Resources, as the manifest has them.
        resources: Value,
        /// Files that it leaves, by name.
        files: Value,
    },
    /// A run of another workflow. Its answer is the outputs; with `waits` false it is `{"run": id}`.
    Workflow {
        /// Its name.
        name: String,
        /// Its inputs.
        inputs: Map<String, Value>,
        /// Whether the step waits for its end.
        waits: bool,
    },
}

/// A question to people.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Path of the step.
    pub step: String,
    /// What is asked.
    pub title: Option<String>,
    /// What people should know.
    pub description: Option<String>,
    /// Groups whose members may decide. Empty, with `users` empty: whoever has the right to approve.
    pub groups: Vec<String>,
    /// People who may decide.
    pub users: Vec<String>,
    /// How many different people must approve.
    pub required: u32,
    /// Fields to fill in.
    pub form: Vec<FormField>,
    /// When it expires.
    pub until: Option<Timestamp>,
    /// Whether whoever started the run may vote.
    pub self_approval: bool,
}

/// An event to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// Path of the step.
    pub step: String,
    /// Identity of the event.
    pub id: String,
    /// Its type.
    pub event: String,
    /// Its data.
    pub data: Map<String, Value>,
}
