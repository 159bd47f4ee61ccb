//! The watches: each kind once, pruned to what is read.

use flowpilot_crds::{RunnerClass, Tenant, Workflow, WorkflowRun, names};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{LimitRange, Namespace, ResourceQuota, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::runtime::reflector::store::WriterDropped;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Client, ResourceExt};
use tokio_util::sync::CancellationToken;

use super::{Places, Queues};
use crate::cache::{Keeping, Presence, Watched, keep, prune, prune_child, same_wish};
use crate::scaling::Pools;
use crate::{Guarded, objects, workflow, workflow_run};

/// Local copies.
#[derive(Clone)]
pub(crate) struct Stores {
    /// All tenants.
    pub(crate) tenants: Store<Guarded<Tenant>>,
    /// All runner classes.
    pub(crate) classes: Store<Guarded<RunnerClass>>,
    /// All workflows.
    pub(crate) workflows: Store<Guarded<Workflow>>,
    /// Their order in each namespace.
    pub(crate) places: Places,
    /// All workflow runs.
    pub(crate) runs: Store<Guarded<WorkflowRun>>,
    /// Namespaces of tenants.
    pub(crate) namespaces: Store<Namespace>,
    /// What is in them.
    pub(crate) quotas: Store<ResourceQuota>,
    /// What is in them.
    pub(crate) limit_ranges: Store<LimitRange>,
    /// What is in them.
    pub(crate) network_policies: Store<NetworkPolicy>,
    /// What is in them.
    pub(crate) accounts: Store<ServiceAccount>,
    /// What is in them.
    pub(crate) role_bindings: Store<RoleBinding>,
    /// The runners' Deployments.
    pub(crate) deployments: Store<Deployment>,
}

impl Stores {
    /// Starts to watch everything.
    #[must_use]
    pub(crate) fn start(client: &Client, queues: &Queues, pools: &Pools, stop: &CancellationToken) -> Self {
        let watch = Watch { client, stop };
        let runs = queues.runs.clone();
        let own_class = queues.classes.clone();
        let classes = watch.custom(|_| {}, move |class| own_class.add(ObjectRef::from_obj(class)));
        let all_classes = {
            let (queue, classes) = (queues.classes.clone(), classes.clone());
            // There are few, and nothing is written for those that are not concerned.
            move || {
                classes
                    .state()
                    .iter()
                    .for_each(|class| queue.add(ObjectRef::from_obj(&**class)));
            }
        };
        let tenants = {
            let (queue, all_classes) = (queues.tenants.clone(), all_classes.clone());
            watch.custom(
                |_| {},
                move |tenant| {
                    queue.add(ObjectRef::from_obj(tenant));
                    // It may have left a class or come to one.
                    all_classes();
                },
            )
        };
        let to_tenant = || {
            let queue = queues.tenants.clone();
            move |tenant: &str| queue.add(ObjectRef::new(tenant))
        };
        let namespaces = {
            let to_tenant = to_tenant();
            move |tenant: &str| {
                to_tenant(tenant);
                // Deployments can be made only where there is a namespace.
                all_classes();
            }
        };
        let places = Places::default();
        Self {
            workflows: watch.workflows(queues, &tenants, &places),
            places,
            tenants,
            runs: watch.custom(workflow_run::prune, move |run| runs.add(ObjectRef::from_obj(run))),
            namespaces: watch.child(|namespace: &mut Namespace| namespace.status = None, namespaces),
            quotas: watch.child(|quota: &mut ResourceQuota| quota.status = None, to_tenant()),
            limit_ranges: watch.child(|_: &mut LimitRange| {}, to_tenant()),
            network_policies: watch.child(|_: &mut NetworkPolicy| {}, to_tenant()),
            accounts: watch.child(|_: &mut ServiceAccount| {}, to_tenant()),
            role_bindings: watch.child(|_: &mut RoleBinding| {}, to_tenant()),
            deployments: watch.deployments(queues, pools),
            classes,
        }
    }

    /// Returns when every first list has come; `false` if a watch ended instead.
    pub(crate) async fn ready(&self) -> bool {
        let Self {
            tenants,
            classes,
            workflows,
            places: _,
            runs,
            namespaces,
            quotas,
            limit_ranges,
            network_policies,
            accounts,
            role_bindings,
            deployments,
        } = self;
        let ready: [Result<(), WriterDropped>; 11] = futures::join!(
            tenants.wait_until_ready(),
            classes.wait_until_ready(),
            workflows.wait_until_ready(),
            runs.wait_until_ready(),
            namespaces.wait_until_ready(),
            quotas.wait_until_ready(),
            limit_ranges.wait_until_ready(),
            network_policies.wait_until_ready(),
            accounts.wait_until_ready(),
            role_bindings.wait_until_ready(),
            deployments.wait_until_ready(),
        )
        .into();
        ready.iter().all(Result::is_ok)
    }
}

struct Watch<'a> {
    client: &'a Client,
    stop: &'a CancellationToken,
}

impl Watch<'_> {
    /// Watches a custom resource. One that cannot be read is kept as such, and stops nobody else.
    fn custom<K>(
        &self,
        drop_more: fn(&mut K),
        told: impl Fn(&Guarded<K>) + Send + Sync + 'static,
    ) -> Store<Guarded<K>>
    where
        K: Watched,
    {
        self.custom_noted(drop_more, |_, _| {}, told)
    }

    fn custom_noted<K>(
        &self,
        drop_more: fn(&mut K),
        noted: impl Fn(&Guarded<K>, Presence) + Send + Sync + 'static,
        told: impl Fn(&Guarded<K>) + Send + Sync + 'static,
    ) -> Store<Guarded<K>>
    where
        K: Watched,
    {
        let prune = move |object: &mut Guarded<K>| {
            prune(object);
            if let Ok(object) = &mut object.0 {
                drop_more(object);
            }
        };
        let keeping = Keeping {
            labels: None,
            prune: Box::new(prune),
            same: same_wish,
            noted: Box::new(noted),
            told: Box::new(told),
        };
        keep(self.client, keeping, self.stop)
    }

    /// Watches workflows, and wakes those whose place comes within the quota, or falls out of it, by what another one does.
    fn workflows(
        &self,
        queues: &Queues,
        tenants: &Store<Guarded<Tenant>>,
        places: &Places,
    ) -> Store<Guarded<Workflow>> {
        let (queue, at_edge) = (queues.workflows.clone(), queues.workflows.clone());
        let (tenants, places) = (tenants.clone(), places.clone());
        let noted = move |object: &Guarded<Workflow>, presence| {
            if places.note(object, presence) {
                let namespace = object.namespace().unwrap_or_default();
                let quota = workflow::quota::of(&tenants, &namespace);
                for name in places.edge(&namespace, quota) {
                    at_edge.add(ObjectRef::new(&name).within(&namespace));
                }
            }
        };
        self.custom_noted(
            |_| {},
            noted,
            move |workflow| queue.add(ObjectRef::from_obj(workflow)),
        )
    }

    /// Watches what is made for tenants. Statuses are nobody's concern here, and dropped.
    fn child<K>(&self, drop_status: fn(&mut K), told: impl Fn(&str) + Send + Sync + 'static) -> Store<K>
    where
        K: Watched + PartialEq,
    {
        let prune = move |object: &mut K| {
            prune_child(object);
            drop_status(object);
        };
        let told = move |object: &K| {
            if let Some(tenant) = object.labels().get(names::TENANT_LABEL) {
                told(tenant);
            }
        };
        let labels = Some(objects::ours());
        let keeping = Keeping {
            labels,
            prune: Box::new(prune),
            same: K::eq,
            noted: Box::new(|_, _| {}),
            told: Box::new(told),
        };
        keep(self.client, keeping, self.stop)
    }

    fn deployments(&self, queues: &Queues, pools: &Pools) -> Store<Deployment> {
        let prune = |deployment: &mut Deployment| {
            prune_child(deployment);
            deployment.status = None;
            // Both are counted by the system, and change with the replicas.
            deployment.metadata.generation = None;
            deployment
                .annotations_mut()
                .remove("deployment.kubernetes.io/revision");
        };
        let (queue, pools) = (queues.classes.clone(), pools.clone());
        let told = move |deployment: &Deployment| {
            if let Some(class) = deployment.labels().get(names::RUNNER_CLASS_LABEL) {
                queue.add(ObjectRef::new(class));
            }
            pools.wake();
        };
        let labels = Some(objects::ours());
        let keeping = Keeping {
            labels,
            prune: Box::new(prune),
            same: Deployment::eq,
            noted: Box::new(|_, _| {}),
            told: Box::new(told),
        };
        keep(self.client, keeping, self.stop)
    }
}
