//! The hands: leases runs, performs actions, commits events.
