//! What a plan loses for a simulation.
//!
//! A run that nobody set a limit for ends after 30 days; in simulated time that would hide that it waits for ever. And
//! what stands in for a built-in action need not give every field that the action itself always has.

use jiff::Timestamp;

use crate::action;
use crate::compile::RUN_TIMEOUT_MS;
use crate::plan::Plan;

/// A limit that never comes.
const NEVER_MS: u64 = u64::MAX;

/// The plan for a simulation: without the limit that every run has unless its workflow is `limited` by one of its own,
/// and with built-in actions whose outputs may be partial.
#[must_use]
pub fn simulated(mut plan: Plan, limited: bool) -> Plan {
    for (name, pinned) in &mut plan.actions {
        let is_built_in = action::find(name).is_some_and(|known| known.output == pinned.output);
        if let Some(output) = pinned.output.as_object_mut().filter(|_| is_built_in) {
            output.shift_remove("required");
        }
    }
    if !limited && plan.timeout_ms == RUN_TIMEOUT_MS {
        plan.timeout_ms = NEVER_MS;
    }
    plan
}

/// A moment that does not come.
pub(super) fn is_never(at: Timestamp) -> bool {
    at == Timestamp::MAX
}
