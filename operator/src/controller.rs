//! What all controllers share: how they are driven, how errors are retried, how an end is said.
//!
//! ```text
//! watch ─► Queue ─► applier ─► reconcile: dereference ► validate ► build ► apply ► update_status
//!                      ▲                        │
//!                      └── requeue: TTL, backoff ┘
//! ```

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flowpilot_crds::condition::READY;
use flowpilot_crds::{Condition, ConditionStatus, Reason, Tenant, names};
use futures::{FutureExt, StreamExt};
use kube::runtime::controller::{Action, Config, Error as ControllerError, applier};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};
use snafu::Snafu;
use tokio_util::sync::CancellationToken;

use crate::cache::Chain;
use crate::cluster::Cluster;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::{Guarded, api, cluster};

/// Objects that one controller reconciles at the same moment: enough to hide the network, not so many that the API
/// server of Kubernetes is flooded after a restart.
const AT_ONCE: u16 = 8;
/// Wait after the first failure; doubled by each further one.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Longest wait after a failure.
const LAST_RETRY: Duration = Duration::from_mins(1);

/// Why a reconcile is tried again.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
#[non_exhaustive]
pub(crate) enum Error {
    /// Kubernetes refused or failed a change.
    #[snafu(display("Kubernetes did not take a change"))]
    Kubernetes {
        /// Why.
        source: cluster::Error,
    },
    /// The API server is away, or does not know something yet.
    #[snafu(display("the API server did not take a registration"))]
    Api {
        /// Why.
        source: api::Error,
    },
}

impl Error {
    /// The word for the cause.
    #[must_use]
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Kubernetes { .. } => Reason::ApplyFailed,
            Self::Api { .. } => Reason::ApiUnavailable,
        }
    }

    /// What happened, for a condition.
    #[must_use]
    pub(crate) fn message(&self) -> String {
        Chain(self).to_string()
    }
}

/// Something that no repetition mends: said in a condition, and tried again when the object changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// The word for the cause.
    pub(crate) reason: Reason,
    /// Everything that is wrong.
    pub(crate) message: String,
}

/// Whether an object of `K` could be read.
pub(crate) fn read<K: Resource>(object: &Guarded<K>) -> Result<&K, Rejection> {
    object.0.as_ref().map_err(|invalid| Rejection {
        reason: Reason::InvalidSpec,
        message: format!("the object cannot be read: {}", invalid.error),
    })
}

/// The tenant that a namespace belongs to, if it is there to stay.
pub(crate) fn tenant_of(
    tenants: &Store<Guarded<Tenant>>,
    namespace: &str,
) -> Result<Arc<Guarded<Tenant>>, Rejection> {
    let unknown = |message| Rejection {
        reason: Reason::UnknownTenant,
        message,
    };
    let name = names::tenant_of(namespace).ok_or_else(|| {
        unknown(format!(
            "namespace {namespace} is no tenant's: those are called {}<tenant>",
            names::NAMESPACE_PREFIX
        ))
    })?;
    tenants
        .get(&ObjectRef::new(name))
        .filter(|tenant| tenant.meta().deletion_timestamp.is_none())
        .ok_or_else(|| {
            unknown(format!(
                "namespace {namespace} belongs to no tenant: there is no Tenant {name}"
            ))
        })
}

/// Tells people of the conditions that say something is wrong; call it when they were written anew.
pub(crate) async fn warn<K: Resource<DynamicType = ()>>(
    cluster: &Cluster,
    object: &K,
    conditions: &[Condition],
) {
    for condition in conditions.iter().filter(|condition| is_bad(condition)) {
        cluster
            .warn(object, &condition.reason, "Reconcile", &condition.message)
            .await;
    }
}

fn is_bad(condition: &Condition) -> bool {
    let passing = [
        Reason::Progressing,
        Reason::Terminating,
        Reason::Queued,
        Reason::Running,
        Reason::Waiting,
    ];
    condition.status != ConditionStatus::True.as_str()
        && !passing.iter().any(|reason| reason.as_str() == condition.reason)
}

/// Whether a status is good for this generation: an API server that is away for a moment takes nothing from it.
#[must_use]
pub(crate) fn stays_ready(conditions: &[Condition], generation: Option<i64>, failure: Reason) -> bool {
    failure == Reason::ApiUnavailable
        && conditions.iter().any(|condition| {
            condition.type_ == READY
                && condition.status == ConditionStatus::True.as_str()
                && condition.observed_generation == generation
        })
}

/// Failures in a row, by object.
struct Failures<K: Resource<DynamicType = ()>>(Mutex<HashMap<ObjectRef<K>, u32>>);

impl<K: Resource<DynamicType = ()>> Failures<K> {
    fn clear(&self, object: &ObjectRef<K>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(object);
    }

    fn next(&self, object: ObjectRef<K>) -> Duration {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(object).or_insert(0);
        *count = count.saturating_add(1);
        backoff(*count)
    }
}

fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST_RETRY.saturating_mul(1 << doublings).min(LAST_RETRY)
}

/// A controller that can be started.
pub(crate) struct Controller<K: Resource<DynamicType = ()> + 'static> {
    /// Its name, in metrics.
    pub(crate) name: &'static str,
    /// The objects.
    pub(crate) store: Store<K>,
    /// Those that wait.
    pub(crate) queue: Queue<ObjectRef<K>>,
    /// Where reconciles are counted.
    pub(crate) metrics: Metrics,
}

impl<K> Controller<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    /// Reconciles until `stop`; then what is under way ends.
    pub(crate) async fn drive<C, F, Fut>(self, context: Arc<C>, reconcile: F, stop: CancellationToken)
    where
        C: Send + Sync + 'static,
        F: Fn(Arc<K>, Arc<C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        let Self {
            name,
            store,
            queue,
            metrics,
        } = self;
        let failures = Arc::new(Failures::<K>(Mutex::default()));
        let cleared = Arc::clone(&failures);
        let reconcile = move |object: Arc<K>, context: Arc<C>| {
            let (started, metrics, cleared) = (Instant::now(), metrics.clone(), Arc::clone(&cleared));
            let reference = ObjectRef::from_obj(&*object);
            reconcile(object, context)
                .map(move |result| {
                    metrics.reconciled(name, result.is_ok(), started.elapsed());
                    if result.is_ok() {
                        cleared.clear(&reference);
                    }
                    result
                })
                .boxed()
        };
        let retry = move |object: Arc<K>, error: &Error, _: Arc<C>| {
            let wait = failures.next(ObjectRef::from_obj(&*object));
            let (namespace, object) = (object.namespace().unwrap_or_default(), object.name_any());
            tracing::warn!(
                controller = name, object.namespace = namespace, object.name = object,
                retry.milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                error = %Chain(error), "a reconcile failed; it is tried again",
            );
            Action::requeue(wait)
        };
        let waiting = queue
            .stream()
            .map(Ok::<_, std::convert::Infallible>)
            .take_until(stop.cancelled_owned());
        applier(
            reconcile,
            retry,
            context,
            store,
            Box::pin(waiting),
            Config::default().concurrency(AT_ONCE),
        )
        .for_each(|result| {
            // A failed reconcile was logged above; an object that went has nothing left to do.
            if let Err(error) = result
                && !matches!(
                    error,
                    ControllerError::ReconcilerFailed(..) | ControllerError::ObjectNotFound(..)
                )
            {
                tracing::error!(controller = name, error = %Chain(&error), "the controller failed");
            }
            std::future::ready(())
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowpilot_crds::condition::condition;

    #[test]
    fn an_object_that_cannot_be_read_is_a_rejection_and_no_failure() {
        let broken = serde_json::json!({
            "apiVersion": "flowpilot.io/v1alpha1", "kind": "Tenant",
            "metadata": {"name": "a"}, "spec": {"members": 7},
        });
        let guarded: Guarded<Tenant> = serde_json::from_value(broken).unwrap();
        assert_eq!(guarded.name_any(), "a");
        assert_eq!(read(&guarded).unwrap_err().reason, Reason::InvalidSpec);
    }

    #[test]
    fn an_api_server_that_is_away_takes_nothing_from_what_is_ready() {
        let why = (ConditionStatus::True, Reason::Available);
        let ready = condition(READY, why, "", Some(2), (&[], jiff::Timestamp::UNIX_EPOCH));
        let conditions = std::slice::from_ref(&ready);
        assert!(stays_ready(conditions, Some(2), Reason::ApiUnavailable));
        assert!(!stays_ready(conditions, Some(3), Reason::ApiUnavailable));
        assert!(!stays_ready(conditions, Some(2), Reason::ApplyFailed));
        assert!(!stays_ready(&[], Some(2), Reason::ApiUnavailable));
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<_> = [1, 2, 3, 8, 100]
            .into_iter()
            .map(|count| backoff(count).as_millis())
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 60_000, 60_000]);
    }
}
