//! Conditions in the style of kstatus, and the one word for each cause.
//!
//! [`Reason`] is shared by conditions, Events, metrics and problem codes, so that a cause has one name everywhere.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// Type of the condition of everything that becomes ready.
pub const READY: &str = "Ready";
/// Type of the condition of a WorkflowRun.
pub const SUCCEEDED: &str = "Succeeded";

/// Why a condition stands as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Everything that was asked for is there.
    Available,
    /// Being worked on; nothing is wrong.
    Progressing,
    /// The object is being deleted.
    Terminating,
    /// The spec is wrong; the message lists every problem.
    InvalidSpec,
    /// The spec asks for something that this version cannot do.
    NotSupportedYet,
    /// The API server cannot be reached or answered an error; it is tried again.
    ApiUnavailable,
    /// Kubernetes refused or failed a change; it is tried again.
    ApplyFailed,
    /// The namespace belongs to no tenant, or the tenant does not exist.
    UnknownTenant,
    /// The Workflow does not exist, or has no revision yet.
    UnknownWorkflow,
    /// An action of a Connector that is not there.
    UnknownAction,
    /// A Connection that is not there.
    UnknownConnection,
    /// A variable of the tenant that is not there.
    UnknownVariable,
    /// The RunnerClass that the tenant names does not exist.
    UnknownRunnerClass,
    /// The namespace exists and belongs to somebody else.
    NamespaceTaken,
    /// The tenant has more of these than it may have, and this one is among the newest; it goes on when there is room.
    QuotaExceeded,
    /// The inputs do not match the revision's declaration.
    InvalidInputs,
    /// Accepted, and waiting for a runner.
    Queued,
    /// A runner works on it.
    Running,
    /// Waits for a timer, an event or a person.
    Waiting,
    /// Held after repeated crashes, or by a person.
    Held,
    /// Ended well.
    Succeeded,
    /// Ended with an error; the message names the step and the cause.
    Failed,
    /// Cancelled by a person or with its tenant.
    Cancelled,
}

impl Reason {
    /// The word as it stands in conditions, Events and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::Progressing => "Progressing",
            Self::Terminating => "Terminating",
            Self::InvalidSpec => "InvalidSpec",
            Self::NotSupportedYet => "NotSupportedYet",
            Self::ApiUnavailable => "ApiUnavailable",
            Self::ApplyFailed => "ApplyFailed",
            Self::UnknownTenant => "UnknownTenant",
            Self::UnknownWorkflow => "UnknownWorkflow",
            Self::UnknownAction => "UnknownAction",
            Self::UnknownConnection => "UnknownConnection",
            Self::UnknownVariable => "UnknownVariable",
            Self::UnknownRunnerClass => "UnknownRunnerClass",
            Self::NamespaceTaken => "NamespaceTaken",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::InvalidInputs => "InvalidInputs",
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Waiting => "Waiting",
            Self::Held => "Held",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// The three values of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// Not known yet.
    Unknown,
}

impl ConditionStatus {
    /// As Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// A condition for an object of `generation`. It keeps the transition time of `previous` while the status stays the
/// same, so that computing it twice gives the same bytes and nothing is written.
#[must_use]
pub fn condition(
    kind: &str,
    (status, reason): (ConditionStatus, Reason),
    message: impl Into<String>,
    generation: Option<i64>,
    (previous, now): (&[Condition], Timestamp),
) -> Condition {
    let since = previous
        .iter()
        .find(|old| old.type_ == kind && old.status == status.as_str())
        .map_or(Time(now), |old| old.last_transition_time.clone());
    Condition {
        type_: kind.to_owned(),
        status: status.as_str().to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.into(),
        observed_generation: generation,
        last_transition_time: since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_time_moves_only_with_the_status() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let ready = |old: &[Condition], second| {
            let why = (ConditionStatus::True, Reason::Available);
            condition(READY, why, "", Some(1), (old, at(second)))
        };
        let first = ready(&[], 1);
        let second = ready(std::slice::from_ref(&first), 2);
        assert_eq!(first, second);
        let why = (ConditionStatus::False, Reason::InvalidSpec);
        let third = condition(READY, why, "", Some(1), (&[second], at(3)));
        assert_eq!(third.last_transition_time, Time(at(3)));
    }
}
