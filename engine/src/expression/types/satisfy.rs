//! Whether a value of a type can be what a JSON Schema asks for.

use super::{Object, Type};
use serde_json::{Map, Value as Json};

/// How deep schemas are followed; below, anything may be.
const DEPTH: usize = 16;

/// Whether a value of this type can satisfy the schema. False only when it certainly cannot; of a list, when its
/// elements cannot.
#[must_use]
pub fn may_satisfy(type_: &Type, schema: &Json) -> bool {
    Asked { root: schema }.satisfies(type_, schema, 0)
}

struct Asked<'a> {
    root: &'a Json,
}

impl Asked<'_> {
    fn satisfies(&self, type_: &Type, schema: &Json, depth: usize) -> bool {
        if let Type::AnyOf(types) = type_ {
            return types.iter().any(|one| self.satisfies(one, schema, depth));
        }
        // An empty optional is left out, any other stands for what is in it.
        if let Type::Optional(inner) = type_ {
            return self.satisfies(inner, schema, depth);
        }
        if *type_ == Type::Dyn || depth > DEPTH {
            return true;
        }
        let schema = match schema {
            Json::Bool(any) => return *any,
            Json::Object(schema) => schema,
            _ => return true,
        };
        let list = |keyword: &str| schema.get(keyword).and_then(Json::as_array);
        let asked = |part: &Json| self.satisfies(type_, part, depth + 1);
        kind(type_, schema)
            && schema.get("const").is_none_or(|value| value_of(type_, value))
            && list("enum").is_none_or(|values| values.iter().any(|value| value_of(type_, value)))
            && list("anyOf").is_none_or(|parts| parts.iter().any(asked))
            && list("oneOf").is_none_or(|parts| parts.iter().any(asked))
            && list("allOf").is_none_or(|parts| parts.iter().all(asked))
            && self.target(schema).is_none_or(asked)
            && match type_ {
                Type::List(element) => schema
                    .get("items")
                    .filter(|_| !schema.contains_key("prefixItems"))
                    .is_none_or(|items| self.satisfies(element, items, depth + 1)),
                Type::Map(_, value) => schema
                    .get("additionalProperties")
                    .filter(|_| !schema.contains_key("properties"))
                    .is_none_or(|inner| {
                        self.satisfies(value, inner, depth + 1) || inner == &Json::Bool(false)
                    }),
                Type::Object(object) => self.object(object, schema, depth),
                _ => true,
            }
    }

    fn target(&self, schema: &Map<String, Json>) -> Option<&Json> {
        let path = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(path)
    }

    fn object(&self, object: &Object, schema: &Map<String, Json>, depth: usize) -> bool {
        let required = schema.get("required").and_then(Json::as_array);
        let has = |name: &str| object.fields.iter().any(|field| field.name.as_ref() == name);
        if object.rest.is_none()
            && required
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .any(|name| !has(name))
        {
            return false;
        }
        let properties = schema.get("properties").and_then(Json::as_object);
        let patterns = schema.contains_key("patternProperties");
        object.fields.iter().filter(|field| field.required).all(|field| {
            let own = properties.and_then(|properties| properties.get(field.name.as_ref()));
            own.or_else(|| schema.get("additionalProperties").filter(|_| !patterns))
                .is_none_or(|inner| self.satisfies(&field.type_, inner, depth + 1))
        })
    }
}

/// Whether the schema's `type` can be that of the value.
fn kind(type_: &Type, schema: &Map<String, Json>) -> bool {
    let fits = |name: &str| match type_ {
        Type::Null => name == "null",
        Type::Bool => name == "boolean",
        // A double may be whole.
        Type::Int | Type::Uint | Type::Double | Type::Number => matches!(name, "integer" | "number"),
        Type::String | Type::Bytes | Type::Timestamp | Type::Duration => name == "string",
        Type::List(_) => name == "array",
        Type::Map(..) | Type::Object(_) => name == "object",
        Type::Kind => false,
        Type::Dyn | Type::Optional(_) | Type::AnyOf(_) => true,
    };
    match schema.get("type") {
        Some(Json::String(name)) => fits(name),
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).any(fits),
        _ => *type_ != Type::Kind,
    }
}

/// Whether a value of the type can be this one.
fn value_of(type_: &Type, value: &Json) -> bool {
    match type_ {
        Type::Null => value.is_null(),
        Type::Bool => value.is_boolean(),
        Type::Int | Type::Uint | Type::Double | Type::Number => value.is_number(),
        Type::String | Type::Bytes | Type::Timestamp | Type::Duration => value.is_string(),
        Type::List(_) => value.is_array(),
        Type::Map(..) | Type::Object(_) => value.is_object(),
        Type::Kind => false,
        Type::Dyn | Type::Optional(_) | Type::AnyOf(_) => true,
    }
}
