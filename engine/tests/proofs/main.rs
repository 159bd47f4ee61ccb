//! Proofs by machine: random workflows in a hostile world, held against LANGUAGE, and random input for everything that
//! reads what others wrote.
//!
//! `seeds` is the first, `fuzz` the second, `bad_input` what was always asked about.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "tests: helpers outside #[test] functions fail loudly as well"
)]

mod bad_input;
mod flow;
mod fuzz;
mod generate;
mod noise;
mod oracle;
mod random;
mod replay;
mod seeds;
mod work;
mod world;

/// A number that somebody gave for this run of the tests.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}
