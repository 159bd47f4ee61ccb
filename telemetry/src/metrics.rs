//! The kinds of metrics that all binaries share, under one roof.
//!
//! Names begin with `flowpilot_`, carry their unit (`_seconds`, `_bytes`), and have labels with few values:
//! never ids of runs, and names of tenants only where each process knows one.

pub use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
pub use prometheus_client::metrics::counter::Counter;
pub use prometheus_client::metrics::family::Family;
pub use prometheus_client::metrics::gauge::Gauge;
pub use prometheus_client::metrics::histogram::Histogram;
pub use prometheus_client::registry::{Registry, Unit};

/// The registry of a binary: whatever is registered here is prefixed with `flowpilot_`.
#[must_use]
pub fn registry() -> Registry {
    Registry::with_prefix("flowpilot")
}

/// A histogram of durations in seconds, from half a millisecond to half a minute.
///
/// It is a function and no closure so that it can be the constructor of a [`Family`].
#[must_use]
pub fn seconds() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}
