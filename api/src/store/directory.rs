//! What a start needs to know, without asking the database each time: tenants by name, workflows by name.
//!
//! Entries live a few seconds and are dropped at once when the operator tells of a change, on every replica (the bus
//! carries the news). A start may therefore still take the revision that was current a moment ago, as it might have
//! a moment ago.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    Pools, TenantTx,
    error::Result,
    tenants::{self, Tenant},
    workflows::{self, Revision, Workflow},
};

/// Longest time that a missed notification can keep an old entry alive.
const TIME_TO_LIVE: Duration = Duration::from_secs(5);
/// Entries of each kind; when full, everything is forgotten, which costs one read per entry in use.
const ENTRIES: usize = 4_096;

/// A workflow as a start needs it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The registered workflow.
    pub workflow: Workflow,
    /// Its current revision, with the spec.
    pub revision: Revision,
}

/// The cache. One per replica.
#[derive(Debug)]
pub struct Directory {
    pools: Pools,
    tenants: Mutex<HashMap<String, Entry<Tenant>>>,
    targets: Mutex<HashMap<(Uuid, String), Entry<Target>>>,
}

#[derive(Debug)]
struct Entry<T> {
    value: Arc<T>,
    read_at: Instant,
}

impl Directory {
    /// An empty cache over these connections.
    #[must_use]
    pub fn new(pools: Pools) -> Self {
        Self {
            pools,
            tenants: Mutex::default(),
            targets: Mutex::default(),
        }
    }

    /// The tenant of a name.
    pub async fn tenant(&self, name: &str) -> Result<Option<Arc<Tenant>>> {
        if let Some(known) = fresh(&self.tenants, name) {
            return Ok(Some(known));
        }
        let read_at = Instant::now();
        let tenant = tenants::by_name(&self.pools, name).await?;
        Ok(tenant.map(|tenant| keep(&self.tenants, name.to_owned(), tenant, read_at)))
    }

    /// The workflow of a name and its current revision.
    pub async fn target(&self, tenant_id: Uuid, name: &str) -> Result<Option<Arc<Target>>> {
        let key = (tenant_id, name.to_owned());
        if let Some(known) = fresh(&self.targets, &key) {
            return Ok(Some(known));
        }
        let read_at = Instant::now();
        let mut tx = TenantTx::begin(&self.pools.app, tenant_id).await?;
        let Some(workflow) = workflows::get(&mut tx, name).await? else {
            return Ok(None);
        };
        let revision = workflows::revision(&mut tx, &workflow.digest, Some(workflow.workflow_id)).await?;
        tx.commit().await?;
        let target = revision.map(|revision| Target { workflow, revision });
        Ok(target.map(|target| keep(&self.targets, key, target, read_at)))
    }

    /// Forgets everything about a tenant: something of it changed.
    pub fn forget(&self, tenant_id: Uuid) {
        lock(&self.tenants).retain(|_, entry| entry.value.tenant_id != tenant_id);
        lock(&self.targets).retain(|(tenant, _), _| *tenant != tenant_id);
    }

    /// Forgets everything: notifications were missed.
    pub fn forget_all(&self) {
        lock(&self.tenants).clear();
        lock(&self.targets).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing in here can be left half done, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fresh<K, Q, T>(map: &Mutex<HashMap<K, Entry<T>>>, key: &Q) -> Option<Arc<T>>
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized,
{
    let map = lock(map);
    let entry = map.get(key)?;
    (entry.read_at.elapsed() < TIME_TO_LIVE).then(|| Arc::clone(&entry.value))
}

fn keep<K: std::hash::Hash + Eq, T>(
    map: &Mutex<HashMap<K, Entry<T>>>,
    key: K,
    value: T,
    read_at: Instant,
) -> Arc<T> {
    let value = Arc::new(value);
    let mut map = lock(map);
    if map.len() >= ENTRIES {
        map.clear();
    }
    map.insert(
        key,
        Entry {
            value: Arc::clone(&value),
            read_at,
        },
    );
    value
}
