//! Local copies of what is watched, pruned, and who is told when something in them really changed.
//!
//! Every object is watched once and shared: the controllers, the scaler and admission read the same store. What a
//! kind does not need (managed fields, statuses of children) is dropped before it is stored, and a change of only
//! that wakes nobody: a controller's own status patch does not call it again.

use std::fmt::Debug;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use kube::runtime::reflector::{ObjectRef, Store, store::Writer};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

/// Objects per page of a list: the first answer of a large cluster must not fill the memory at once.
const PAGE: u32 = 100;

/// A kind that can be watched.
pub(crate) trait Watched:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}
impl<K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static> Watched for K {}

/// Whether an object that is spoken of is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It came or changed.
    There,
    /// It went.
    Gone,
}

/// Somebody who counts objects.
type Noted<K> = dyn Fn(&K, Presence) + Send + Sync;

/// How a kind is kept.
pub(crate) struct Keeping<K> {
    /// Selects the objects; `None` for all.
    pub(crate) labels: Option<String>,
    /// Drops what nobody reads.
    pub(crate) prune: Box<dyn Fn(&mut K) + Send + Sync>,
    /// Whether nobody needs to know of the step from the first to the second.
    pub(crate) same: fn(&K, &K) -> bool,
    /// Called first, with every object that comes, changes or goes, also of the first list, before the store is ready:
    /// what is counted here is complete when the store is.
    pub(crate) noted: Box<Noted<K>>,
    /// Called after the store has it: with every object that came, changed or went.
    pub(crate) told: Box<dyn Fn(&K) + Send + Sync>,
}

/// Starts to watch a kind over all namespaces. The store is empty until its first list has come.
pub(crate) fn keep<K: Watched>(client: &Client, keeping: Keeping<K>, stop: &CancellationToken) -> Store<K> {
    let writer = Writer::<K>::new(());
    let store = writer.as_reader();
    let mut config = watcher::Config::default().page_size(PAGE);
    if let Some(labels) = &keeping.labels {
        config = config.labels(labels);
    }
    let events = watcher(Api::<K>::all(client.clone()), config).default_backoff();
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = follow(Box::pin(events), writer, &keeping) => {}
            () = stop.cancelled() => {}
        }
    });
    store
}

async fn follow<K: Watched>(
    mut events: impl Stream<Item = watcher::Result<watcher::Event<K>>> + Unpin,
    mut writer: Writer<K>,
    keeping: &Keeping<K>,
) {
    let store = writer.as_reader();
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event.modify(&keeping.prune),
            Err(error) => {
                let kind = K::kind(&());
                tracing::warn!(error = %Chain(&error), kind = %kind, "failed to watch; it is tried again");
                continue;
            }
        };
        match &event {
            watcher::Event::Init => writer.apply_watcher_event(&event),
            watcher::Event::InitApply(object) => {
                (keeping.noted)(object, Presence::There);
                writer.apply_watcher_event(&event);
            }
            watcher::Event::InitDone => {
                // A list that came anew does not say what went meanwhile: everybody who was or is there is told.
                let before = store.state();
                writer.apply_watcher_event(&event);
                for old in &before {
                    if store.get(&reference(&**old)).is_none() {
                        (keeping.noted)(old, Presence::Gone);
                        (keeping.told)(old);
                    }
                }
                store.state().iter().for_each(|object| (keeping.told)(object));
            }
            watcher::Event::Apply(object) => {
                (keeping.noted)(object, Presence::There);
                let before: Option<Arc<K>> = store.get(&reference(object));
                writer.apply_watcher_event(&event);
                if !before.is_some_and(|before| (keeping.same)(&before, object)) {
                    (keeping.told)(object);
                }
            }
            watcher::Event::Delete(object) => {
                (keeping.noted)(object, Presence::Gone);
                writer.apply_watcher_event(&event);
                (keeping.told)(object);
            }
        }
    }
}

fn reference<K: Watched>(object: &K) -> ObjectRef<K> {
    ObjectRef::from_obj(object)
}

/// Whether two states of a custom resource ask for the same: everything but its status, finalizers and managed
/// fields.
pub(crate) fn same_wish<K: Resource>(old: &K, new: &K) -> bool {
    let (old, new) = (old.meta(), new.meta());
    old.uid == new.uid
        && old.generation == new.generation
        && old.deletion_timestamp == new.deletion_timestamp
        && old.labels == new.labels
        && old.annotations == new.annotations
}

/// Drops what no controller reads of any object.
pub(crate) fn prune<K: Resource>(object: &mut K) {
    let meta = object.meta_mut();
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// Drops also the version, so that two states with the same content are equal.
pub(crate) fn prune_child<K: Resource>(object: &mut K) {
    prune(object);
    object.meta_mut().resource_version = None;
}

/// An error with all its causes on one line.
pub(crate) struct Chain<'a>(pub &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut said = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            // Several libraries repeat their cause in their own text.
            let text = error.to_string();
            if !said.contains(&text) {
                write!(formatter, ": {text}")?;
                said = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::{Namespace, NamespaceStatus};
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    fn namespace(name: &str, label: &str) -> Namespace {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        namespace.metadata.labels = Some([("a".to_owned(), label.to_owned())].into());
        namespace.metadata.resource_version = Some("7".to_owned());
        namespace.status = Some(NamespaceStatus::default());
        namespace
    }

    #[tokio::test]
    async fn only_real_changes_are_told_and_what_went_unseen_too() {
        use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};
        let (told, noted) = (
            Arc::new(Mutex::new(Vec::new())),
            Arc::new(Mutex::new(BTreeSet::new())),
        );
        let keeping = Keeping {
            labels: None,
            prune: Box::new(|namespace: &mut Namespace| {
                prune_child(namespace);
                namespace.status = None;
            }),
            same: Namespace::eq,
            noted: {
                let noted = Arc::clone(&noted);
                Box::new(move |namespace: &Namespace, presence| {
                    let (name, mut noted) = (namespace.metadata.name.clone().unwrap(), noted.lock().unwrap());
                    match presence {
                        Presence::There => noted.insert(name),
                        Presence::Gone => noted.remove(&name),
                    };
                })
            },
            told: {
                let told = Arc::clone(&told);
                Box::new(move |namespace: &Namespace| {
                    told.lock()
                        .unwrap()
                        .push(namespace.metadata.name.clone().unwrap());
                })
            },
        };
        let mut other_version = namespace("a", "1");
        other_version.metadata.resource_version = Some("8".to_owned());
        let events = [
            Init,
            InitApply(namespace("a", "1")),
            InitDone,
            Apply(other_version),
            Apply(namespace("a", "2")),
            Apply(namespace("b", "1")),
            Delete(namespace("b", "1")),
            Init,
            InitApply(namespace("c", "1")),
            InitDone,
        ];
        follow(futures::stream::iter(events.map(Ok)), Writer::new(()), &keeping).await;
        assert_eq!(*told.lock().unwrap(), ["a", "a", "b", "b", "a", "c"]);
        assert_eq!(*noted.lock().unwrap(), BTreeSet::from(["c".to_owned()]));
    }
}
