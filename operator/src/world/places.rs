//! The order of the workflows in each namespace, oldest first: by it everybody comes to the same answer as to which of
//! them are above a quota.
//!
//! It is counted beside the store, because a scan of all workflows for each of them would be quadratic.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use kube::{Resource, ResourceExt};

use crate::cache::Presence;

/// All places; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<String, Line>>>);

/// One namespace's.
#[derive(Default)]
struct Line {
    order: BTreeSet<(Option<Timestamp>, String)>,
    created: HashMap<String, Option<Timestamp>>,
}

impl Places {
    /// An object came, changed or went; says whether that moved any place.
    pub(crate) fn note<K: Resource>(&self, object: &K, presence: Presence) -> bool {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let created = object.creation_timestamp().map(|time| time.0);
        let mut lines = self.lines();
        let line = lines.entry(namespace.clone()).or_default();
        let before = match presence {
            Presence::There => line.created.insert(name.clone(), created),
            Presence::Gone => line.created.remove(&name),
        };
        let after = (presence == Presence::There).then_some(created);
        let moved = before != after;
        if moved {
            if let Some(before) = before {
                line.order.remove(&(before, name.clone()));
            }
            if let Some(after) = after {
                line.order.insert((after, name));
            }
        }
        if line.order.is_empty() {
            lines.remove(&namespace);
        }
        moved
    }

    /// How many there are in a namespace.
    pub(crate) fn count(&self, namespace: &str) -> usize {
        self.lines().get(namespace).map_or(0, |line| line.order.len())
    }

    /// Whether one of this name is there.
    pub(crate) fn has(&self, namespace: &str, name: &str) -> bool {
        self.lines()
            .get(namespace)
            .is_some_and(|line| line.created.contains_key(name))
    }

    /// Whether `quota` others come before this one.
    pub(crate) fn is_over(&self, namespace: &str, name: &str, quota: usize) -> bool {
        let lines = self.lines();
        let Some(line) = lines.get(namespace) else {
            return false;
        };
        let Some(created) = line.created.get(name) else {
            return false;
        };
        // Without a glance at the order in the usual case.
        line.order.len() > quota
            && line
                .order
                .iter()
                .nth(quota)
                .is_some_and(|(first, first_name)| (first, first_name.as_str()) <= (created, name))
    }

    /// The last one within `quota` and the first one above it: whoever else comes or goes, no other one's side changes.
    pub(crate) fn edge(&self, namespace: &str, quota: usize) -> Vec<String> {
        let lines = self.lines();
        match lines.get(namespace) {
            Some(line) if line.order.len() >= quota => {
                let around = line.order.iter().skip(quota.saturating_sub(1)).take(2);
                around.map(|(_, name)| name.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn object(name: &str, second: i64) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some(name.to_owned());
        object.metadata.namespace = Some("fp-a".to_owned());
        object.metadata.creation_timestamp = Some(Time(Timestamp::from_second(second).unwrap()));
        object
    }

    fn over(places: &Places, quota: usize) -> Vec<&'static str> {
        ["a", "b", "c", "d"]
            .into_iter()
            .filter(|name| places.is_over("fp-a", name, quota))
            .collect()
    }

    #[test]
    fn the_oldest_are_within_the_quota_and_names_decide_among_equals() {
        let places = Places::default();
        for (name, second) in [("d", 1), ("b", 2), ("a", 2), ("c", 3)] {
            assert!(places.note(&object(name, second), Presence::There));
        }
        assert_eq!(over(&places, 4), Vec::<&str>::new());
        assert_eq!(over(&places, 3), ["c"]);
        assert_eq!(over(&places, 2), ["b", "c"]);
        assert_eq!(over(&places, 0), ["a", "b", "c", "d"]);
        assert!(
            !places.is_over("fp-b", "a", 0),
            "another namespace's is not counted"
        );
    }

    #[test]
    fn whoever_goes_lets_the_one_at_the_edge_in() {
        let places = Places::default();
        for (name, second) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
            places.note(&object(name, second), Presence::There);
        }
        assert_eq!(over(&places, 2), ["c", "d"]);
        assert!(places.note(&object("a", 1), Presence::Gone));
        assert_eq!(over(&places, 2), ["d"]);
        assert_eq!(
            places.edge("fp-a", 2),
            ["c", "d"],
            "`c` came in and must be woken"
        );
        // Made again, it is the newest; the one at the edge stays in.
        assert!(places.note(&object("a", 5), Presence::There));
        assert_eq!(over(&places, 2), ["a", "d"]);
    }

    #[test]
    fn a_change_of_the_spec_moves_nobody_and_nothing_is_left_of_who_went() {
        let places = Places::default();
        assert!(places.note(&object("a", 1), Presence::There));
        assert!(!places.note(&object("a", 1), Presence::There));
        assert_eq!((places.count("fp-a"), places.has("fp-a", "a")), (1, true));
        assert!(places.edge("fp-a", 2).is_empty());
        assert!(places.note(&object("a", 1), Presence::Gone));
        assert!(!places.note(&object("a", 1), Presence::Gone));
        assert_eq!((places.count("fp-a"), places.has("fp-a", "a")), (0, false));
        assert!(places.lines().is_empty());
    }
}
