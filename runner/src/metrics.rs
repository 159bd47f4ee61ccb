//! What a runner counts.

use flowpilot_telemetry::metrics::{Counter, EncodeLabelSet, Family, Gauge, Histogram, Registry, seconds};

/// The figures; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Runs in the runner's hands.
    pub(crate) held: Gauge,
    /// 1 with a session, 0 without.
    pub(crate) session: Gauge,
    /// Attempts that ended.
    pub(crate) actions: Family<ActionLabels, Counter>,
    /// From handing events over to knowing that they are stored.
    pub(crate) commit_seconds: Histogram,
    /// Heartbeats without a good answer.
    pub(crate) heartbeats_missed: Counter,
    /// Runs that were taken away.
    pub(crate) runs_lost: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ActionLabels {
    pub(crate) action: String,
    pub(crate) result: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            held: Gauge::default(),
            session: Gauge::default(),
            actions: Family::default(),
            commit_seconds: seconds(),
            heartbeats_missed: Counter::default(),
            runs_lost: Counter::default(),
        }
    }
}

impl Metrics {
    /// The figures, under the names with which they are scraped.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let runner = registry.sub_registry_with_prefix("runner");
        runner.register("runs_held", "Runs in the runner's hands", metrics.held.clone());
        runner.register(
            "session_open",
            "1 while the API server knows this runner",
            metrics.session.clone(),
        );
        runner.register(
            "actions",
            "Attempts that ended, by action and result",
            metrics.actions.clone(),
        );
        let help = "Time from handing events over to knowing that they are stored";
        runner.register("commit_seconds", help, metrics.commit_seconds.clone());
        let help = "Heartbeats without a good answer";
        runner.register("heartbeats_missed", help, metrics.heartbeats_missed.clone());
        runner.register(
            "runs_lost",
            "Runs that another runner took over",
            metrics.runs_lost.clone(),
        );
        metrics
    }

    pub(crate) fn action_ended(&self, action: &str, result: &'static str) {
        self.actions
            .get_or_create(&ActionLabels {
                action: action.to_owned(),
                result,
            })
            .inc();
    }
}
