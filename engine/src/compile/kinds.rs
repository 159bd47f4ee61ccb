//! Kinds of steps: exactly one per step, and which common fields go with it.

use flowpilot_crds::workflow::Step;

use super::Problems;

/// What a step does, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uses,
    Set,
    Script,
    Container,
    Workflow,
    Switch,
    ForEach,
    Loop,
    Group,
    Wait,
    Approval,
    Emit,
    Fail,
    Stop,
}

impl Kind {
    const ALL: [Self; 14] = [
        Self::Uses,
        Self::Set,
        Self::Script,
        Self::Container,
        Self::Workflow,
        Self::Switch,
        Self::ForEach,
        Self::Loop,
        Self::Group,
        Self::Wait,
        Self::Approval,
        Self::Emit,
        Self::Fail,
        Self::Stop,
    ];

    /// The word of the manifest.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Uses => "uses",
            Self::Set => "set",
            Self::Script => "script",
            Self::Container => "container",
            Self::Workflow => "workflow",
            Self::Switch => "switch",
            Self::ForEach => "forEach",
            Self::Loop => "loop",
            Self::Group => "group",
            Self::Wait => "wait",
            Self::Approval => "approval",
            Self::Emit => "emit",
            Self::Fail => "fail",
            Self::Stop => "stop",
        }
    }

    pub(super) const fn is_block(self) -> bool {
        matches!(self, Self::ForEach | Self::Loop | Self::Group)
    }

    fn is_set(self, step: &Step) -> bool {
        match self {
            Self::Uses => step.uses.is_some(),
            Self::Set => step.set.is_some(),
            Self::Script => step.script.is_some(),
            Self::Container => step.container.is_some(),
            Self::Workflow => step.workflow.is_some(),
            Self::Switch => step.switch.is_some(),
            Self::ForEach => step.for_each.is_some(),
            Self::Loop => step.loop_.is_some(),
            Self::Group => step.group.is_some(),
            Self::Wait => step.wait.is_some(),
            Self::Approval => step.approval.is_some(),
            Self::Emit => step.emit.is_some(),
            Self::Fail => step.fail.is_some(),
            Self::Stop => step.stop.is_some(),
        }
    }

    /// Every kind that a step names.
    pub(super) fn named(step: &Step) -> impl Iterator<Item = Self> + '_ {
        Self::ALL.into_iter().filter(|kind| kind.is_set(step))
    }

    /// The kind of a step; the first one if it names several.
    pub(super) fn of(step: &Step) -> Option<Self> {
        Self::named(step).next()
    }
}

/// Exactly one kind, and no field that its kind does not have.
pub(super) fn check(step: &Step, path: &str, problems: &mut Problems) {
    let kinds: Vec<Kind> = Kind::named(step).collect();
    match kinds.as_slice() {
        [] => {
            let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
            let message = format!(
                "step {} does nothing: it needs one of {}",
                step.id,
                words.join(", ")
            );
            problems.error("NoKind", path, message);
        }
        [kind] => fields(step, *kind, path, problems),
        [first, rest @ ..] => {
            let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
            let message = format!(
                "a step is of exactly one kind, and {} has {}: split it",
                step.id,
                words.join(", ")
            );
            let second = rest.first().unwrap_or(first).word();
            problems.error("SeveralKinds", format!("{path}.{second}"), message);
        }
    }
}

fn fields(step: &Step, kind: Kind, path: &str, problems: &mut Problems) {
    use Kind::{Container, Fail, ForEach, Group, Loop, Script, Stop, Switch, Uses, Workflow};
    let works = matches!(kind, Uses | Script | Container | Workflow);
    let is_ai = step.uses.as_deref().is_some_and(|uses| uses.starts_with("ai/"));
    // Name, whether it is there, whether it may be, where it may be.
    let table = [
        ("with", !step.with.is_empty(), kind == Uses, "uses"),
        ("connection", step.connection.is_some(), kind == Uses, "uses"),
        (
            "timeout",
            step.timeout.is_some(),
            works || matches!(kind, Group | ForEach | Loop),
            "uses, script, container, workflow, group, forEach and loop",
        ),
        (
            "retry",
            step.retry.is_some(),
            works || kind == Group,
            "uses, script, container, workflow and group",
        ),
        (
            "undo",
            step.undo.is_some(),
            works,
            "uses, script, container and workflow",
        ),
        (
            "cache",
            step.cache.is_some(),
            matches!(kind, Uses | Script),
            "script and actions that only read",
        ),
        (
            "sensitive",
            step.sensitive.is_some(),
            !matches!(kind, Switch | Fail | Stop),
            "what can have an output",
        ),
        (
            "budget",
            step.budget.is_some(),
            is_ai || matches!(kind, Workflow | Group),
            "AI actions, workflow and group",
        ),
        (
            "runnerClass",
            step.runner_class.is_some(),
            matches!(kind, Uses | Script | Container),
            "uses, script and container",
        ),
    ];
    for (name, _, _, where_) in table.into_iter().filter(|(_, there, may, _)| *there && !may) {
        let own = match kind {
            Kind::Wait if name == "timeout" => ": it has a timeout of its own in wait.event",
            Kind::Approval if name == "timeout" => ": it has a timeout of its own in approval.timeout",
            _ => "",
        };
        let word = kind.word();
        let message = format!("{name} is not allowed on {word}{own}: it belongs to {where_}");
        problems.error("FieldNotAllowed", format!("{path}.{name}"), message);
    }
}
