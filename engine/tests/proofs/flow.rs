//! A workflow as the checks know it: what it is made of and what its conditions will say, without the engine.

use serde_json::{Map, Value, json};

/// A workflow.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) steps: Vec<Step>,
    /// Seconds.
    pub(crate) timeout: i64,
    pub(crate) outputs: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) block: Option<usize>,
    pub(crate) needs: Vec<Need>,
    pub(crate) when: Option<Condition>,
    pub(crate) kind: Kind,
    /// Seconds.
    pub(crate) timeout: Option<i64>,
    pub(crate) retry: Option<Retry>,
    pub(crate) undo: Option<Action>,
    pub(crate) cache: bool,
    pub(crate) budget: bool,
    pub(crate) sensitive: bool,
}

/// The edges of one step on another one.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    pub(crate) step: usize,
    pub(crate) edges: Vec<Edge>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Succeeded,
    Failed,
    Done,
    Named { name: &'static str, failure: bool },
}

/// A condition whose answer can be told beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition {
    Always(bool),
    /// Of an input that is 1.
    InputIs(i64),
    /// Of the number of the innermost item.
    IndexIsEven,
    /// It cannot be judged.
    Broken,
}

#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) attempts: u32,
    /// Seconds: the longest pause.
    pub(crate) longest: i64,
    pub(crate) codes: Option<Vec<&'static str>>,
}

/// Actions that differ in what may be done twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Does nothing to the world.
    Log,
    Get,
    /// Writes, under a key.
    Post,
    /// Writes without a key.
    Put,
    /// Cannot be taken back, and has no key.
    Mail,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Uses(Action),
    /// A call whose input cannot be computed.
    UsesBroken,
    Set {
        broken: bool,
    },
    Script,
    Container,
    Workflow {
        waits: bool,
    },
    Switch {
        cases: Vec<(&'static str, Condition)>,
        default: Option<&'static str>,
    },
    ForEach {
        items: usize,
        parallel: Option<usize>,
        collect: bool,
        result: Gives,
    },
    Loop {
        turns: Turns,
        most: usize,
        delay: i64,
    },
    Group {
        race: bool,
        result: Gives,
    },
    WaitFor(i64),
    /// Seconds since the epoch.
    WaitUntil(i64),
    Event {
        kind: &'static str,
        matches: Option<bool>,
        timeout: Option<i64>,
    },
    Approval {
        required: usize,
        timeout: Option<i64>,
        self_approval: bool,
    },
    Emit(&'static str),
    Fail,
    Stop {
        well: bool,
    },
}

/// What a block gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    Nothing,
    Something,
    Error,
}

/// When a loop is over: asked before turns or after them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turns {
    While(usize),
    Until(usize),
}

impl Kind {
    pub(crate) fn is_block(&self) -> bool {
        matches!(
            self,
            Self::ForEach { .. } | Self::Loop { .. } | Self::Group { .. }
        )
    }

    /// Hands outside of the machine do it.
    pub(crate) fn is_performed(&self) -> bool {
        matches!(
            self,
            Self::Uses(_) | Self::UsesBroken | Self::Script | Self::Container | Self::Workflow { .. }
        )
    }

    /// It ends at once when its block does.
    pub(crate) fn is_harmless(&self) -> bool {
        match self {
            Self::Uses(action) => action.is_harmless(),
            Self::Container => false,
            _ => true,
        }
    }

    /// What may have happened may happen again.
    pub(crate) fn is_safe(&self) -> bool {
        match self {
            Self::Uses(action) => action.is_harmless() || *action == Action::Post,
            _ => true,
        }
    }

    /// Outcomes that have a name, and whether they are failures.
    pub(crate) fn outcomes(&self) -> Vec<(&'static str, bool)> {
        match self {
            Self::Switch { cases, default } => cases
                .iter()
                .map(|(name, _)| *name)
                .chain(*default)
                .map(|name| (name, false))
                .collect(),
            Self::ForEach { collect: true, .. } => vec![("partial", false)],
            Self::Approval { timeout, .. } => {
                let mut all = vec![("approved", false), ("rejected", true)];
                all.extend(timeout.map(|_| ("expired", true)));
                all
            }
            Self::Event { timeout: Some(_), .. } => vec![("expired", true)],
            _ => Vec::new(),
        }
    }
}

impl Action {
    pub(crate) fn is_harmless(self) -> bool {
        matches!(self, Self::Log | Self::Get)
    }

    fn call(self) -> Value {
        match self {
            Self::Log => json!({"uses": "core/log@1", "with": {"message": "x"}}),
            Self::Get => json!({"uses": "core/http@1", "with": {"url": "http://x.test"}}),
            Self::Post => json!({"uses": "core/http@1", "with": {"url": "http://x.test", "method": "POST"}}),
            Self::Put => json!({"uses": "core/file-put@1", "with": {"name": "$(run.id)"}}),
            Self::Mail => json!({"uses": "core/email@1", "with": {"to": "a@x.test"}}),
        }
    }
}

impl Condition {
    fn text(self) -> String {
        match self {
            Self::Always(answer) => answer.to_string(),
            Self::InputIs(number) => format!("inputs.n == {number}"),
            Self::IndexIsEven => "index % 2 == 0".to_owned(),
            Self::Broken => "1 / (inputs.n - 1) == 1".to_owned(),
        }
    }

    /// Its answer, in an item of this number. Nothing: it is an error.
    pub(crate) fn answer(self, index: Option<usize>) -> Option<bool> {
        match self {
            Self::Always(answer) => Some(answer),
            Self::InputIs(number) => Some(number == 1),
            Self::IndexIsEven => Some(index.is_some_and(|index| index.is_multiple_of(2))),
            Self::Broken => None,
        }
    }
}

impl Edge {
    fn of(&self, id: &str) -> String {
        match self {
            Self::Succeeded => id.to_owned(),
            Self::Failed => format!("{id}.failed"),
            Self::Done => format!("{id}.done"),
            Self::Named { name, .. } => format!("{id}.{name}"),
        }
    }
}

impl Flow {
    /// The spec as an object.
    pub(crate) fn spec(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(|step| self.step(step)).collect();
        let mut spec = json!({
            "inputs": [{"name": "n", "type": "integer", "default": 1}],
            "timeout": format!("{}s", self.timeout), "steps": steps
        });
        if self.outputs {
            spec["outputs"] = json!({"n": "$(inputs.n)"});
        }
        spec
    }

    /// The manifest as people read it: a step per line, in the JSON that YAML is, too.
    pub(crate) fn manifest(&self) -> String {
        let spec = self.spec();
        let mut text = format!(
            "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {{name: seeded}}\nspec:\n  inputs: {}\n  timeout: {}\n",
            spec["inputs"],
            self.timeout_text()
        );
        if self.outputs {
            text.push_str(&format!("  outputs: {}\n", spec["outputs"]));
        }
        text.push_str("  steps:\n");
        for step in spec["steps"].as_array().into_iter().flatten() {
            text.push_str(&format!("  - {step}\n"));
        }
        text
    }

    fn timeout_text(&self) -> String {
        format!("{}s", self.timeout)
    }

    fn step(&self, step: &Step) -> Value {
        let mut object = Map::new();
        object.insert("id".to_owned(), json!(step.id));
        if let Some(block) = step.block {
            object.insert("in".to_owned(), json!(self.steps[block].id));
        }
        let needs = step.needs.iter().flat_map(|need| {
            let id = &self.steps[need.step].id;
            need.edges.iter().map(move |edge| edge.of(id))
        });
        let needs: Vec<String> = needs.collect();
        if !needs.is_empty() {
            object.insert("needs".to_owned(), json!(needs));
        }
        if let Some(when) = step.when {
            object.insert("when".to_owned(), json!(when.text()));
        }
        if let Value::Object(kind) = kind(&step.kind) {
            object.extend(kind);
        }
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        if let Some(timeout) = step.timeout {
            put("timeout", json!(format!("{timeout}s")));
        }
        if let Some(retry) = &step.retry {
            let mut value = json!({"attempts": retry.attempts, "backoff": "1s", "maxBackoff": format!("{}s", retry.longest)});
            if let Some(codes) = &retry.codes {
                value["codes"] = json!(codes);
            }
            put("retry", value);
        }
        if let Some(undo) = step.undo {
            put("undo", undo.call());
        }
        if step.cache {
            put("cache", json!({"key": "$(run.id)", "ttl": "1h"}));
        }
        if step.budget {
            put("budget", json!({"usd": "0.50"}));
        }
        if step.sensitive {
            put("sensitive", json!(true));
        }
        Value::Object(object)
    }
}

fn kind(kind: &Kind) -> Value {
    let seconds = |seconds: &i64| format!("{seconds}s");
    let give = |mut block: Value, gives: Gives, what: &str| {
        match gives {
            Gives::Nothing => {}
            Gives::Something => block["result"] = json!(what),
            Gives::Error => block["result"] = json!("$(1 / (inputs.n - 1))"),
        }
        block
    };
    match kind {
        Kind::Uses(action) => action.call(),
        Kind::UsesBroken => {
            json!({"uses": "core/log@1", "with": {"message": "$(string(1 / (inputs.n - 1)))"}})
        }
        Kind::Set { broken: true } => json!({"set": {"x": "$(1 / (inputs.n - 1))"}}),
        Kind::Set { broken: false } => json!({"set": {"x": "$(run.id)", "y": "$(now())"}}),
        Kind::Script => json!({"script": {"source": "return {}", "input": {"n": "$(inputs.n)"}}}),
        Kind::Container => json!({"container": {"image": "x/y:1", "env": {"N": "$(inputs.n)"}}}),
        Kind::Workflow { waits } => json!({"workflow": {"name": "other", "inputs": {}, "await": waits}}),
        Kind::Switch { cases, default } => {
            let cases: Vec<Value> = cases
                .iter()
                .map(|(name, when)| json!({"name": name, "when": when.text()}))
                .collect();
            let mut value = json!({"cases": cases});
            if let Some(default) = default {
                value["default"] = json!(default);
            }
            json!({"switch": value})
        }
        Kind::ForEach {
            items,
            parallel,
            collect,
            result,
        } => {
            let mut value = json!({"items": (0..*items).collect::<Vec<_>>()});
            if let Some(parallel) = parallel {
                value["maxParallel"] = json!(parallel);
            }
            if *collect {
                value["onItemError"] = json!("Collect");
            }
            json!({"forEach": give(value, *result, "$(index)")})
        }
        Kind::Loop { turns, most, delay } => {
            let mut value = json!({"maxIterations": most, "init": {"n": 0}, "next": {"n": "$(turn.n + 1)"}});
            match turns {
                Turns::While(end) => value["while"] = json!(format!("turn.n < {end}")),
                Turns::Until(end) => value["until"] = json!(format!("turn.n >= {end}")),
            }
            if *delay > 0 {
                value["delay"] = json!(seconds(delay));
            }
            json!({"loop": value})
        }
        Kind::Group { race, result } => {
            let value = if *race { json!({"race": true}) } else { json!({}) };
            json!({"group": give(value, *result, "$(inputs.n)")})
        }
        Kind::WaitFor(duration) => json!({"wait": {"duration": seconds(duration)}}),
        Kind::WaitUntil(time) => {
            let time = jiff::Timestamp::from_second(*time).unwrap_or_default();
            json!({"wait": {"until": time.to_string()}})
        }
        Kind::Event {
            kind,
            matches,
            timeout,
        } => {
            let mut value = json!({"type": kind});
            if let Some(matches) = matches {
                value["match"] = json!(format!("event.data.good == {matches}"));
            }
            if let Some(timeout) = timeout {
                value["timeout"] = json!(seconds(timeout));
            }
            json!({"wait": {"event": value}})
        }
        Kind::Approval {
            required,
            timeout,
            self_approval,
        } => {
            let mut value = json!({"groups": ["managers"], "required": required});
            if let Some(timeout) = timeout {
                value["timeout"] = json!(seconds(timeout));
            }
            if !self_approval {
                value["selfApproval"] = json!("Deny");
            }
            json!({"approval": value})
        }
        Kind::Emit(kind) => json!({"emit": {"type": kind, "data": {"good": true}}}),
        Kind::Fail => json!({"fail": {"code": "No", "message": "no"}}),
        Kind::Stop { well } => json!({"stop": {"status": if *well { "Succeeded" } else { "Failed" }}}),
    }
}
