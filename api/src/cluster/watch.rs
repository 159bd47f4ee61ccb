//! All Workflows of the cluster in memory, kept by one watch.
//!
//! Of `managedFields`, half of an object's size, only the name of the spec's owner is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use flowpilot_crds::Workflow;
use flowpilot_crds::names::BUILDER_MANAGER;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::definitions::Definition;

type Namespaces = HashMap<String, BTreeMap<String, Arc<Definition>>>;

/// A handle on what the watch has seen; clones share it.
#[derive(Clone, Default)]
pub struct Watch {
    state: Arc<RwLock<State>>,
}

#[derive(Default)]
struct State {
    synced: bool,
    known: Namespaces,
    /// A relist under way: it replaces `known` as a whole, so that deletions are not missed.
    coming: Namespaces,
}

impl Watch {
    /// Watches until `shutdown`; `ready` is told when everything has been read for the first time.
    pub async fn run(self, client: Client, shutdown: CancellationToken, ready: impl Fn() + Send) {
        let events = watcher(Api::<Workflow>::all(client), watcher::Config::default()).default_backoff();
        let mut events = std::pin::pin!(events.take_until(shutdown.cancelled()));
        loop {
            match events.try_next().await {
                Ok(Some(event)) => {
                    if self.see(event) {
                        ready();
                    }
                }
                Ok(None) => return,
                Err(error) => tracing::warn!(%error, "failed to watch workflows; trying again"),
            }
        }
    }

    /// Whether everything was read at least once.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.state.read().unwrap_or_else(PoisonError::into_inner).synced
    }

    pub(super) fn list(&self, namespace: &str) -> Vec<Arc<Definition>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state
            .known
            .get(namespace)
            .map(|names| names.values().cloned().collect())
            .unwrap_or_default()
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<Arc<Definition>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.known.get(namespace)?.get(name).cloned()
    }

    /// Takes an object in that a write answered with, unless the watch was faster.
    pub(super) fn saw(&self, definition: Arc<Definition>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let number = |definition: &Definition| definition.version.parse::<u64>().unwrap_or(0);
        let (namespace, name) = place(&definition.workflow);
        let names = state.known.entry(namespace).or_default();
        if names
            .get(&name)
            .is_none_or(|known| number(known) < number(&definition))
        {
            names.insert(name, definition);
        }
    }

    fn see(&self, event: watcher::Event<Workflow>) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            watcher::Event::Init => state.coming.clear(),
            watcher::Event::InitApply(workflow) => insert(&mut state.coming, workflow),
            watcher::Event::InitDone => {
                state.known = std::mem::take(&mut state.coming);
                return !std::mem::replace(&mut state.synced, true);
            }
            watcher::Event::Apply(workflow) => insert(&mut state.known, workflow),
            watcher::Event::Delete(workflow) => {
                let (namespace, name) = place(&workflow);
                if let Some(names) = state.known.get_mut(&namespace) {
                    names.remove(&name);
                    if names.is_empty() {
                        state.known.remove(&namespace);
                    }
                }
            }
        }
        false
    }
}

fn insert(known: &mut Namespaces, workflow: Workflow) {
    let (namespace, name) = place(&workflow);
    known
        .entry(namespace)
        .or_default()
        .insert(name, Arc::new(definition(workflow)));
}

fn place(workflow: &Workflow) -> (String, String) {
    let metadata = &workflow.metadata;
    (
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    )
}

/// An object of the cluster as a definition.
pub(super) fn definition(mut workflow: Workflow) -> Definition {
    let managed = workflow.metadata.managed_fields.take().unwrap_or_default();
    let version = workflow.metadata.resource_version.clone().unwrap_or_default();
    Definition {
        version,
        managed_by: owner(&managed),
        workflow,
    }
}

/// The field manager of the spec, unless that is this API; of several the one that wrote last.
fn owner(managed: &[ManagedFieldsEntry]) -> Option<String> {
    let of_spec = managed.iter().filter(|entry| {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
        entry.subresource.as_deref().unwrap_or_default().is_empty()
            && fields.is_some_and(|fields| fields.get("f:spec").is_some())
    });
    let others = of_spec.filter(|entry| entry.manager.as_deref() != Some(BUILDER_MANAGER));
    others
        .max_by_key(|entry| entry.time.as_ref().map(|time| time.0))
        .and_then(|entry| entry.manager.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workflow(name: &str, version: &str) -> Workflow {
        serde_json::from_value(json!({"apiVersion": "flowpilot.io/v1alpha1", "kind": "Workflow",
            "metadata": {"name": name, "namespace": "fp-acme", "resourceVersion": version, "managedFields": [
                {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:spec": {}}},
                {"manager": "flowpilot-workflow", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
                {"manager": "flowpilot-builder", "operation": "Apply", "fieldsV1": {"f:spec": {}}}]},
            "spec": {"steps": [{"id": "a", "set": {}}]}}))
        .unwrap()
    }

    #[test]
    fn a_relist_drops_what_is_gone_and_the_owner_of_the_spec_is_known() {
        let watch = Watch::default();
        watch.see(watcher::Event::Init);
        watch.see(watcher::Event::InitApply(workflow("a", "1")));
        watch.see(watcher::Event::InitApply(workflow("b", "2")));
        assert!(!watch.is_synced());
        assert!(watch.see(watcher::Event::InitDone));
        assert_eq!(
            watch.get("fp-acme", "a").unwrap().managed_by.as_deref(),
            Some("argocd-controller")
        );
        watch.see(watcher::Event::Init);
        watch.see(watcher::Event::InitApply(workflow("b", "2")));
        assert_eq!(
            watch.list("fp-acme").len(),
            2,
            "a relist that is not complete changes nothing"
        );
        assert!(!watch.see(watcher::Event::InitDone));
        assert_eq!(watch.list("fp-acme").len(), 1);
        watch.see(watcher::Event::Delete(workflow("b", "3")));
        assert!(watch.list("fp-acme").is_empty());
    }

    #[test]
    fn an_older_answer_never_replaces_a_newer_one() {
        let watch = Watch::default();
        watch.see(watcher::Event::Apply(workflow("a", "7")));
        watch.saw(Arc::new(definition(workflow("a", "6"))));
        assert_eq!(watch.get("fp-acme", "a").unwrap().version, "7");
        watch.saw(Arc::new(definition(workflow("a", "8"))));
        assert_eq!(watch.get("fp-acme", "a").unwrap().version, "8");
    }
}
