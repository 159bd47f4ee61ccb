//! WorkflowTest documents: a workflow, a world, and what must come of it, in simulated time.
//!
//! ```text
//! files ──► text ──► document ──┐
//!           workflows ──► plan ─┼─► case ──► simulation ──► differences ──► report, JUnit, update
//!                       mocks ──┘
//! ```
//!
//! Boundary: reads files and nothing else; what runs is the engine's simulation and the runner's script sandbox.

pub(crate) mod book;
pub(crate) mod calls;
pub(crate) mod case;
pub(crate) mod cover;
pub(crate) mod difference;
pub(crate) mod document;
pub(crate) mod expect;
pub(crate) mod fields;
pub(crate) mod flow;
pub(crate) mod junit;
pub(crate) mod matching;
pub(crate) mod mocks;
pub(crate) mod recorded;
pub(crate) mod scripts;
pub(crate) mod show;
pub(crate) mod signals;
pub(crate) mod text;
pub(crate) mod update;
pub(crate) mod verdict;
pub(crate) mod workflows;
