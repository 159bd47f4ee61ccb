//! What is there already, from the caches. Only a namespace that is in no cache is asked for: it may be somebody
//! else's.

use std::sync::Arc;

use flowpilot_crds::{Reason, RunnerClass, Tenant, names};
use k8s_openapi::api::core::v1::{LimitRange, Namespace, ResourceQuota, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Resource, ResourceExt};
use snafu::ResultExt;

use super::{Context, build, taken};
use crate::cluster::ReadSnafu;
use crate::controller::{Error, KubernetesSnafu, Rejection};
use crate::{Guarded, objects};

/// The objects of one tenant as they stand.
pub(super) struct Found {
    pub(super) namespace: Option<Arc<Namespace>>,
    pub(super) quota: Option<Arc<ResourceQuota>>,
    pub(super) limits: Option<Arc<LimitRange>>,
    pub(super) default_deny: Option<Arc<NetworkPolicy>>,
    pub(super) runner_egress: Option<Arc<NetworkPolicy>>,
    pub(super) account: Option<Arc<ServiceAccount>>,
    /// In the order of the roles.
    pub(super) bindings: Vec<Option<Arc<RoleBinding>>>,
    /// Whether the `RunnerClass` exists.
    pub(super) has_class: bool,
}

pub(super) async fn dereference(
    tenant: &Tenant,
    context: &Context,
) -> Result<Result<Found, Rejection>, Error> {
    let stores = &context.world.stores;
    let name = tenant.name_any();
    let namespace = match namespace(&name, context).await? {
        State::Absent => None,
        State::Ours(namespace) => Some(namespace),
        State::Taken => return Ok(Err(taken(&names::namespace_of(&name)))),
    };
    if namespace
        .as_ref()
        .is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some())
    {
        // Its end wakes the tenant.
        let message = format!(
            "namespace {} of an earlier tenant is still being deleted",
            names::namespace_of(&name)
        );
        return Ok(Err(Rejection {
            reason: Reason::Progressing,
            message,
        }));
    }
    let class = ObjectRef::<Guarded<RunnerClass>>::new(tenant.spec.runner_class());
    Ok(Ok(Found {
        namespace,
        quota: get(&stores.quotas, build::QUOTA, &name),
        limits: get(&stores.limit_ranges, build::LIMITS, &name),
        default_deny: get(&stores.network_policies, build::DEFAULT_DENY, &name),
        runner_egress: get(&stores.network_policies, build::RUNNER_EGRESS, &name),
        account: get(&stores.accounts, names::RUNNER_SERVICE_ACCOUNT, &name),
        bindings: names::ROLES
            .iter()
            .map(|role| get(&stores.role_bindings, &build::role_name(role), &name))
            .collect(),
        has_class: stores.classes.get(&class).is_some(),
    }))
}

/// Whose a namespace is.
pub(super) enum State {
    Absent,
    Ours(Arc<Namespace>),
    Taken,
}

/// Looks at the tenant's namespace.
pub(super) async fn namespace(tenant: &str, context: &Context) -> Result<State, Error> {
    let name = names::namespace_of(tenant);
    let cached = context.world.stores.namespaces.get(&ObjectRef::new(&name));
    let found = if cached.is_some() {
        cached
    } else {
        let read = Api::<Namespace>::all(context.cluster.client())
            .get_opt(&name)
            .await;
        read.context(ReadSnafu {
            kind: "Namespace",
            name,
        })
        .context(KubernetesSnafu)?
        .map(Arc::new)
    };
    Ok(match found {
        None => State::Absent,
        Some(namespace) if objects::belongs_to(&*namespace, tenant) => State::Ours(namespace),
        Some(_) => State::Taken,
    })
}

fn get<K>(store: &Store<K>, name: &str, tenant: &str) -> Option<Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store.get(&ObjectRef::new(name).within(&names::namespace_of(tenant)))
}
