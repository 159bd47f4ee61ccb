//! Whether this process can do its work right now, as its parts say it.
//!
//! Alive and ready are two things: a process is alive as long as it answers at all, and ready when every part it
//! named can work. A process that is not ready gets no traffic; one that is not alive is started anew. That is
//! why nothing here ever makes `/livez` fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle on the state of the process; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Health {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    checks: BTreeMap<String, bool>,
    draining: bool,
}

impl Health {
    /// A process whose named parts are not ready yet.
    pub fn new<Name: Into<String>>(checks: impl IntoIterator<Item = Name>) -> Self {
        let checks = checks.into_iter().map(|name| (name.into(), false)).collect();
        Self {
            state: Arc::new(Mutex::new(State {
                checks,
                draining: false,
            })),
        }
    }

    /// Says whether a part can work. A name that is not known yet is added.
    pub fn set_ready(&self, name: &str, ready: bool) {
        let mut state = self.lock();
        match state.checks.get_mut(name) {
            Some(known) => *known = ready,
            None => {
                state.checks.insert(name.to_owned(), ready);
            }
        }
    }

    /// The process is about to end and wants no more traffic. There is no way back.
    pub fn drain(&self) {
        self.lock().draining = true;
    }

    /// Whether [`drain`](Self::drain) was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.lock().draining
    }

    /// Names of the parts that cannot work, sorted, and `draining`; empty when the process is ready.
    #[must_use]
    pub fn not_ready(&self) -> Vec<String> {
        let state = self.lock();
        let parts = state
            .checks
            .iter()
            .filter(|(_, ready)| !**ready)
            .map(|(name, _)| name.clone());
        parts
            .chain(state.draining.then(|| "draining".to_owned()))
            .collect()
    }

    /// Whether every part can work and the process does not drain.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.not_ready().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic between two assignments cannot leave half a state behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_not_ready_until_they_say_so() {
        let health = Health::new(["database", "session"]);
        assert_eq!(health.not_ready(), ["database", "session"]);
        health.set_ready("database", true);
        health.clone().set_ready("session", true);
        assert!(health.is_ready());
        health.set_ready("database", false);
        assert_eq!(health.not_ready(), ["database"]);
    }

    #[test]
    fn a_draining_process_is_never_ready() {
        let health = Health::default();
        assert!(health.is_ready());
        health.drain();
        assert_eq!(health.not_ready(), ["draining"]);
        assert!(health.is_draining());
    }
}
