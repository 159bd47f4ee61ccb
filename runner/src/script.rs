//! Scripts: JavaScript that turns an input into an output, and can do nothing else.
//!
//! Purpose: the `script` step. The source is the body of a function: `input` is what the step gives it, and what it
//! returns is the output. `console` is kept as log lines.
//!
//! Boundary: no files, no network, no timers, no modules, and neither clock nor randomness of the machine: `Date`
//! stands still at the moment the attempt began, `Math.random` follows a seed. The same job gives the same output.
//!
//! Why a process of its own: most endless work can be interrupted inside QuickJS (loops, recursion, regular
//! expressions), but not a single call that walks over four thousand million holes of a list. A thread cannot be
//! ended from outside, a process can. It also keeps a mistake in a C library away from the runner's memory.
//!
//! ```text
//! Scripts (pool) ──job──► worker process: frames ──► run: runtime, prelude, function ──► output
//!        └─ kills it when time is up               limits: memory, stack, fuel, time, output, log
//! ```

#![allow(
    clippy::result_large_err,
    reason = "an error is made once per script that fails, and carries its log lines"
)]

mod console;
mod failure;
mod frame;
mod output;
mod perform;
mod pool;
mod random;
mod sandbox;
mod worker;

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use failure::ScriptError;
pub use perform::{Attempt, perform};
pub use pool::Scripts;
pub use sandbox::{check, run};
pub use worker::{is_worker, serve};

/// What one run of a script is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The body of the function.
    pub source: String,
    /// What it sees as `input`.
    pub input: Value,
    /// The time it sees: when the attempt began.
    pub now: Timestamp,
    /// Where `Math.random` begins.
    pub seed: u64,
}

/// What one run of a script may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory for all its values.
    pub memory: usize,
    /// Bytes of stack: how deep functions may call each other.
    pub stack: usize,
    /// Work, in ten thousand loop turns, calls or steps of a regular expression. Used up at the same point each time.
    pub fuel: u64,
    /// Time on the clock, for what fuel does not count.
    pub time: Duration,
    /// Bytes of the output as JSON.
    pub output: usize,
    /// Log lines; more are counted only.
    pub lines: usize,
    /// Bytes of all log lines together.
    pub log: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Sixty times the largest input: it is held as JSON, as values, and again as what is made of them.
            memory: 64 * 1024 * 1024,
            // Some thousand calls; a thread of the worker has eight times as much.
            stack: 1024 * 1024,
            // One to four seconds of looping.
            fuel: 10_000,
            time: Duration::from_secs(10),
            // As every step's output.
            output: 1024 * 1024,
            lines: 1_000,
            log: 64 * 1024,
        }
    }
}

/// What a script gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// What it returned; null if nothing.
    pub value: Value,
    /// What it wrote with `console`.
    pub logs: Vec<Line>,
}

/// One line of `console`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How it was written.
    pub level: Level,
    /// The text.
    pub text: String,
}

/// The function of `console` that wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `console.debug`
    Debug,
    /// `console.log`, `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}
