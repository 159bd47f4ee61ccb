//! What a schema unfolds to when every reference is followed, counted without unfolding it.

use std::collections::BTreeMap;

use serde_json::Value;

/// Schemas that one schema may unfold to: checking a value visits each of them at most once per part of the value.
const UNFOLDED: u64 = 10_000;
/// How deep schemas may nest: validators recurse.
const DEPTH: usize = 64;
/// The only dialect.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Refuses schemas that recurse, refer outside themselves, or unfold to too much.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let mut counter = Counter {
        root: schema,
        known: BTreeMap::new(),
    };
    let total = counter.count(schema, 0)?;
    if total > UNFOLDED {
        return Err(format!(
            "the schema unfolds to {total} parts; at most {UNFOLDED} are allowed"
        ));
    }
    Ok(())
}

struct Counter<'a> {
    root: &'a Value,
    /// Cost by reference; nothing while it is being counted.
    known: BTreeMap<&'a str, Option<u64>>,
}

impl<'a> Counter<'a> {
    fn count(&mut self, value: &'a Value, depth: usize) -> Result<u64, String> {
        if depth > DEPTH {
            return Err(format!("the schema nests deeper than {DEPTH} levels"));
        }
        let mut total = 1_u64;
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    total = total.saturating_add(match name.as_str() {
                        "$ref" => self.reference(inner, depth)?,
                        "$dynamicRef" | "$recursiveRef" | "$id" | "$anchor" | "$dynamicAnchor" => {
                            return Err(format!("{name} is not supported: refer to parts as #/$defs/name"));
                        }
                        "$schema"
                            if inner
                                .as_str()
                                .is_some_and(|name| name.trim_end_matches('#') != DRAFT) =>
                        {
                            return Err(format!("$schema must be {DRAFT}"));
                        }
                        // Data; and what is only defined costs nothing until it is referred to.
                        "$schema" | "enum" | "const" | "default" | "examples" | "$defs" | "definitions" => 0,
                        // Keys are names here, not keywords.
                        "properties" | "patternProperties" | "dependentSchemas" => {
                            self.count_named(inner, depth + 1)?
                        }
                        _ => self.count(inner, depth + 1)?,
                    });
                }
            }
            Value::Array(items) => {
                for inner in items {
                    total = total.saturating_add(self.count(inner, depth + 1)?);
                }
            }
            _ => {}
        }
        Ok(total)
    }

    fn count_named(&mut self, schemas: &'a Value, depth: usize) -> Result<u64, String> {
        let mut total = 1_u64;
        for inner in schemas.as_object().into_iter().flat_map(serde_json::Map::values) {
            total = total.saturating_add(self.count(inner, depth)?);
        }
        Ok(total)
    }

    fn reference(&mut self, target: &'a Value, depth: usize) -> Result<u64, String> {
        let Some(reference) = target.as_str() else {
            return Ok(0);
        };
        let pointer = reference
            .strip_prefix('#')
            .filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
        let Some(pointer) = pointer else {
            return Err(format!(
                "$ref {reference} leads outside the schema: only #/… is allowed"
            ));
        };
        match self.known.get(pointer) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => {
                return Err(format!(
                    "$ref {reference} leads back to itself: a schema may not recurse"
                ));
            }
            None => {}
        }
        let Some(definition) = self.root.pointer(pointer) else {
            return Err(format!("$ref {reference} leads nowhere"));
        };
        self.known.insert(pointer, None);
        let cost = self.count(definition, depth + 1)?;
        self.known.insert(pointer, Some(cost));
        Ok(cost)
    }
}
