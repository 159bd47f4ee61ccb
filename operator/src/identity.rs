//! UID and generation of an object, as the API server wants to know them.

use kube::{Resource, ResourceExt};
use uuid::Uuid;

/// The UID. An object without one has never been stored; it then has the nil UID, which the API server refuses.
#[must_use]
pub(crate) fn uid<K: Resource>(object: &K) -> Uuid {
    object
        .uid()
        .and_then(|uid| Uuid::parse_str(&uid).ok())
        .unwrap_or_default()
}

/// The generation of the spec.
#[must_use]
pub(crate) fn generation<K: Resource>(object: &K) -> i64 {
    object.meta().generation.unwrap_or_default()
}
