//! Objects that wait to be reconciled, each at most once.
//!
//! Watches put references in, the controller takes them out. It is a set, so it never holds more than there are
//! objects, also in a replica that only waits for the lease: that one finds everything queued when it takes over.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures::Stream;
use tokio::sync::Notify;

/// The waiting references; clones share them.
pub(crate) struct Queue<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    waiting: Mutex<HashSet<T>>,
    added: Notify,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            shared: Arc::new(Shared {
                waiting: Mutex::new(HashSet::new()),
                added: Notify::new(),
            }),
        }
    }
}

impl<T: Eq + Hash + Clone> Queue<T> {
    /// Adds one, unless it waits already.
    pub(crate) fn add(&self, item: T) {
        self.shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(item);
        self.shared.added.notify_one();
    }

    /// Takes one out, as soon as there is one.
    pub(crate) async fn next(&self) -> T {
        loop {
            if let Some(item) = self.take() {
                return item;
            }
            self.shared.added.notified().await;
        }
    }

    /// All that come, without end.
    pub(crate) fn stream(&self) -> impl Stream<Item = T> + Send + use<T>
    where
        T: Send + Sync + 'static,
    {
        futures::stream::unfold(self.clone(), async |queue| Some((queue.next().await, queue)))
    }

    fn take(&self) -> Option<T> {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let item = waiting.iter().next().cloned()?;
        waiting.take(&item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_waits_once() {
        let queue = Queue::default();
        for item in ["a", "b", "a"] {
            queue.add(item);
        }
        let mut taken = [queue.next().await, queue.next().await];
        taken.sort_unstable();
        assert_eq!(taken, ["a", "b"]);
        assert!(queue.take().is_none());
    }
}
