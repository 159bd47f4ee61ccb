//! What one evaluation may use: steps and bytes.
//!
//! Why both: steps stop what runs long (nested loops over lists), bytes stop what grows (doubling a text).
//! Whatever walks over data charges before it walks, whatever allocates charges before it allocates.

use super::error::{Fault, Outcome};

/// Enough for a thousand items compared with a thousand others; about a hundredth of a second.
const DEFAULT_STEPS: u64 = 1_000_000;
/// Sixteen times the largest output that is kept inline.
const DEFAULT_BYTES: u64 = 16 * 1024 * 1024;
/// A full output by reference (64 MiB) may be written as JSON.
const OUTPUT_STEPS: u64 = 4_000_000;
const OUTPUT_BYTES: u64 = 64 * 1024 * 1024;
/// So many bytes of text are looked at for one step.
const BYTES_PER_STEP: usize = 32;

/// The steps and bytes that are left. Counted down by evaluation; when one of them is used up, the evaluation
/// ends with `LimitExceeded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Operations that are left.
    pub steps: u64,
    /// Bytes that may still be allocated. What was freed again counts, too.
    pub bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: DEFAULT_STEPS,
            bytes: DEFAULT_BYTES,
        }
    }
}

impl Budget {
    /// A budget of so many steps and bytes.
    #[must_use]
    pub const fn new(steps: u64, bytes: u64) -> Self {
        Self { steps, bytes }
    }

    /// The budget for writing one value out, where no other is given.
    pub(super) const fn output() -> Self {
        Self::new(OUTPUT_STEPS, OUTPUT_BYTES)
    }

    /// Counts `count` operations.
    #[inline]
    pub(super) fn step(&mut self, count: usize) -> Outcome<()> {
        let left = self.steps.checked_sub(count as u64);
        self.steps = left.unwrap_or(0);
        if left.is_some() {
            Ok(())
        } else {
            Err(Fault::limit("the expression takes too many steps"))
        }
    }

    /// Counts looking through a text.
    pub(super) fn scan(&mut self, bytes: usize) -> Outcome<()> {
        self.step(bytes / BYTES_PER_STEP + 1)
    }

    /// Counts `bytes` that are about to be allocated.
    pub(super) fn allocate(&mut self, bytes: usize) -> Outcome<()> {
        self.step(bytes / BYTES_PER_STEP)?;
        let left = self.bytes.checked_sub(bytes as u64);
        self.bytes = left.unwrap_or(0);
        if left.is_some() {
            Ok(())
        } else {
            Err(Fault::limit("the expression takes too much memory"))
        }
    }

    /// Counts a list or map of `count` entries that is about to be allocated.
    pub(super) fn allocate_entries(&mut self, count: usize) -> Outcome<()> {
        self.allocate(count.saturating_mul(size_of::<super::Value>()))
    }
}
