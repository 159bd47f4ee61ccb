//! Pieces of OpenAPI schema that cannot be derived, and the last touches of a definition.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use schemars::{Schema, SchemaGenerator, json_schema};

/// Any JSON value, kept as it is.
#[must_use]
pub fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-preserve-unknown-fields": true})
}

/// A map with any values, kept as it is.
#[must_use]
pub fn any_map(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// A map from names to any values of at most 200 entries.
#[must_use]
pub fn variables(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "maxProperties": 200})
}

/// Go's duration grammar without fractions: `90s`, `1h30m`. At most 40 characters.
#[must_use]
pub fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "maxLength": 40, "pattern": DURATION_PATTERN})
}

/// A duration, or text with `$( … )`.
#[must_use]
pub fn duration_or_expression(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "maxLength": 4096})
}

/// What `duration` accepts.
pub const DURATION_PATTERN: &str = "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

/// Conditions: a list that server-side apply merges by type.
pub fn conditions(generator: &mut SchemaGenerator) -> Schema {
    let condition = generator.subschema_for::<crate::Condition>();
    json_schema!({
        "type": "array", "items": condition, "maxItems": 16,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
    })
}

/// Kept on uninstall: deleting a definition would delete every object of its kind.
pub(crate) fn finish(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    definition
        .metadata
        .annotations
        .get_or_insert_with(BTreeMap::new)
        .insert("helm.sh/resource-policy".to_owned(), "keep".to_owned());
    definition
}
