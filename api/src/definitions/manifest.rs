//! The part of a Workflow object that people write.

use std::collections::BTreeMap;

use flowpilot_crds::{GROUP, VERSION, Workflow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::problem::{Code, Problem};

/// A Workflow as people send it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// `flowpilot.io/v1alpha1`; may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// `Workflow`; may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Short for `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Name, labels, annotations.
    #[serde(default)]
    pub metadata: ManifestMetadata,
    /// The workflow itself, as docs/language.md describes it.
    #[schema(value_type = Object)]
    pub spec: Map<String, Value>,
}

/// What people say about an object beside its spec.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestMetadata {
    /// Name of the workflow; on `PUT` the one in the address, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The tenant's namespace, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Checks kind, version and place against the address of the request, and gives the name.
    pub fn name_in(&self, tenant: &str, name: Option<&str>) -> Result<String, Problem> {
        let wrong = |pointer: &str, text: String| {
            Problem::new(Code::MalformedRequest, text.clone()).error(pointer, "MalformedRequest", text)
        };
        let version = format!("{GROUP}/{VERSION}");
        if self.api_version.as_ref().is_some_and(|given| *given != version) {
            return Err(wrong("/apiVersion", format!("apiVersion is `{version}`")));
        }
        if self.kind.as_deref().is_some_and(|given| given != "Workflow") {
            return Err(wrong("/kind", "kind is `Workflow`".to_owned()));
        }
        let namespace = flowpilot_crds::names::namespace_of(tenant);
        if self
            .metadata
            .namespace
            .as_ref()
            .is_some_and(|given| *given != namespace)
        {
            return Err(wrong(
                "/metadata/namespace",
                format!("the namespace of this tenant is `{namespace}`"),
            ));
        }
        let given = match (self.name.as_deref(), self.metadata.name.as_deref()) {
            (Some(short), Some(long)) if short != long => {
                return Err(wrong("/name", format!("`metadata.name` says `{long}`")));
            }
            (short, long) => short.or(long),
        };
        let name = match (name, given) {
            (Some(address), Some(body)) if address != body => {
                return Err(wrong("/metadata/name", format!("the address names `{address}`")));
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => return Err(wrong("/metadata/name", "a workflow needs a name".to_owned())),
        };
        if is_name(name) {
            Ok(name.to_owned())
        } else {
            let text = "a name has 1 to 63 characters of a-z, 0-9 and `-`, and begins and ends with a letter or digit";
            Err(wrong("/metadata/name", text.to_owned()))
        }
    }

    /// The whole object.
    #[must_use]
    pub fn object(&self, tenant: &str, name: &str) -> Value {
        let mut metadata = json!({"name": name, "namespace": flowpilot_crds::names::namespace_of(tenant)});
        if !self.metadata.labels.is_empty() {
            metadata["labels"] = json!(self.metadata.labels);
        }
        if !self.metadata.annotations.is_empty() {
            metadata["annotations"] = json!(self.metadata.annotations);
        }
        json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": "Workflow", "metadata": metadata, "spec": self.spec})
    }
}

/// Whether a name is a DNS label, as Kubernetes wants it.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.chars().all(|c| good(c) || c == '-')
        && name.starts_with(good)
        && name.ends_with(good)
}

/// The manifest of an object that is stored.
pub(super) fn of(workflow: &Workflow) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(workflow.metadata.name));
    metadata.insert("namespace".to_owned(), json!(workflow.metadata.namespace));
    for (word, map) in [
        ("labels", &workflow.metadata.labels),
        ("annotations", &workflow.metadata.annotations),
    ] {
        // What kubectl keeps for itself is no part of what a person wrote.
        let own = map
            .iter()
            .flatten()
            .filter(|(key, _)| *key != "kubectl.kubernetes.io/last-applied-configuration");
        let own: Map<String, Value> = own.map(|(key, value)| (key.clone(), json!(value))).collect();
        if !own.is_empty() {
            metadata.insert(word.to_owned(), Value::Object(own));
        }
    }
    json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": "Workflow", "metadata": metadata, "spec": workflow.spec})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_place_must_agree_with_the_address() {
        let mut manifest = Manifest::default();
        assert!(manifest.name_in("acme", None).is_err());
        assert_eq!(manifest.name_in("acme", Some("report")).unwrap(), "report");
        manifest.metadata.name = Some("report".to_owned());
        assert_eq!(manifest.name_in("acme", None).unwrap(), "report");
        assert!(manifest.name_in("acme", Some("other")).is_err());
        manifest.name = Some("other".to_owned());
        assert_eq!(
            manifest.name_in("acme", None).unwrap_err().errors[0].pointer,
            "/name"
        );
        manifest.name = Some("report".to_owned());
        manifest.metadata.namespace = Some("fp-other".to_owned());
        let problem = manifest.name_in("acme", None).unwrap_err();
        assert_eq!(problem.errors[0].pointer, "/metadata/namespace");
    }

    #[test]
    fn names_are_dns_labels() {
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "../x", &"a".repeat(64)] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("a-1"));
    }
}
