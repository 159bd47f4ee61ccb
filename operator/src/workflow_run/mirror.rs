//! Follows beginnings and ends of runs at the API server: one long poll for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flowpilot_crds::WorkflowRun;
use flowpilot_engine::protocol::operator::RunReport;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::update_status::has_ended;
use crate::Guarded;
use crate::cache::Chain;
use crate::world::World;

/// Wait after a poll that failed.
const RETRY: Duration = Duration::from_secs(1);
/// Reports that are kept at most. One that is lost is found by asking for its run.
const KEPT: usize = 1000;

/// What was reported and is not in a status yet; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<Mutex<HashMap<Uuid, RunReport>>>);

impl Reports {
    pub(super) fn get(&self, uid: Uuid) -> Option<RunReport> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&uid)
            .cloned()
    }

    /// The status has it.
    pub(super) fn seen(&self, uid: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&uid);
    }

    /// The status has it, unless the end has come meanwhile.
    pub(super) fn seen_open(&self, uid: Uuid) {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.get(&uid).is_some_and(|report| !is_end(report)) {
            reports.remove(&uid);
        }
    }

    fn keep(&self, report: RunReport) {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() < KEPT || reports.contains_key(&report.uid) {
            reports.insert(report.uid, report);
        }
    }
}

/// Whether a report tells a run's end.
pub(super) fn is_end(report: &RunReport) -> bool {
    matches!(report.state.as_str(), "succeeded" | "failed" | "cancelled")
}

/// Follows until `stop`. It starts from the beginning of what the API server still has: an operator that was away
/// misses nothing.
pub(crate) async fn follow(world: Arc<World>, stop: CancellationToken) {
    let mut after = 0;
    loop {
        let answer = tokio::select! {
            answer = world.api.run_changes(after) => answer,
            () = stop.cancelled() => return,
        };
        match answer {
            Ok(changes) => {
                after = changes.next;
                take(&world, changes.changes);
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "failed to ask for runs that ended");
                tokio::select! {
                    () = tokio::time::sleep(RETRY) => {}
                    () = stop.cancelled() => return,
                }
            }
        }
    }
}

fn take(world: &World, changes: Vec<RunReport>) {
    if changes.is_empty() {
        return;
    }
    let open: HashMap<String, ObjectRef<Guarded<WorkflowRun>>> = world
        .stores
        .runs
        .state()
        .iter()
        .filter(|run| run.0.as_ref().is_ok_and(|run| !has_ended(run.status.as_ref())))
        .filter_map(|run| Some((run.uid()?, ObjectRef::from_obj(&**run))))
        .collect();
    for report in changes {
        if let Some(run) = open.get(&report.uid.to_string()) {
            world.reports.keep(report);
            world.queues.runs.add(run.clone());
        }
    }
}
