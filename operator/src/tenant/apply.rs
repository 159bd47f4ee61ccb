//! Applies a tenant's objects and registers it. The namespace comes first, since all else is in it; closing rules
//! come before the account that pods run as; the registration comes last, since runs may start from then on.

use flowpilot_crds::Tenant;
use flowpilot_engine::protocol::operator::TenantRegistration;
use futures::future::try_join_all;
use futures::try_join;
use kube::ResourceExt;
use snafu::ResultExt;

use super::Context;
use super::build::Prepared;
use super::dereference::Found;
use crate::controller::{ApiSnafu, Error, KubernetesSnafu};
use crate::identity;

/// Proof that everything was applied: only this makes a tenant ready.
pub(super) struct Applied {
    /// The tenant's namespace.
    pub(super) namespace: String,
    /// Whether the `RunnerClass` exists.
    pub(super) has_class: bool,
}

pub(super) async fn apply(
    tenant: &Tenant,
    prepared: Prepared,
    found: Found,
    context: &Context,
) -> Result<Applied, Error> {
    let cluster = &context.cluster;
    let Prepared {
        namespace,
        quota,
        limits,
        default_deny,
        runner_egress,
        account,
        bindings,
    } = prepared;
    let applied = async {
        cluster.hold(tenant).await?;
        cluster.apply(&namespace, found.namespace.as_deref()).await?;
        try_join!(
            cluster.apply(&default_deny, found.default_deny.as_deref()),
            cluster.apply(&runner_egress, found.runner_egress.as_deref()),
            cluster.apply(&quota, found.quota.as_deref()),
            cluster.apply(&limits, found.limits.as_deref()),
        )?;
        let pairs = bindings.iter().zip(&found.bindings);
        try_join!(
            cluster.apply(&account, found.account.as_deref()),
            try_join_all(pairs.map(|(binding, found)| cluster.apply(binding, found.as_deref()))),
        )?;
        context
            .impersonator
            .ensure(&context.world.stores.tenants, cluster)
            .await
    };
    applied.await.context(KubernetesSnafu)?;
    let name = tenant.name_any();
    let registration = TenantRegistration {
        uid: identity::uid(tenant),
        generation: identity::generation(tenant),
        title: tenant.spec.title.clone().unwrap_or_else(|| name.clone()),
        runner_class: tenant.spec.runner_class().to_owned(),
        variables: tenant.spec.variables.clone(),
    };
    context
        .world
        .api
        .register_tenant(&name, &registration)
        .await
        .context(ApiSnafu)?;
    Ok(Applied {
        namespace: namespace.name_any(),
        has_class: found.has_class,
    })
}
