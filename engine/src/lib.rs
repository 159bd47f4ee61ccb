//! The meaning of a workflow: compiler, expressions and a pure state machine.
//!
//! ```text
//! manifest ──► check_workflow ──► compile ──► Plan ─┐
//!                                  │                ├─► Run ──► commands
//!                                  └─► problems     │    ▲
//!                                          journal ─┘    └─ events
//! ```
//!
//! Boundary: no clock, no randomness, no network, no database. The same plan and journal always give the same
//! commands; whoever drives the machine supplies the time.

pub mod action;
pub mod compile;
pub mod digest;
pub mod duration;
pub mod expression;
pub mod journal;
pub mod manifest;
pub mod plan;
pub mod problem;
pub mod protocol;
pub mod run;
mod schema;
pub mod simulation;
mod size;
pub mod template;
