//! Randomness that is no randomness: derived from what is known, so that it need not be recorded.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What a random value belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed<'a> {
    pub(super) run: Uuid,
    /// Path of the step; empty for the run's own expressions.
    pub(super) step: &'a str,
    pub(super) attempt: u32,
    /// What it is for.
    pub(super) call: &'a str,
}

impl Seed<'_> {
    /// The value of the call number `count`.
    pub(super) fn hash(&self, count: u32) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.run.as_bytes());
        // Zero bytes keep the parts apart: neither paths nor names contain one.
        for part in [self.step, self.call] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        hasher.update(self.attempt.to_be_bytes());
        hasher.update(count.to_be_bytes());
        hasher.finalize().into()
    }
}

/// A number from 0 to below 1.
pub(super) fn fraction(hash: [u8; 32]) -> f64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    // 53 bits: what a double holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let (numerator, denominator) = ((u64::from_be_bytes(bytes) >> 11) as f64, (1_u64 << 53) as f64);
    numerator / denominator
}

/// A UUID of version 4.
pub(super) fn uuid(hash: [u8; 32]) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
