//! Tests that take parts of the installation away, one after another: nothing may be lost, doubled or invented.

#[path = "disruption/database.rs"]
mod database;
#[path = "disruption/journey.rs"]
mod journey;
#[path = "disruption/processes.rs"]
mod processes;
#[path = "disruption/release.rs"]
mod release;

/// One at a time: each of these stops something that the others need.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
