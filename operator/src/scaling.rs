//! How many runners a pool has: as many as its work needs, none when there is none.
//!
//! ```text
//! GET /operator/v1/pools/changes (long poll) ─► Pools ─► decide ─► spec.replicas
//! ```
//!
//! A pool grows at once and shrinks late. The API server answers the poll as soon as work waits, so a pool at zero
//! wakes within one poll. Replicas are written only when they change, as the field manager `flowpilot-scaler`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flowpilot_crds::names;
use flowpilot_engine::protocol::operator::PoolDepth;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cache::Chain;
use crate::cluster::{self, Cluster};
use crate::runner_class::Scale;
use crate::world::World;

mod decide;

use decide::Trend;

/// Name under which the scaler's writes are counted.
pub(crate) const NAME: &str = "scaler";
/// Its field manager: it owns `spec.replicas` and nothing else.
pub(crate) const MANAGER: &str = "flowpilot-scaler";
/// Wait after a poll that failed.
const RETRY: Duration = Duration::from_secs(1);
/// How long a write is believed although the cache does not show it yet.
const SETTLE: Duration = Duration::from_secs(5);

/// The work that waits, by tenant and class; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Pools {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// `None` until the API server has answered once.
    work: Mutex<Option<HashMap<(String, String), i64>>>,
    changed: Notify,
}

impl Pools {
    /// Looks at all pools again.
    pub(crate) fn wake(&self) {
        self.shared.changed.notify_one();
    }

    fn set(&self, pools: Vec<PoolDepth>) {
        let work = pools
            .into_iter()
            .map(|pool| {
                (
                    (pool.tenant, pool.runner_class),
                    pool.ready.saturating_add(pool.leased),
                )
            })
            .collect();
        *self.shared.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
        self.wake();
    }

    /// Runners that the work of a pool needs.
    pub(crate) fn needed(&self, tenant: &str, class: &str, scale: Scale) -> i32 {
        let key = (tenant.to_owned(), class.to_owned());
        let work = self.shared.work.lock().unwrap_or_else(PoisonError::into_inner);
        decide::needed(
            work.as_ref()
                .and_then(|work| work.get(&key))
                .copied()
                .unwrap_or(0),
            scale,
        )
    }

    /// Whether the API server has answered: before that, nothing is known of any pool.
    fn heard(&self) -> bool {
        self.shared
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }
}

/// Follows the pools at the API server until `stop`.
pub(crate) async fn follow(world: Arc<World>, stop: CancellationToken) {
    let mut after = None;
    loop {
        let answer = tokio::select! {
            answer = world.api.pool_changes(after) => answer,
            () = stop.cancelled() => return,
        };
        match answer {
            Ok(changes) => {
                after = Some(changes.version);
                world.pools.set(changes.pools);
            }
            Err(error) => {
                // Pools keep their size meanwhile: no news is no reason to stop runners.
                tracing::warn!(error = %Chain(&error), "failed to ask for the work that waits");
                tokio::select! {
                    () = tokio::time::sleep(RETRY) => {}
                    () = stop.cancelled() => return,
                }
            }
        }
    }
}

/// Scales all pools until `stop`.
pub(crate) async fn scale(world: Arc<World>, cluster: Cluster, stop: CancellationToken) {
    let mut known = HashMap::new();
    loop {
        let next = look(&world, &cluster, &mut known).await;
        tokio::select! {
            () = world.pools.shared.changed.notified() => {}
            () = tokio::time::sleep(next) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// What is remembered of one Deployment.
#[derive(Default)]
struct Known {
    trend: Trend,
    sent: Option<(i32, Instant)>,
}

/// Looks at every pool once; when to look again at the latest.
async fn look(
    world: &World,
    cluster: &Cluster,
    known: &mut HashMap<ObjectRef<Deployment>, Known>,
) -> Duration {
    let deployments = world.stores.deployments.state();
    known.retain(|reference, _| world.stores.deployments.get(reference).is_some());
    // Nothing is due: a wake-up comes when something changes.
    let mut next = Duration::from_hours(1);
    if !world.pools.heard() {
        return next;
    }
    for deployment in deployments {
        let labels = deployment.labels();
        let (Some(tenant), Some(class)) = (
            labels.get(names::TENANT_LABEL),
            labels.get(names::RUNNER_CLASS_LABEL),
        ) else {
            continue;
        };
        let found = world.stores.classes.get(&ObjectRef::new(class));
        let Some(scale) = found
            .as_ref()
            .and_then(|class| class.0.as_ref().ok())
            .and_then(Scale::of)
        else {
            continue;
        };
        let known = known.entry(ObjectRef::from_obj(&*deployment)).or_default();
        let seen = deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or(1);
        let current = match known.sent {
            Some((sent, at)) if at.elapsed() < SETTLE => sent,
            _ => seen,
        };
        let needed = world.pools.needed(tenant, class, scale);
        let (wanted, due) = known
            .trend
            .decide(current, needed, scale.idle_timeout, Instant::now());
        next = due.map_or(next, |due| next.min(due));
        if wanted == current {
            continue;
        }
        let (name, namespace) = (deployment.name_any(), deployment.namespace());
        match own_replicas(cluster, &name, namespace.as_deref(), wanted).await {
            Ok(()) => {
                tracing::info!(tenant, class, from = current, to = wanted, "scaled a pool");
                known.sent = Some((wanted, Instant::now()));
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), tenant, class, "failed to scale a pool");
                next = next.min(RETRY);
            }
        }
    }
    next
}

/// Sets the replicas of a Deployment, as their owner.
pub(crate) async fn own_replicas(
    cluster: &Cluster,
    name: &str,
    namespace: Option<&str>,
    replicas: i32,
) -> Result<(), cluster::Error> {
    cluster
        .apply_fields::<Deployment>(name, namespace, &json!({"spec": {"replicas": replicas}}), MANAGER)
        .await
}
