//! The tenants that use a class and have a namespace, and the Deployments that are there.

use std::sync::Arc;

use flowpilot_crds::tenant::Egress;
use flowpilot_crds::{RunnerClass, names};
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};

use crate::objects;
use crate::world::Stores;

/// A tenant that uses the class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct User {
    pub(super) tenant: String,
    pub(super) egress: Option<Egress>,
}

pub(super) struct Found {
    /// Sorted by name.
    pub(super) users: Vec<User>,
    /// All Deployments of the class, also those of tenants that have left it.
    pub(super) deployments: Vec<Arc<Deployment>>,
}

pub(super) fn dereference(class: &RunnerClass, stores: &Stores) -> Found {
    let name = class.name_any();
    let mut users: Vec<User> = stores
        .tenants
        .state()
        .iter()
        .filter_map(|tenant| tenant.0.as_ref().ok())
        .filter(|tenant| tenant.meta().deletion_timestamp.is_none() && tenant.spec.runner_class() == name)
        .map(|tenant| User {
            tenant: tenant.name_any(),
            egress: tenant.spec.egress.clone(),
        })
        .filter(|user| has_namespace(stores, &user.tenant))
        .collect();
    users.sort_unstable_by(|left, right| left.tenant.cmp(&right.tenant));
    let deployments = stores
        .deployments
        .state_filter(|deployment| deployment.labels().get(names::RUNNER_CLASS_LABEL) == Some(&name));
    Found { users, deployments }
}

fn has_namespace(stores: &Stores, tenant: &str) -> bool {
    let namespace = stores
        .namespaces
        .get(&ObjectRef::new(&names::namespace_of(tenant)));
    namespace.is_some_and(|namespace| {
        objects::belongs_to(&*namespace, tenant) && namespace.metadata.deletion_timestamp.is_none()
    })
}
