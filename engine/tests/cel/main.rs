//! The language held against CEL's own: the conformance data of the specification, and the reference implementation.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests: helpers outside #[test] functions fail loudly as well"
)]

mod conformance;
mod differential;
mod generator;
mod tagged;
