//! Logs, metrics, health and shutdown, the same for every binary.
