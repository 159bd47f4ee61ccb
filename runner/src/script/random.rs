//! Random numbers that follow from a seed.

/// `SplitMix64` (Steele, Lea, Flood 2014): one addition and three multiplications, good enough for samples and jitter.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to below 1, with 53 bits, as `Math.random` gives.
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
        let whole = (mixed >> 11) as f64;
        whole / 9_007_199_254_740_992.0
    }
}
