//! A run that nobody set a limit for ends after 30 days; in simulated time that would hide that it waits for ever.

use jiff::Timestamp;

use crate::compile::RUN_TIMEOUT_MS;
use crate::plan::Plan;

/// A limit that never comes.
const NEVER_MS: u64 = u64::MAX;

/// The plan without the limit that every run has.
#[must_use]
pub fn patient(mut plan: Plan) -> Plan {
    if plan.timeout_ms == RUN_TIMEOUT_MS {
        plan.timeout_ms = NEVER_MS;
    }
    plan
}

/// A moment that does not come.
pub(super) fn is_never(at: Timestamp) -> bool {
    at == Timestamp::MAX
}
