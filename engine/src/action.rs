//! Actions that are built in: what they take, give and do to the world. `runner` performs them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use flowpilot_crds::connector::Effect;
use serde_json::{Map, Value, json};

use crate::plan::PlanAction;
use crate::template::Targets;

/// What an action declares.
#[derive(Clone, Debug)]
pub struct Action {
    /// Name with its major version, such as `core/http@1`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// JSON Schema of `with`.
    pub input: Value,
    /// JSON Schema of the output.
    pub output: Value,
    /// What it does to the world, at worst.
    pub effect: Effect,
    /// It passes an idempotency key on.
    pub idempotency_key: bool,
    /// Runners perform it; others are declared, and can be compiled and simulated.
    pub is_performed: bool,
    /// What the texts of a template are for, where not plain text.
    pub templates: Targets,
}

impl Action {
    /// What this call does to the world.
    #[must_use]
    pub fn effect_of(&self, with: &Map<String, Value>) -> Effect {
        effect_of(self.name, self.effect, with)
    }
}

/// What a plan keeps of the built-in action of this name.
pub(crate) fn declaration(name: &str) -> Option<&'static PlanAction> {
    static DECLARATIONS: LazyLock<BTreeMap<&str, PlanAction>> = LazyLock::new(|| {
        let declare = |action: &Action| PlanAction {
            effect: action.effect,
            idempotency_key: action.idempotency_key,
            input: action.input.clone(),
            output: action.output.clone(),
            templates: BTreeMap::new(),
        };
        let actions = built_in().iter();
        actions.map(|action| (action.name, declare(action))).collect()
    });
    DECLARATIONS.get(name)
}

/// What a call does to the world, if the action does `effect` at worst: `core/http` with a literal `GET`, `HEAD` or
/// `OPTIONS` only reads.
pub(crate) fn effect_of(name: &str, effect: Effect, with: &Map<String, Value>) -> Effect {
    let method = with.get("method").map_or(Some("GET"), Value::as_str);
    match (name, method) {
        ("core/http@1", Some("GET" | "HEAD" | "OPTIONS")) => Effect::Read,
        _ => effect,
    }
}

/// Checks `with` of this built-in action.
pub(crate) fn input_validator(action: &Action) -> Option<&'static jsonschema::Validator> {
    static VALIDATORS: LazyLock<Vec<Option<jsonschema::Validator>>> = LazyLock::new(|| {
        built_in()
            .iter()
            .map(|action| crate::schema::compile(&action.input).ok())
            .collect()
    });
    let position = built_in().iter().position(|known| known.name == action.name)?;
    VALIDATORS.get(position)?.as_ref()
}

/// All built-in actions, sorted by name.
#[must_use]
pub fn built_in() -> &'static [Action] {
    static ACTIONS: LazyLock<Vec<Action>> = LazyLock::new(all);
    &ACTIONS
}

/// The built-in action of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Action> {
    built_in().iter().find(|action| action.name == name)
}

fn all() -> Vec<Action> {
    let mut actions = vec![http(), log(), table()];
    actions.extend(DECLARED.map(|(name, title, effect)| declared(name, title, effect)));
    actions.sort_by_key(|action| action.name);
    actions
}

/// Built-in actions whose input is not pinned down yet: they take and give anything.
const DECLARED: [(&str, &str, Effect); 13] = [
    ("ai/answer@1", "Answer from documents", Effect::Read),
    ("ai/classify@1", "Classify", Effect::Read),
    ("ai/extract@1", "Extract structured data", Effect::Read),
    ("ai/generate@1", "Generate content", Effect::Read),
    ("ai/sentiment@1", "Tell the sentiment", Effect::Read),
    ("ai/summarize@1", "Summarise", Effect::Read),
    ("ai/translate@1", "Translate", Effect::Read),
    ("core/email@1", "Send an e-mail", Effect::Irreversible),
    ("core/file-get@1", "Download a file", Effect::Read),
    ("core/file-put@1", "Upload a file", Effect::Write),
    ("core/notify@1", "Notify people of the tenant", Effect::Write),
    ("core/soap@1", "SOAP request", Effect::Write),
    ("core/webhook@1", "Call a webhook", Effect::Write),
];

fn declared(name: &'static str, title: &'static str, effect: Effect) -> Action {
    Action {
        name,
        title,
        input: json!({"type": "object"}),
        output: json!({}),
        effect,
        idempotency_key: false,
        is_performed: false,
        templates: Targets::default(),
    }
}

fn http() -> Action {
    let statuses = json!({"anyOf": [
        {"type": "string", "pattern": "^[1-5]xx$"},
        {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "integer", "minimum": 100, "maximum": 599}}]});
    Action {
        name: "core/http@1",
        title: "HTTP request",
        input: json!({
            "type": "object", "required": ["url"], "additionalProperties": false,
            "properties": {
                "method": {"enum": ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"], "default": "GET"},
                "url": {"type": "string", "minLength": 1, "maxLength": 8192},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 100},
                "query": {"type": "object", "maxProperties": 100,
                    "additionalProperties": {"type": ["string", "number", "boolean"]}},
                "json": {},
                "text": {"type": "string"},
                "form": {"type": "object", "maxProperties": 1000,
                    "additionalProperties": {"type": ["string", "number", "boolean"]}},
                "expect": {"type": "object", "additionalProperties": false, "properties": {"status": statuses}},
                "parse": {"enum": ["auto", "json", "text", "none"], "default": "auto"},
                "maxBytes": {"type": "integer", "minimum": 0, "maximum": 1_048_576},
                "followRedirects": {"type": "integer", "minimum": 0, "maximum": 10}
            }
        }),
        output: json!({
            "type": "object", "required": ["status", "headers"],
            "properties": {"status": {"type": "integer"},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}}, "body": {}}
        }),
        effect: Effect::Write,
        idempotency_key: true,
        is_performed: true,
        templates: Targets::default(),
    }
}

fn log() -> Action {
    Action {
        name: "core/log@1",
        title: "Write a log line",
        input: json!({
            "type": "object", "required": ["message"], "additionalProperties": false,
            "properties": {
                "level": {"enum": ["debug", "info", "warn", "error"], "default": "info"},
                "message": {"type": "string", "maxLength": 16384},
                "data": {}
            }
        }),
        output: json!({"type": "object"}),
        effect: Effect::None,
        idempotency_key: false,
        is_performed: true,
        templates: Targets::default(),
    }
}

fn table() -> Action {
    let expressions = json!({"type": "object", "minProperties": 1, "maxProperties": 100,
        "additionalProperties": {"type": "string", "maxLength": 4096}});
    Action {
        name: "core/table@1",
        title: "Select, filter, group and aggregate rows",
        input: json!({
            "type": "object", "required": ["data"], "additionalProperties": false,
            "properties": {
                "data": {"type": ["string", "array"]},
                "format": {"enum": ["csv", "jsonl", "json"]},
                "filter": {"type": "string", "maxLength": 4096},
                "select": expressions.clone(),
                "groupBy": {"type": "array", "minItems": 1, "maxItems": 10, "items": {"type": "string"}},
                "aggregate": expressions,
                "sortBy": {"type": "string"},
                "descending": {"type": "boolean", "default": false},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100_000}
            }
        }),
        output: json!({
            "type": "object", "required": ["rows", "count"], "additionalProperties": false,
            "properties": {"rows": {"type": "array", "items": {"type": "object", "additionalProperties": true}},
                "count": {"type": "integer"}}
        }),
        effect: Effect::None,
        idempotency_key: false,
        is_performed: true,
        templates: Targets::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_schema_compiles_and_every_name_is_found() {
        for action in built_in() {
            assert!(
                find(action.name).and_then(input_validator).is_some(),
                "{}",
                action.name
            );
        }
    }

    #[test]
    fn a_call_that_only_reads_is_known_by_its_literal_method() {
        let effect = |with: Value| find("core/http@1").unwrap().effect_of(with.as_object().unwrap());
        assert_eq!(effect(json!({})), Effect::Read);
        assert_eq!(effect(json!({"method": "POST"})), Effect::Write);
        assert_eq!(effect(json!({"method": "$(inputs.method)"})), Effect::Write);
    }
}
