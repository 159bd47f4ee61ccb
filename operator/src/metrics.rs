//! What the operator counts. Labels have few values: never names of objects.

use flowpilot_telemetry::metrics::{Counter, EncodeLabelSet, Family, Gauge, Histogram, Registry, seconds};

/// Controller and how the reconcile ended: `ok` or `error`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReconcileLabels {
    /// The controller.
    pub(crate) controller: &'static str,
    /// How it ended.
    pub(crate) result: &'static str,
}

/// One controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ControllerLabels {
    /// The controller.
    pub(crate) controller: &'static str,
}

/// Who wrote what to the API server of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct WriteLabels {
    /// The controller.
    pub(crate) controller: &'static str,
    /// Kind of the object; `<kind>/status` for its status.
    pub(crate) kind: String,
    /// `apply`, `patch`, `create`, `update` or `delete`.
    pub(crate) verb: &'static str,
}

/// One kind and how admission answered: `allowed`, `denied` or `malformed`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct AdmissionLabels {
    /// Kind of the object.
    pub(crate) kind: &'static str,
    /// The answer.
    pub(crate) answer: &'static str,
}

/// All metrics of the operator; clones share them.
#[derive(Clone)]
pub(crate) struct Metrics {
    reconciles: Family<ReconcileLabels, Counter>,
    durations: Family<ControllerLabels, Histogram, fn() -> Histogram>,
    writes: Family<WriteLabels, Counter>,
    admissions: Family<AdmissionLabels, Counter>,
    admission_duration: Histogram,
    leader: Gauge,
}

impl Metrics {
    /// Registers them all.
    #[must_use]
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciles: Family::default(),
            durations: Family::new_with_constructor(seconds),
            writes: Family::default(),
            admissions: Family::default(),
            admission_duration: seconds(),
            leader: Gauge::default(),
        };
        let Self {
            reconciles,
            durations,
            writes,
            admissions,
            admission_duration,
            leader,
        } = metrics.clone();
        registry.register("operator_reconciles", "Reconciles that ended", reconciles);
        registry.register(
            "operator_reconcile_seconds",
            "How long reconciles took",
            durations,
        );
        registry.register(
            "operator_kubernetes_writes",
            "Requests to the API server of Kubernetes that write; none of them while nothing changes. Renewals of \
             the lease are counted under the controller `leader`",
            writes,
        );
        registry.register(
            "operator_admissions",
            "Admission reviews that were answered",
            admissions,
        );
        registry.register(
            "operator_admission_seconds",
            "How long admission reviews took",
            admission_duration,
        );
        registry.register("operator_leader", "1 while this process reconciles", leader);
        metrics
    }

    /// A reconcile ended.
    pub(crate) fn reconciled(&self, controller: &'static str, well: bool, took: std::time::Duration) {
        let result = if well { "ok" } else { "error" };
        self.reconciles
            .get_or_create(&ReconcileLabels { controller, result })
            .inc();
        self.durations
            .get_or_create(&ControllerLabels { controller })
            .observe(took.as_secs_f64());
    }

    /// A request that writes was sent.
    pub(crate) fn wrote(&self, controller: &'static str, kind: String, verb: &'static str) {
        self.writes
            .get_or_create(&WriteLabels {
                controller,
                kind,
                verb,
            })
            .inc();
    }

    /// A review was answered.
    pub(crate) fn admitted(&self, kind: &'static str, answer: &'static str, took: std::time::Duration) {
        self.admissions
            .get_or_create(&AdmissionLabels { kind, answer })
            .inc();
        self.admission_duration.observe(took.as_secs_f64());
    }

    /// Whether this process reconciles.
    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metrics")
    }
}
