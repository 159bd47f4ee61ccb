//! A journal that does not fit its plan.

use snafu::Snafu;

/// Why a journal cannot be replayed. It is a bug or a mix-up of versions, never a person's mistake.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(visibility(pub(super)))]
pub enum ReplayError {
    /// The journal does not begin with `RunStarted`.
    #[snafu(display("the journal does not begin with RunStarted"))]
    NoStart,
    /// The plan was made by another version.
    #[snafu(display(
        "the plan has version {version}, this engine runs version {}",
        crate::plan::PLAN_VERSION
    ))]
    PlanVersion {
        /// Its version.
        version: u32,
    },
    /// The snapshot is of another version, or of another plan.
    #[snafu(display("the snapshot does not belong to this plan and this engine"))]
    ForeignSnapshot,
    /// The snapshot is not what was written.
    #[snafu(display("the snapshot was changed since it was written"))]
    DamagedSnapshot,
    /// An event speaks of a step that the plan does not have.
    #[snafu(display("event {event} is about step {step}, which the plan does not have"))]
    UnknownStep {
        /// Name of the event.
        event: &'static str,
        /// Path of the step.
        step: String,
    },
    /// An event cannot happen in this state.
    #[snafu(display("event {event} of step {step} does not fit its state {state}"))]
    Unexpected {
        /// Name of the event.
        event: &'static str,
        /// Path of the step; empty for the run.
        step: String,
        /// What the step was.
        state: String,
    },
}
