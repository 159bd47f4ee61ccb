//! What every object that the operator makes has in common.

use std::collections::BTreeMap;

use flowpilot_crds::names;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt};

/// Label with the name of the program that an object belongs to.
pub(crate) const NAME_LABEL: &str = "app.kubernetes.io/name";
/// Label that everything of FlowPilot has.
pub(crate) const PART_OF_LABEL: &str = "app.kubernetes.io/part-of";
/// Value of [`NAME_LABEL`] on runners.
pub(crate) const RUNNER: &str = "flowpilot-runner";

/// Labels of everything that is made for a tenant.
#[must_use]
pub(crate) fn labels(tenant: &str) -> BTreeMap<String, String> {
    texts([
        (names::MANAGED_BY_LABEL, names::MANAGED_BY),
        (PART_OF_LABEL, "flowpilot"),
        (names::TENANT_LABEL, tenant),
    ])
}

/// Selects what [`labels`] marks, whatever the tenant.
#[must_use]
pub(crate) fn ours() -> String {
    format!(
        "{}={},{}",
        names::MANAGED_BY_LABEL,
        names::MANAGED_BY,
        names::TENANT_LABEL
    )
}

/// Metadata of an object in the tenant's namespace.
#[must_use]
pub(crate) fn metadata(name: &str, tenant: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(names::namespace_of(tenant)),
        labels: Some(labels(tenant)),
        ..ObjectMeta::default()
    }
}

/// A reference by which Kubernetes deletes the object with its owner.
#[must_use]
pub(crate) fn owned_by<K: Resource<DynamicType = ()>>(owner: &K) -> Option<Vec<OwnerReference>> {
    Some(vec![OwnerReference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        name: owner.name_any(),
        uid: owner.uid()?,
        controller: Some(true),
        block_owner_deletion: None,
    }])
}

/// Whether an object carries the labels of this tenant, which only the operator and administrators can set.
#[must_use]
pub(crate) fn belongs_to<K: Resource>(object: &K, tenant: &str) -> bool {
    let label = |name| object.labels().get(name).map(String::as_str);
    label(names::MANAGED_BY_LABEL) == Some(names::MANAGED_BY) && label(names::TENANT_LABEL) == Some(tenant)
}

/// A map of texts.
pub(crate) fn texts<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Namespace;

    #[test]
    fn only_both_labels_make_a_namespace_the_tenants() {
        let namespace = |labels| Namespace {
            metadata: ObjectMeta {
                labels,
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        assert!(belongs_to(&namespace(Some(labels("acme"))), "acme"));
        assert!(!belongs_to(&namespace(Some(labels("other"))), "acme"));
        assert!(!belongs_to(
            &namespace(Some(texts([(names::TENANT_LABEL, "acme")]))),
            "acme"
        ));
        assert!(!belongs_to(
            &namespace(Some(texts([(names::MANAGED_BY_LABEL, "flowpilot")]))),
            "acme"
        ));
        assert!(!belongs_to(&namespace(None), "acme"));
    }
}
