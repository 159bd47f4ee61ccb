//! The ends that a step can have, by its kind.

use flowpilot_crds::workflow::{OnItemError, Step};

use super::kinds::Kind;
use crate::plan::Edge;

/// A set of ends.
pub(super) type Ends = u8;
/// It succeeded, and not as one of the others here.
pub(super) const SUCCEEDED: Ends = 1;
/// It failed, and not as one of the others here.
pub(super) const FAILED: Ends = 2;
/// Passed over by its own `when`.
pub(super) const PASSED_OVER: Ends = 4;
/// Skipped for its needs, cancelled, or never started.
pub(super) const NOT_RUN: Ends = 8;
/// An approval that was refused.
pub(super) const REJECTED: Ends = 16;
/// An approval or a wait that took too long.
pub(super) const EXPIRED: Ends = 32;
/// A forEach with failed items.
pub(super) const PARTIAL: Ends = 64;
/// It ended the run: nothing but clean-up comes after it.
pub(super) const STOPPED: Ends = 128;
/// Any failure.
pub(super) const ANY_FAILURE: Ends = FAILED | REJECTED | EXPIRED;
/// Any success.
pub(super) const ANY_SUCCESS: Ends = SUCCEEDED | PARTIAL;

/// A named outcome of a kind: it refines a success or a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) failure: bool,
}

/// Named outcomes of a step.
pub(super) fn named(step: &Step) -> Vec<Named<'_>> {
    let success = |name| Named { name, failure: false };
    let failure = |name| Named { name, failure: true };
    match Kind::of(step) {
        Some(Kind::Switch) => {
            let switch = step.switch.iter();
            switch
                .flat_map(|switch| {
                    let cases = switch.cases.iter().map(|case| case.name.as_str());
                    cases.chain(switch.default.as_deref()).map(success)
                })
                .collect()
        }
        Some(Kind::Approval) => vec![success("approved"), failure("rejected"), failure("expired")],
        Some(Kind::ForEach) => vec![success("partial")],
        Some(Kind::Wait) => vec![failure("expired")],
        _ => Vec::new(),
    }
}

/// The ends that a step can have, with those that come from outside: it may always be skipped or cancelled.
pub(super) fn possible(step: &Step) -> Ends {
    let passed_over = if step.when.is_some() { PASSED_OVER } else { 0 };
    let own = match Kind::of(step) {
        Some(Kind::Fail) => FAILED,
        Some(Kind::Stop) => STOPPED | FAILED,
        Some(Kind::Approval) => {
            let expires = step
                .approval
                .as_ref()
                .is_some_and(|approval| approval.timeout.is_some());
            SUCCEEDED | FAILED | REJECTED | if expires { EXPIRED } else { 0 }
        }
        Some(Kind::Wait) => {
            let event = step.wait.as_ref().and_then(|wait| wait.event.as_ref());
            let expires = event.is_some_and(|event| event.timeout.is_some());
            SUCCEEDED | FAILED | if expires { EXPIRED } else { 0 }
        }
        Some(Kind::ForEach) if collects(step) => SUCCEEDED | FAILED | PARTIAL,
        _ => SUCCEEDED | FAILED,
    };
    own | NOT_RUN | passed_over
}

/// Failed items do not stop the others.
pub(super) fn collects(step: &Step) -> bool {
    let each = step.for_each.as_ref();
    each.is_some_and(|each| each.on_item_error == Some(OnItemError::Collect))
}

/// The ends that meet an edge.
pub(super) fn meeting(edge: &Edge) -> Ends {
    match edge {
        Edge::Succeeded => ANY_SUCCESS | PASSED_OVER,
        Edge::Failed => ANY_FAILURE,
        Edge::Done => Ends::MAX,
        Edge::Named { name, failure } => match (name.as_str(), failure) {
            ("rejected", true) => REJECTED,
            ("expired", true) => EXPIRED,
            (_, true) => ANY_FAILURE,
            ("partial", false) => ANY_SUCCESS,
            (_, false) => SUCCEEDED,
        },
    }
}

/// The ends of this step that meet an edge: a case may be called `partial`.
pub(super) fn meeting_of(step: &Step, edge: &Edge) -> Ends {
    match edge {
        Edge::Named { name, failure: false } if name == "partial" && step.for_each.is_some() => PARTIAL,
        edge => meeting(edge),
    }
}

/// No end meets both.
pub(super) fn are_apart(one: &Edge, other: &Edge) -> bool {
    match (one, other) {
        (Edge::Named { name, .. }, Edge::Named { name: another, .. }) => name != another,
        (Edge::Done, _) | (_, Edge::Done) => false,
        (one, other) => one.is_failure() != other.is_failure(),
    }
}
