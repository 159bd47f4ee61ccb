//! The hands: leases runs, performs actions, commits events.

pub(crate) mod actions;
pub(crate) mod guard;
