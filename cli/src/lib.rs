//! The flowpilot command: lint, run, runs, logs, dev, version.
