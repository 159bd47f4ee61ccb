//! How many workflows a tenant may have, and which of them are too many.
//!
//! Counted here and not by a ResourceQuota: that one's controller learns of new kinds only at its next look, minutes
//! after the installation, and Kubernetes refuses every object of them until then. Admission tells whoever creates one
//! too many; what is stored all the same, because nobody was asked or the quota was lowered, never becomes `Ready`.

use std::fmt::{Display, Formatter};

use flowpilot_crds::{Tenant, TenantSpec, names};
use kube::runtime::reflector::Store;

use crate::Guarded;
use crate::controller::tenant_of;
use crate::world::Stores;

/// A tenant that has no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    tenant: String,
    used: usize,
    limit: usize,
}

impl Display for Excess {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { tenant, used, limit } = self;
        write!(
            formatter,
            "exceeded quota: tenant `{tenant}` has {used} workflows and may have {limit}; delete one, or raise \
             spec.quotas.workflows of the Tenant"
        )
    }
}

/// The quota of a namespace's tenant.
pub(crate) fn of(tenants: &Store<Guarded<Tenant>>, namespace: &str) -> usize {
    let tenant = tenant_of(tenants, namespace).ok();
    let spec = tenant.as_ref().and_then(|tenant| tenant.0.as_ref().ok());
    spec.map_or_else(
        || TenantSpec::default().workflow_quota(),
        |tenant| tenant.spec.workflow_quota(),
    )
}

/// What keeps a workflow that exists from its place.
pub(super) fn excess(stores: &Stores, namespace: &str, name: &str) -> Option<Excess> {
    let limit = of(&stores.tenants, namespace);
    stores
        .places
        .is_over(namespace, name, limit)
        .then(|| describe(stores, namespace, limit))
}

/// What keeps a workflow from being created. One that exists answers for itself that the name is taken.
pub(crate) fn excess_by_one_more(stores: &Stores, namespace: &str, name: &str) -> Option<Excess> {
    let limit = of(&stores.tenants, namespace);
    (stores.places.count(namespace) >= limit && !stores.places.has(namespace, name))
        .then(|| describe(stores, namespace, limit))
}

fn describe(stores: &Stores, namespace: &str, limit: usize) -> Excess {
    Excess {
        tenant: names::tenant_of(namespace).unwrap_or(namespace).to_owned(),
        used: stores.places.count(namespace),
        limit,
    }
}

#[cfg(test)]
impl Excess {
    /// Any.
    pub(super) fn example() -> Self {
        Self {
            tenant: "a".to_owned(),
            used: 3,
            limit: 2,
        }
    }
}
