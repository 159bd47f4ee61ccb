//! What a place asks for, against what an expression gives.

use serde_json::Value;

use super::super::Problems;
use super::environment::Seen;
use crate::expression::Text;
use crate::expression::types::{Type, may_satisfy};

/// Whether some value of the type passes; of an optional, what is in it.
pub(super) fn may_be(type_: &Type, passes: &dyn Fn(&Type) -> bool) -> bool {
    match type_ {
        Type::Dyn => true,
        Type::AnyOf(several) => several.iter().any(|one| may_be(one, passes)),
        Type::Optional(inner) => may_be(inner, passes),
        one => passes(one),
    }
}

/// Checks an expression that stands alone, and so keeps its type, against the part of a schema that describes it.
pub(super) fn lone(
    text: &Text,
    pointer: &str,
    schema: &Value,
    environment: &Seen<'_>,
    path: &str,
    problems: &mut Problems,
) {
    if !text.is_lone() {
        return;
    }
    let Some(part) = at(schema, pointer) else { return };
    let (type_, _) = text.check(environment);
    if !may_satisfy(&type_, part) {
        let wanted = wanted(part);
        let message = format!(
            "{wanted} is asked for, and {} gives {type_}",
            text.source().trim()
        );
        problems.error("InvalidInput", path, message);
    }
}

/// The part of a schema that describes what lies at a pointer, as far as it can be found without choices.
fn at<'a>(schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut schema = schema;
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        let is_index = !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_digit());
        let own = schema
            .get("properties")
            .and_then(|properties| properties.get(&name));
        let more = || {
            schema
                .get("additionalProperties")
                .filter(|more| more.is_object() && schema.get("patternProperties").is_none())
        };
        let items = || {
            schema
                .get("items")
                .filter(|_| is_index && schema.get("prefixItems").is_none())
        };
        schema = own.or_else(more).or_else(items)?;
    }
    Some(schema)
}

fn wanted(schema: &Value) -> String {
    match (schema.get("type"), schema.get("enum")) {
        (Some(Value::String(name)), _) => article(name),
        (Some(Value::Array(names)), _) => {
            let names: Vec<String> = names.iter().filter_map(Value::as_str).map(article).collect();
            names.join(" or ")
        }
        (_, Some(Value::Array(values))) => {
            let values: Vec<String> = values.iter().take(8).map(Value::to_string).collect();
            format!("one of {}", values.join(", "))
        }
        _ => "another value".to_owned(),
    }
}

fn article(name: &str) -> String {
    match name {
        "integer" | "array" | "object" => format!("an {name}"),
        "null" => "null".to_owned(),
        _ => format!("a {name}"),
    }
}
