//! The order in which people read the fields of an object: that in which the types declare them. The schemas that a
//! cluster is given have lost it, as they list fields by name.

use std::sync::OnceLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{ConnectionSpec, ConnectorSpec, RunnerClassSpec, TenantSpec, WorkflowRunSpec, WorkflowSpec};

/// The order of the fields of a value, and of those inside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldOrder {
    /// The known fields of a map, in their order.
    fields: Vec<(String, FieldOrder)>,
    /// Inside any other field of the map, and inside the items of a list.
    inner: Option<Box<FieldOrder>>,
}

impl FieldOrder {
    /// Fields in this order; others may follow in any.
    #[must_use]
    pub fn of<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let fields = fields.into_iter();
        Self {
            fields: fields.map(|(name, inner)| (name.to_owned(), inner)).collect(),
            inner: None,
        }
    }

    /// A map of any names, or a list, of such values.
    #[must_use]
    pub fn each(inner: Self) -> Self {
        Self {
            fields: Vec::new(),
            inner: Some(Box::new(inner)),
        }
    }

    /// That of an object of this kind; nothing if there is no such kind.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        let spec = match kind {
            "Tenant" => read::<TenantSpec>(),
            "RunnerClass" => read::<RunnerClassSpec>(),
            "Connector" => read::<ConnectorSpec>(),
            "Connection" => read::<ConnectionSpec>(),
            // The one that is asked for again and again.
            "Workflow" => {
                static SPEC: OnceLock<FieldOrder> = OnceLock::new();
                SPEC.get_or_init(read::<WorkflowSpec>).clone()
            }
            "WorkflowRun" => read::<WorkflowRunSpec>(),
            _ => return None,
        };
        let plain = |name| (name, Self::default());
        Some(Self::of([
            plain("apiVersion"),
            plain("kind"),
            plain("metadata"),
            ("spec", spec),
            plain("status"),
        ]))
    }

    /// Where a field stands among the known ones of its map.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(known, _)| known == name)
    }

    /// That inside a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        let known = self.fields.iter().find(|(known, _)| known == name);
        known.map(|(_, inner)| inner).or(self.inner.as_deref())
    }

    /// That inside each item of a list.
    #[must_use]
    pub fn item(&self) -> Option<&Self> {
        self.inner.as_deref()
    }
}

fn read<S: JsonSchema>() -> FieldOrder {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    let schema = settings.into_generator().into_root_schema_for::<S>();
    from_schema(schema.as_value())
}

fn from_schema(schema: &Value) -> FieldOrder {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields = properties.map(|(name, schema)| (name.clone(), from_schema(schema)));
    let inner = schema.get("items").or(schema.get("additionalProperties"));
    let inner = inner.filter(|inner| inner.is_object());
    FieldOrder {
        fields: fields.collect(),
        inner: inner.map(|inner| Box::new(from_schema(inner))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_order_of_the_types() {
        let workflow = FieldOrder::of_kind("Workflow").unwrap();
        let spec = workflow.field("spec").unwrap();
        let step = spec.field("steps").and_then(FieldOrder::item).unwrap();
        let ordered = |order: &FieldOrder, names: &[&str]| {
            let positions: Vec<_> = names.iter().map(|name| order.position(name).unwrap()).collect();
            assert!(positions.is_sorted(), "{names:?}: {positions:?}");
        };
        ordered(&workflow, &["apiVersion", "kind", "metadata", "spec", "status"]);
        ordered(
            spec,
            &[
                "title",
                "inputs",
                "variables",
                "triggers",
                "concurrency",
                "timeout",
                "steps",
                "outputs",
            ],
        );
        ordered(
            step,
            &[
                "id",
                "in",
                "needs",
                "when",
                "uses",
                "connection",
                "with",
                "loop",
                "timeout",
                "retry",
                "undo",
                "runnerClass",
            ],
        );
        // Behind `Option`, too.
        ordered(
            step.field("wait").and_then(|wait| wait.field("event")).unwrap(),
            &["type", "match", "timeout"],
        );
        let cases = step
            .field("switch")
            .and_then(|switch| switch.field("cases"))
            .unwrap();
        ordered(cases.item().unwrap(), &["name", "when"]);
        // What people name themselves has no order.
        assert_eq!(step.field("with").unwrap(), &FieldOrder::default());
    }

    #[test]
    fn every_kind_has_an_order() {
        for kind in [
            "Tenant",
            "RunnerClass",
            "Connector",
            "Connection",
            "Workflow",
            "WorkflowRun",
        ] {
            let order = FieldOrder::of_kind(kind).unwrap();
            assert!(
                order.field("spec").is_some_and(|spec| !spec.fields.is_empty()),
                "{kind}"
            );
        }
        assert_eq!(FieldOrder::of_kind("Deployment"), None);
    }
}
