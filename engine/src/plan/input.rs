//! What a run is given: declaration, schema, check.

use flowpilot_crds::unknown_fields::nearest;
use flowpilot_crds::workflow::InputType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Plan;
use crate::problem::Problem;
use crate::schema;
use crate::size::{is_too_deep, json_size};

/// The most that all inputs of a run may weigh together, in bytes of JSON: they are one event of the journal.
const INPUT_BYTES: usize = 1024 * 1024;

/// One declared input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanInput {
    /// Read as `inputs.<name>`.
    pub name: String,
    /// JSON type of the value.
    #[serde(rename = "type")]
    pub type_: InputType,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Help for whoever fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A run without it is refused.
    #[serde(default)]
    pub required: bool,
    /// Used when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// JSON Schema that the value must satisfy, beside its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

impl PlanInput {
    /// Its type and its schema in one JSON Schema.
    #[must_use]
    pub fn full_schema(&self) -> Value {
        let mut full = self
            .schema
            .as_ref()
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        full.entry("type").or_insert_with(|| json!(self.type_.as_str()));
        for (name, text) in [("title", &self.title), ("description", &self.description)] {
            if let Some(text) = text {
                full.entry(name).or_insert_with(|| json!(text));
            }
        }
        if let Some(default) = &self.default {
            full.insert("default".to_owned(), default.clone());
        }
        Value::Object(full)
    }

    /// A value for it, checked; numbers get the type that the schema names.
    pub(crate) fn check(&self, value: &Value, path: &str) -> Result<Value, Vec<Problem>> {
        let full = self.full_schema();
        let validator =
            schema::compile(&full).map_err(|why| vec![Problem::error("InvalidSchema", path, why)])?;
        let found = schema::violations(&validator, value, path);
        if found.is_empty() {
            let mut value = value.clone();
            schema::type_numbers(&full, &mut value);
            return Ok(value);
        }
        Err(found
            .into_iter()
            .map(|violation| violation.problem("InvalidInput"))
            .collect())
    }
}

impl Plan {
    /// One JSON Schema of all inputs, for forms and API descriptions.
    #[must_use]
    pub fn input_schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .inputs
            .iter()
            .map(|input| (input.name.clone(), input.full_schema()))
            .collect();
        let required: Vec<&str> = self
            .inputs
            .iter()
            .filter(|input| input.required)
            .map(|input| input.name.as_str())
            .collect();
        let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    /// Checks given inputs and completes them with defaults: null for an optional one means not given, an
    /// undeclared one is refused. Every problem at once, with paths like `inputs.x`.
    pub fn check_inputs(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut checked = Map::new();
        for name in given.keys() {
            if !self.inputs.iter().any(|input| input.name == *name) {
                let suggestion = nearest(name, self.inputs.iter().map(|input| input.name.as_str()));
                let message = format!("the workflow has no input {name}");
                problems.push(
                    Problem::error("UnknownInput", format!("inputs.{name}"), message).suggesting(suggestion),
                );
            }
        }
        for input in &self.inputs {
            let path = format!("inputs.{}", input.name);
            let value = given
                .get(&input.name)
                .filter(|value| input.required || !value.is_null());
            match value.or(input.default.as_ref()) {
                Some(value) if is_too_deep(value) => {
                    problems.push(Problem::error("LimitExceeded", path, "the value nests too deep"));
                }
                Some(value) => match input.check(value, &path) {
                    Ok(value) => {
                        checked.insert(input.name.clone(), value);
                    }
                    Err(found) => problems.extend(found),
                },
                None if input.required => {
                    let message = format!("the input {} is required", input.name);
                    problems.push(Problem::error("MissingInput", path, message));
                }
                None => {}
            }
        }
        if json_size(&checked) > INPUT_BYTES {
            let message =
                format!("the inputs are larger than {INPUT_BYTES} bytes together: pass a reference instead");
            problems.push(Problem::error("LimitExceeded", "inputs", message));
        }
        if problems.is_empty() {
            Ok(checked)
        } else {
            Err(problems)
        }
    }
}
