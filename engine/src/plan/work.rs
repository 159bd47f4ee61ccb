//! What a step does.

use flowpilot_crds::connector::Effect;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expression::{Program, Tree};
use crate::template::With;

/// What a step does: one variant per kind of the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum Work {
    /// Computes values.
    Set { values: Tree },
    /// Performs an action. What this call does to the world may be less than what the action does at worst.
    Uses {
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        with: With,
        effect: Effect,
        idempotency_key: bool,
    },
    /// Runs a sandboxed program.
    Script { source: String, input: Tree },
    /// Runs an image.
    Container(ContainerWork),
    /// Calls another workflow of the tenant.
    Workflow {
        name: String,
        inputs: Tree,
        /// False: starts it and goes on.
        waits: bool,
    },
    /// Takes the first case whose condition is true.
    Switch {
        cases: Vec<Case>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
    },
    /// Runs its steps once per item.
    ForEach(ForEachWork),
    /// Runs its steps again and again.
    Loop(LoopWork),
    /// Runs its steps once.
    Group {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Tree>,
        /// Ends when one of its last steps succeeds.
        race: bool,
    },
    /// Lets time pass.
    Wait(WaitFor),
    /// Asks people.
    Approval(ApprovalWork),
    /// Publishes an event.
    Emit { event: String, data: Tree },
    /// Fails on purpose.
    Fail { code: String, message: Option<Tree> },
    /// Ends the run.
    Stop { succeeded: bool, message: Option<Tree> },
}

/// An image and what it is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContainerWork {
    pub(crate) image: String,
    pub(crate) command: Vec<String>,
    pub(crate) args: Vec<String>,
    /// A map of texts.
    pub(crate) env: Tree,
    /// Resources and files as the manifest has them.
    pub(crate) resources: Value,
    pub(crate) files: Value,
}

/// One case of a switch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) when: Program,
}

/// A block that runs once per item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForEachWork {
    pub(crate) items: Tree,
    pub(crate) max_parallel: u32,
    pub(crate) max_items: u32,
    /// Failed items do not stop the others.
    pub(crate) collects: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Tree>,
}

/// A block that repeats: exactly one of `before` and `after`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoopWork {
    /// `while`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Program>,
    /// `until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Program>,
    pub(crate) max_iterations: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delay: Option<Tree>,
    /// Maps of carried values.
    pub(crate) init: Tree,
    pub(crate) next: Tree,
}

/// What a wait waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum WaitFor {
    /// A duration.
    Duration(Tree),
    /// A time.
    Until(Tree),
    /// An event of the tenant.
    Event(EventWait),
}

/// The event that a wait takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventWait {
    pub(crate) event: String,
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub(crate) matches: Option<Program>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Tree>,
}

/// A question to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalWork {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<Tree>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Tree>,
    /// Lists of texts.
    pub(crate) groups: Tree,
    pub(crate) users: Tree,
    pub(crate) required: u32,
    pub(crate) form: Vec<FormField>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Tree>,
    /// Whoever started the run may vote.
    pub(crate) self_approval: bool,
}

/// A field of an approval's form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormField {
    /// Its name.
    pub name: String,
    /// `string`, `number`, `integer` or `boolean`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A vote without it is refused.
    pub required: bool,
    /// The only texts allowed; empty: any.
    pub options: Vec<String>,
}

impl Work {
    /// The word of the manifest.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Set { .. } => "set",
            Self::Uses { .. } => "uses",
            Self::Script { .. } => "script",
            Self::Container(_) => "container",
            Self::Workflow { .. } => "workflow",
            Self::Switch { .. } => "switch",
            Self::ForEach(_) => "forEach",
            Self::Loop(_) => "loop",
            Self::Group { .. } => "group",
            Self::Wait(_) => "wait",
            Self::Approval(_) => "approval",
            Self::Emit { .. } => "emit",
            Self::Fail { .. } => "fail",
            Self::Stop { .. } => "stop",
        }
    }

    /// Whether it is done outside of the machine, in attempts that are reported.
    pub(crate) fn is_performed(&self) -> bool {
        matches!(
            self,
            Self::Uses { .. } | Self::Script { .. } | Self::Container(_) | Self::Workflow { .. }
        )
    }

    /// Whether a block has an output.
    pub(crate) fn gives(&self) -> bool {
        match self {
            Self::ForEach(each) => each.result.is_some(),
            Self::Group { result, .. } => result.is_some(),
            _ => true,
        }
    }

    /// Everything in it that is computed.
    pub(crate) fn trees(&self) -> Vec<&Tree> {
        let mut trees = Vec::new();
        match self {
            Self::Set { values: tree }
            | Self::Script { input: tree, .. }
            | Self::Workflow { inputs: tree, .. }
            | Self::Emit { data: tree, .. }
            | Self::Wait(WaitFor::Duration(tree) | WaitFor::Until(tree)) => trees.push(tree),
            Self::Uses { with, .. } => trees.push(with),
            Self::Container(container) => trees.push(&container.env),
            Self::Switch { .. } => {}
            Self::ForEach(each) => {
                trees.push(&each.items);
                trees.extend(&each.result);
            }
            Self::Loop(turns) => {
                trees.extend([&turns.init, &turns.next]);
                trees.extend(&turns.delay);
            }
            Self::Group { result: tree, .. }
            | Self::Fail { message: tree, .. }
            | Self::Stop { message: tree, .. } => trees.extend(tree),
            Self::Wait(WaitFor::Event(event)) => trees.extend(&event.timeout),
            Self::Approval(approval) => {
                trees.extend([&approval.groups, &approval.users]);
                trees.extend(
                    [&approval.title, &approval.description, &approval.timeout]
                        .into_iter()
                        .flatten(),
                );
            }
        }
        trees
    }

    /// The conditions in it.
    pub(crate) fn conditions(&self) -> Vec<&Program> {
        match self {
            Self::Switch { cases, .. } => cases.iter().map(|case| &case.when).collect(),
            Self::Loop(turns) => turns.before.iter().chain(&turns.after).collect(),
            Self::Wait(WaitFor::Event(event)) => event.matches.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether other steps can be in it.
    pub(crate) fn is_block(&self) -> bool {
        matches!(self, Self::ForEach(_) | Self::Loop(_) | Self::Group { .. })
    }
}
