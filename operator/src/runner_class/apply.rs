//! Applies the Deployments of a class, and deletes those of tenants that have left it.
//!
//! `spec.replicas` is the scaler's. A Deployment that is made says it once, and hands it over in the next request:
//! a field without an owner would become 1.

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use snafu::ResultExt;

use super::Context;
use super::build::Prepared;
use super::dereference::Found;
use crate::controller::{Error, KubernetesSnafu};
use crate::{objects, scaling};

/// Proof that every Deployment was applied.
pub(super) struct Applied {
    /// Tenants that use the class.
    pub(super) tenants: usize,
}

pub(super) async fn apply(prepared: Prepared, found: Found, context: &Context) -> Result<Applied, Error> {
    let Context { world, cluster } = context;
    let Prepared {
        deployments,
        scale,
        class,
    } = prepared;
    let Found {
        users,
        deployments: existing,
    } = found;
    let tenants = deployments.len();
    for (tenant, mut deployment) in deployments {
        let found = existing
            .iter()
            .find(|found| objects::belongs_to(&***found, &tenant));
        let Some(found) = found else {
            let replicas = world.pools.needed(&tenant, &class, scale);
            if let Some(spec) = &mut deployment.spec {
                spec.replicas = Some(replicas);
            }
            cluster.apply(&deployment, None).await.context(KubernetesSnafu)?;
            let (name, namespace) = (deployment.name_any(), deployment.namespace());
            scaling::own_replicas(cluster, &name, namespace.as_deref(), replicas)
                .await
                .context(KubernetesSnafu)?;
            continue;
        };
        cluster
            .apply(&deployment, Some(&**found))
            .await
            .context(KubernetesSnafu)?;
    }
    let has_left = |orphan: &Deployment| !users.iter().any(|user| objects::belongs_to(orphan, &user.tenant));
    for orphan in existing.iter().filter(|orphan| has_left(orphan)) {
        cluster.delete(&**orphan).await.context(KubernetesSnafu)?;
    }
    Ok(Applied { tenants })
}
