//! A tenant's end. Needs nothing but its name and UID, so a broken spec cannot keep it alive.
//!
//! First its rows go, so that nothing starts any more; then its namespace with all that is in it; when that is gone,
//! the object. The list of those whom the API server may act as has lost the tenant as soon as deletion began.

use flowpilot_crds::Tenant;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use snafu::ResultExt;
use std::time::Duration;

use super::dereference::{State, namespace};
use super::update_status::{Verdict, update_status};
use super::{Context, is_held};
use crate::controller::{ApiSnafu, Error, KubernetesSnafu};
use crate::{Guarded, identity};

/// When a namespace that is being deleted is looked at again, should its end not be seen.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

pub(super) async fn clean_up(tenant: &Guarded<Tenant>, context: &Context) -> Result<Action, Error> {
    if !is_held(tenant) {
        return Ok(Action::await_change());
    }
    let name = tenant.name_any();
    let result = remove(tenant, &name, context).await;
    let left = match result {
        Ok(left) => left,
        Err(error) => {
            let verdict = Verdict::Failed(error.reason(), error.message());
            update_status(tenant, verdict, &context.cluster).await?;
            return Err(error);
        }
    };
    if let Some(left) = left {
        update_status(tenant, Verdict::Terminating(left), &context.cluster).await?;
        return Ok(Action::requeue(LOOK_AGAIN));
    }
    context.cluster.release(tenant).await.context(KubernetesSnafu)?;
    Ok(Action::await_change())
}

/// Removes what can be removed now; what is still there, in words.
async fn remove(tenant: &Guarded<Tenant>, name: &str, context: &Context) -> Result<Option<String>, Error> {
    let Context {
        world,
        cluster,
        impersonator,
    } = context;
    impersonator
        .ensure(&world.stores.tenants, cluster)
        .await
        .context(KubernetesSnafu)?;
    let remove_rows = async || {
        let removed = world.api.remove_tenant(name, identity::uid(tenant)).await;
        removed.context(ApiSnafu)
    };
    match namespace(name, context).await? {
        State::Absent | State::Taken => {
            // Once more: something may have been registered while the namespace went.
            remove_rows().await?;
            Ok(None)
        }
        State::Ours(namespace) => {
            if namespace.metadata.deletion_timestamp.is_none() {
                remove_rows().await?;
                cluster.delete(&*namespace).await.context(KubernetesSnafu)?;
            }
            Ok(Some(format!(
                "namespace {} is being deleted",
                namespace.name_any()
            )))
        }
    }
}
