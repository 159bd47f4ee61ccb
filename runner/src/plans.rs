//! Plans that were seen, so that they do not travel again.

use std::collections::VecDeque;
use std::sync::Arc;

use flowpilot_engine::plan::Plan;

/// Plans that are kept. Each lease names them; at 75 bytes a digest this stays a small request.
const KEPT: usize = 64;

/// The plans used last.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    /// The one used last stands last.
    plans: VecDeque<(String, Arc<Plan>)>,
}

impl Plans {
    /// Digests of the plans that are here.
    pub(crate) fn digests(&self) -> Vec<String> {
        self.plans.iter().map(|(digest, _)| digest.clone()).collect()
    }

    /// The plan of this digest.
    pub(crate) fn get(&mut self, digest: &str) -> Option<Arc<Plan>> {
        let position = self.plans.iter().position(|(known, _)| known == digest)?;
        let entry = self.plans.remove(position)?;
        let plan = Arc::clone(&entry.1);
        self.plans.push_back(entry);
        Some(plan)
    }

    /// Keeps a plan; the one not used for longest makes room.
    pub(crate) fn insert(&mut self, digest: String, plan: Arc<Plan>) {
        self.plans.retain(|(known, _)| *known != digest);
        if self.plans.len() == KEPT {
            self.plans.pop_front();
        }
        self.plans.push_back((digest, plan));
    }
}
