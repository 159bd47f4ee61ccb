//! How what happened becomes the inputs of a run: the mapping of a trigger.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use snafu::Snafu;

use crate::expression::{Budget, Key, Map as ValueMap, Value, Variables};
use crate::plan::Plan;

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
    variables: &Map<String, Json>,
) -> Result<Map<String, Json>, TriggerError> {
    let id = trigger.get("id").and_then(Json::as_str).unwrap_or_default();
    let Some(number) = plan.triggers.iter().position(|known| known.id == id) else {
        let message = format!("the workflow has no trigger `{id}`");
        return Err(TriggerError {
            path: "spec.triggers".to_owned(),
            message,
        });
    };
    let mut vars = variables.clone();
    vars.extend(
        plan.variables
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let mut scope = Variables::default();
    scope.set("trigger", seen(trigger, &plan.triggers[number].kind));
    scope.set_json("vars", &Json::Object(vars));
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
