//! The ends that a step can have, by its kind.

use flowpilot_crds::workflow::Step;

/// A named outcome of a kind: it refines a success or a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) failure: bool,
}

/// Named outcomes of a step, also of kinds that do not run yet: their edges are checked all the same.
pub(super) fn of(step: &Step) -> Vec<Named> {
    let success = |name: &str| Named {
        name: name.to_owned(),
        failure: false,
    };
    let failure = |name: &str| Named {
        name: name.to_owned(),
        failure: true,
    };
    if let Some(switch) = &step.switch {
        let cases = switch.cases.iter().map(|case| case.name.as_str());
        return cases.chain(switch.default.as_deref()).map(success).collect();
    }
    if step.approval.is_some() {
        return vec![success("approved"), failure("rejected"), failure("expired")];
    }
    if step.for_each.is_some() {
        return vec![success("partial")];
    }
    if step.wait.is_some() {
        return vec![failure("expired")];
    }
    Vec::new()
}
