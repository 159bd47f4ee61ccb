//! From JSON Schema to a type. What is not understood makes the type wider, never narrower.

use super::{Field, Object, Type};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// How deep schemas are read; recursive ones end here.
const DEPTH: usize = 16;
/// How many schemas are read in all: references can multiply.
const SCHEMAS: usize = 5_000;

pub(super) fn read(schema: &Json) -> Type {
    Reader {
        root: schema,
        left: SCHEMAS,
    }
    .read(schema, 0)
}

struct Reader<'a> {
    root: &'a Json,
    left: usize,
}

impl<'a> Reader<'a> {
    fn read(&mut self, schema: &'a Json, depth: usize) -> Type {
        let Json::Object(schema) = schema else {
            return Type::Dyn;
        };
        if depth > DEPTH || self.left == 0 {
            return Type::Dyn;
        }
        self.left -= 1;
        let mut type_ = self.own(schema, depth);
        if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            let target = target.strip_prefix('#').and_then(|path| self.root.pointer(path));
            let target = target.map_or(Type::Dyn, |target| self.read(target, depth + 1));
            type_ = both(&type_, &target);
        }
        for part in members(schema, "allOf") {
            type_ = both(&type_, &self.read(part, depth + 1));
        }
        for keyword in ["anyOf", "oneOf"] {
            let parts = members(schema, keyword);
            if !parts.is_empty() {
                let parts: Vec<_> = parts.iter().map(|part| self.read(part, depth + 1)).collect();
                type_ = both(&type_, &Type::any_of(parts));
            }
        }
        // Fields may come from what is only there under a condition.
        if ["if", "then", "else", "dependentSchemas", "$dynamicRef"]
            .iter()
            .any(|keyword| schema.contains_key(*keyword))
        {
            type_ = open(&type_);
        }
        type_
    }

    /// What a schema says without those it refers to.
    fn own(&mut self, schema: &'a Map<String, Json>, depth: usize) -> Type {
        match schema.get("type") {
            Some(Json::String(name)) => self.named(name, schema, depth),
            Some(Json::Array(names)) => {
                let names: Vec<_> = names
                    .iter()
                    .filter_map(Json::as_str)
                    .map(|name| self.named(name, schema, depth))
                    .collect();
                Type::any_of(names)
            }
            _ => {
                if let Some(value) = schema.get("const") {
                    return Type::of_json(value);
                }
                if let Some(Json::Array(values)) = schema.get("enum") {
                    return Type::any_of(values.iter().map(Type::of_json));
                }
                if schema.contains_key("properties") {
                    return self.object(schema, depth);
                }
                if schema.contains_key("items") {
                    return self.named("array", schema, depth);
                }
                Type::Dyn
            }
        }
    }

    fn named(&mut self, name: &str, schema: &'a Map<String, Json>, depth: usize) -> Type {
        match name {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "integer" => Type::Int,
            "number" => Type::Number,
            "string" => Type::String,
            "array" => Type::list(
                schema
                    .get("items")
                    .filter(|_| !schema.contains_key("prefixItems"))
                    .map_or(Type::Dyn, |items| self.read(items, depth + 1)),
            ),
            "object" => self.object(schema, depth),
            _ => Type::Dyn,
        }
    }

    fn object(&mut self, schema: &'a Map<String, Json>, depth: usize) -> Type {
        let rest = match schema.get("additionalProperties") {
            Some(Json::Bool(true)) => Some(Type::Dyn),
            Some(inner @ Json::Object(_)) => Some(self.read(inner, depth + 1)),
            _ if schema.contains_key("patternProperties") => Some(Type::Dyn),
            _ => None,
        };
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
            return Type::map(rest.unwrap_or(Type::Dyn));
        };
        let required = members(schema, "required");
        let fields = properties
            .iter()
            .map(|(name, inner)| Field {
                name: Arc::from(name.as_str()),
                type_: self.read(inner, depth + 1),
                required: required.iter().any(|required| required.as_str() == Some(name)),
            })
            .collect();
        Type::Object(Arc::new(Object {
            fields,
            rest,
            written: false,
        }))
    }
}

fn members<'a>(schema: &'a Map<String, Json>, keyword: &str) -> &'a [Json] {
    schema
        .get(keyword)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

/// What is known of a value that both schemas are for.
fn both(left: &Type, right: &Type) -> Type {
    match (left, right) {
        (Type::Dyn, other) | (other, Type::Dyn) => other.clone(),
        (left, right) if left == right => left.clone(),
        (Type::AnyOf(types), other) | (other, Type::AnyOf(types)) => {
            let common: Vec<_> = types
                .iter()
                .filter(|one| same_sort(one, other))
                .map(|one| both(one, other))
                .collect();
            Type::any_of(common)
        }
        (Type::Object(left), Type::Object(right)) => merged(left, right),
        (Type::Object(object), Type::Map(..)) | (Type::Map(..), Type::Object(object)) => {
            Type::Object(Arc::clone(object))
        }
        (Type::List(left), Type::List(right)) => Type::list(both(left, right)),
        (Type::Number, number @ (Type::Int | Type::Double))
        | (number @ (Type::Int | Type::Double), Type::Number) => number.clone(),
        _ => Type::Dyn,
    }
}

fn same_sort(left: &Type, right: &Type) -> bool {
    right.alternatives().iter().any(|right| {
        matches!(
            (left, right),
            (Type::List(_), Type::List(_))
                | (Type::Map(..) | Type::Object(_), Type::Map(..) | Type::Object(_))
                | (Type::Number | Type::Int, Type::Number | Type::Int)
        ) || left == right
    })
}

fn merged(left: &Object, right: &Object) -> Type {
    let mut fields = left.fields.clone();
    for field in &right.fields {
        match fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => {
                known.type_ = both(&known.type_, &field.type_);
                known.required |= field.required;
            }
            None => fields.push(field.clone()),
        }
    }
    let rest = left.rest.clone().or_else(|| right.rest.clone());
    Type::Object(Arc::new(Object {
        fields,
        rest,
        written: false,
    }))
}

/// The same type with room for more fields.
fn open(type_: &Type) -> Type {
    match type_ {
        Type::Object(object) => Type::Object(Arc::new(Object {
            fields: object.fields.clone(),
            rest: Some(Type::Dyn),
            written: object.written,
        })),
        Type::AnyOf(several) => Type::any_of(several.iter().map(open)),
        other => other.clone(),
    }
}
