//! Figures of this replica, scraped at `/metrics`.

use flowpilot_telemetry::metrics::{Counter, EncodeLabelSet, Family, Gauge, Histogram, Registry, seconds};

/// Labels of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// Pattern of the route.
    pub route: String,
    /// Method.
    pub method: String,
    /// Status of the answer.
    pub status: u16,
}

/// Labels of a duration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabels {
    /// Pattern of the route.
    pub route: String,
    /// Method.
    pub method: String,
}

/// One word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WordLabels {
    /// The word.
    pub kind: &'static str,
}

/// What is counted.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    runs_started: Family<WordLabels, Counter>,
    runs_finished: Family<WordLabels, Counter>,
    commits: Family<WordLabels, Counter>,
    runs_leased: Counter,
    streams: Gauge,
    queue_runs: Family<WordLabels, Gauge>,
    queue_oldest: Gauge,
    clock: Gauge,
}

impl Metrics {
    /// Registers all of them.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(seconds),
            runs_started: Family::default(),
            runs_finished: Family::default(),
            commits: Family::default(),
            runs_leased: Counter::default(),
            streams: Gauge::default(),
            queue_runs: Family::default(),
            queue_oldest: Gauge::default(),
            clock: Gauge::default(),
        };
        registry.register(
            "api_requests",
            "Requests that were answered",
            metrics.requests.clone(),
        );
        registry.register(
            "api_request_seconds",
            "Time until the answer began",
            metrics.durations.clone(),
        );
        registry.register(
            "api_runs_started",
            "Runs that were accepted, by what started them",
            metrics.runs_started.clone(),
        );
        registry.register(
            "api_runs_finished",
            "Runs that ended, by outcome",
            metrics.runs_finished.clone(),
        );
        registry.register(
            "api_commits",
            "Commits of runners, by result",
            metrics.commits.clone(),
        );
        registry.register(
            "api_runs_leased",
            "Runs that were handed to runners",
            metrics.runs_leased.clone(),
        );
        registry.register("api_streams", "Streams that are open", metrics.streams.clone());
        registry.register(
            "queue_runs",
            "Runs that wait for a runner or are held by one, all tenants",
            metrics.queue_runs.clone(),
        );
        registry.register(
            "queue_oldest_seconds",
            "Age of the oldest run that waits for a runner",
            metrics.queue_oldest.clone(),
        );
        registry.register(
            "api_clock_ahead_milliseconds",
            "How far this clock is ahead of the database's at least, or behind it; beyond 5,000 no runs are started here",
            metrics.clock.clone(),
        );
        metrics
    }

    pub(crate) fn request(&self, route: &str, method: &str, status: u16, seconds: f64) {
        let (route, method) = (route.to_owned(), method.to_owned());
        self.durations
            .get_or_create(&RouteLabels {
                route: route.clone(),
                method: method.clone(),
            })
            .observe(seconds);
        self.requests
            .get_or_create(&RequestLabels {
                route,
                method,
                status,
            })
            .inc();
    }

    pub(crate) fn run_started(&self, trigger: &'static str) {
        self.runs_started
            .get_or_create(&WordLabels { kind: trigger })
            .inc();
    }

    pub(crate) fn run_finished(&self, outcome: &'static str) {
        self.runs_finished
            .get_or_create(&WordLabels { kind: outcome })
            .inc();
    }

    pub(crate) fn commit(&self, result: &'static str) {
        self.commits.get_or_create(&WordLabels { kind: result }).inc();
    }

    pub(crate) fn leased(&self, runs: usize) {
        self.runs_leased.inc_by(runs as u64);
    }

    pub(crate) fn stream(&self, change: i64) {
        self.streams.inc_by(change);
    }

    pub(crate) fn clock(&self, ahead: i64) {
        self.clock.set(ahead);
    }

    pub(crate) fn queue(&self, ready: i64, leased: i64, oldest_seconds: i64) {
        self.queue_runs
            .get_or_create(&WordLabels { kind: "ready" })
            .set(ready);
        self.queue_runs
            .get_or_create(&WordLabels { kind: "leased" })
            .set(leased);
        self.queue_oldest.set(oldest_seconds);
    }
}
