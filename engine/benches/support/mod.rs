//! What the benches share.

#![allow(dead_code, reason = "each bench uses its part")]
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "a module of a bench is nobody's interface"
)]
#![allow(clippy::unwrap_used, reason = "a bench stops where something is wrong")]

pub mod processor_time;
pub mod runs;
