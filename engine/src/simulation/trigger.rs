//! How what happened becomes a run: which events a trigger takes, and the inputs that its mapping gives.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use snafu::Snafu;

use crate::expression::{Budget, Key, Map as ValueMap, Value, Variables};
use crate::plan::{Plan, PlanTrigger};
use crate::run::IncomingEvent;

/// What a mapping sees beside the trigger.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The tenant's variables.
    pub variables: &'a Map<String, Json>,
    /// The tenant's name.
    pub tenant: &'a str,
    /// The workflow's name.
    pub workflow: &'a str,
    /// Digest of its revision.
    pub revision: &'a str,
}

/// Why a trigger gives no inputs.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{message}"))]
pub struct TriggerError {
    /// The field of the manifest.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// The inputs that a trigger of the workflow gives. `trigger` has `id` and what is known of the call, such as `body`.
pub fn mapped_inputs(
    plan: &Plan,
    trigger: &Map<String, Json>,
    around: Around<'_>,
) -> Result<Map<String, Json>, TriggerError> {
    let id = trigger.get("id").and_then(Json::as_str).unwrap_or_default();
    let Some(number) = plan.triggers.iter().position(|known| known.id == id) else {
        let message = format!("the workflow has no trigger `{id}`");
        return Err(TriggerError {
            path: "spec.triggers".to_owned(),
            message,
        });
    };
    let mut scope = around.scope(plan);
    scope.set("trigger", seen(trigger, &plan.triggers[number].kind));
    let inputs = plan.triggers[number]
        .inputs
        .evaluate(&scope, &mut Budget::default());
    match inputs {
        Ok(Json::Object(inputs)) => Ok(inputs),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(TriggerError {
            path: format!("spec.triggers[{number}].inputs"),
            message: error.to_string(),
        }),
    }
}

/// The inputs of the runs that an event starts: one for each trigger of the workflow that takes it.
pub(super) fn started_by(
    plan: &Plan,
    event: &IncomingEvent,
    around: Around<'_>,
) -> Vec<Result<Map<String, Json>, TriggerError>> {
    let takes = |trigger: &&PlanTrigger| {
        trigger.event_type.as_deref() == Some(event.event.as_str()) && matches(plan, trigger, event, around)
    };
    let inputs = |trigger: &PlanTrigger| {
        let seen = json!({"id": trigger.id, "type": trigger.kind, "body": event.data});
        mapped_inputs(plan, seen.as_object().unwrap_or(&Map::new()), around)
    };
    plan.triggers.iter().filter(takes).map(inputs).collect()
}

/// An event that a condition cannot judge is passed over.
fn matches(plan: &Plan, trigger: &PlanTrigger, event: &IncomingEvent, around: Around<'_>) -> bool {
    let Some(condition) = &trigger.matches else {
        return true;
    };
    let mut scope = around.scope(plan);
    scope.set_json("event", &event.seen());
    let value = condition.evaluate(&scope, &mut Budget::default());
    value.is_ok_and(|value| value.as_bool() == Some(true))
}

impl Around<'_> {
    fn scope(self, plan: &Plan) -> Variables {
        let mut vars = self.variables.clone();
        vars.extend(
            plan.variables
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let mut scope = Variables::default();
        scope
            .set_json("vars", &Json::Object(vars))
            .set_json("tenant", &json!({"name": self.tenant}))
            .set_json(
                "workflow",
                &json!({"name": self.workflow, "revision": self.revision}),
            );
        scope
    }
}

/// What expressions see: times are times.
fn seen(trigger: &Map<String, Json>, kind: &str) -> Value {
    let key = |name: &str| Key::String(name.into());
    let mut fields: Vec<(Key, Value)> = trigger
        .iter()
        .map(|(name, value)| {
            let time = value.as_str().filter(|_| name == "scheduledAt");
            let time = time.and_then(|text| text.parse::<Timestamp>().ok());
            (
                key(name),
                time.map_or_else(|| Value::from_json(value), Value::Timestamp),
            )
        })
        .collect();
    if !trigger.contains_key("type") {
        fields.push((key("type"), Value::String(kind.into())));
    }
    ValueMap::new(fields).map_or(Value::Null, |map| Value::Map(Arc::new(map)))
}
