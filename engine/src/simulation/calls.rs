//! What left the engine.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::run::Task;

/// Something that left the engine.
#[derive(Clone, Debug)]
pub struct Call {
    /// When, since the start.
    pub at: SignedDuration,
    /// Path of the step; of a called workflow's step with the caller's path before it.
    pub step: String,
    /// The number of the attempt.
    pub attempt: u32,
    /// It took the step back.
    pub undo: bool,
    /// It was stopped before it answered.
    pub cancelled: bool,
    /// Only thought of, in a dry run: nothing left the engine.
    pub hidden: bool,
    /// What was asked for.
    pub what: Called,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub enum Called {
    /// An attempt.
    Task(Task),
    /// An event was published.
    Emit {
        /// Its type.
        event: String,
        /// Its data.
        data: Map<String, Value>,
    },
    /// People were asked.
    Approval {
        /// What they were asked.
        title: Option<String>,
        /// What they should know.
        description: Option<String>,
    },
}

impl Called {
    /// The word of the manifest.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Task(Task::Action { .. }) => "uses",
            Self::Task(Task::Script { .. }) => "script",
            Self::Task(Task::Container { .. }) => "container",
            Self::Task(Task::Workflow { .. }) => "workflow",
            Self::Emit { .. } => "emit",
            Self::Approval { .. } => "approval",
        }
    }
}

impl Call {
    /// All of it as a document: the fields of its kind beside those that every call has. `at` is not among them.
    #[must_use]
    pub fn document(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("step", json!(self.step));
        put("attempt", json!(self.attempt));
        put("undo", json!(self.undo));
        put("cancelled", json!(self.cancelled));
        put("kind", json!(self.what.kind()));
        match &self.what {
            Called::Task(Task::Action {
                action,
                connection,
                with,
            }) => {
                put("uses", json!(action));
                if let Some(connection) = connection {
                    put("connection", json!(connection));
                }
                put("with", json!(with));
            }
            Called::Task(Task::Script { input, .. }) => {
                put("input", json!(input));
            }
            Called::Task(Task::Container {
                image,
                command,
                args,
                env,
                ..
            }) => {
                put("image", json!(image));
                put("command", json!(command));
                put("args", json!(args));
                put("env", json!(env));
            }
            Called::Task(Task::Workflow { name, inputs, .. }) => {
                put("workflow", json!(name));
                put("inputs", json!(inputs));
            }
            Called::Emit { event, data } => {
                put("emit", json!({"type": event, "data": data}));
            }
            Called::Approval { title, description } => {
                if let Some(title) = title {
                    put("title", json!(title));
                }
                if let Some(description) = description {
                    put("description", json!(description));
                }
            }
        }
        fields
    }
}
