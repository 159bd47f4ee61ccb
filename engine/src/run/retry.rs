//! Whether and when another attempt follows a failed one.

use jiff::{SignedDuration, Timestamp};

use super::chance::{Seed, fraction};
use super::frame::Instance;
use super::{Run, after};
use crate::action::Effect;
use crate::journal::StepError;
use crate::plan::{RetryPolicy, Work};

/// Errors of the moment: tried again unless the step or the action says otherwise.
pub(crate) const RETRYABLE: [&str; 5] = ["Timeout", "RateLimited", "Unavailable", "Conflict", "Interrupted"];
/// After these nobody knows whether a Write happened.
const UNKNOWN: [&str; 2] = ["Timeout", "Interrupted"];
/// The longest pause that the other side can ask for.
const LONGEST_PAUSE_MS: u64 = 3_600_000;

impl Run {
    /// When the next attempt starts; nothing if the step failed for good.
    pub(super) fn retry_at(
        &self,
        instance: Instance,
        error: &StepError,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let record = self.record_of(instance);
        let policy = self.plan.steps[instance.step].retry.as_ref()?;
        // A block that ends tries nothing again but its clean-up; a run with too many events nothing at all.
        let is_ending = self.frames.get(instance.frame).ending.is_some();
        let may_go_on = (!is_ending || record.clean_up) && !self.cut_short && !self.has_too_many_events();
        if !may_go_on || record.attempts >= policy.attempts || !self.is_worth_another(instance, policy, error)
        {
            return None;
        }
        let path = self.path(instance);
        Some(after(now, self.pause(&path, record.attempts, policy, error)))
    }

    /// How long to wait before the attempt that follows this one.
    pub(super) fn pause(
        &self,
        path: &str,
        attempts: u32,
        policy: &RetryPolicy,
        error: &StepError,
    ) -> SignedDuration {
        let pause = if let Some(asked) = error.retry_after_ms {
            asked.min(LONGEST_PAUSE_MS)
        } else if self.facts.jitter {
            let seed = Seed {
                run: self.facts.run,
                step: path,
                attempt: attempts,
                call: "jitter",
            };
            jittered(policy, attempts, fraction(seed.hash(0)))
        } else {
            jittered(policy, attempts, 1.0)
        };
        SignedDuration::from_millis(i64::try_from(pause).unwrap_or(i64::MAX))
    }

    fn is_worth_another(&self, instance: Instance, policy: &RetryPolicy, error: &StepError) -> bool {
        let code = error.code.as_str();
        if let Some(codes) = &policy.codes {
            return codes.iter().any(|named| named == code);
        }
        if !self.is_safe(instance, error) && (UNKNOWN.contains(&code) || error.may_have_happened) {
            return false;
        }
        error.retryable.unwrap_or_else(|| RETRYABLE.contains(&code))
    }

    /// What may have happened may happen again: it only reads, or the other side knows its key. Of a group, that is
    /// asked of the step that failed it.
    fn is_safe(&self, instance: Instance, error: &StepError) -> bool {
        let failed = if matches!(self.plan.steps[instance.step].work, Work::Group { .. }) {
            let path = error.step.as_deref().unwrap_or_default();
            let id = path.rsplit('.').next().unwrap_or_default();
            self.plan.step_number(id).unwrap_or(instance.step)
        } else {
            instance.step
        };
        match self.plan.steps[failed].work {
            Work::Uses {
                effect,
                idempotency_key,
                ..
            } => idempotency_key || matches!(effect, Effect::None | Effect::Read),
            _ => true,
        }
    }
}

/// Exponential backoff with full jitter: anything up to the whole pause.
fn jittered(policy: &RetryPolicy, attempts: u32, fraction: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of at most ten years are exact in a double"
    )]
    let (first, longest) = (policy.backoff_ms as f64, policy.max_backoff_ms as f64);
    let exponent = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
    let whole = (first * policy.factor.powi(exponent)).min(longest);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and at most ten years"
    )]
    let pause = (whole * fraction).round() as u64;
    pause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_jitter_takes_anything_below() {
        let policy = RetryPolicy {
            attempts: 9,
            backoff_ms: 1000,
            factor: 2.0,
            max_backoff_ms: 5000,
            codes: None,
        };
        let whole: Vec<u64> = (1..6).map(|attempts| jittered(&policy, attempts, 1.0)).collect();
        assert_eq!(whole, [1000, 2000, 4000, 5000, 5000]);
        assert_eq!(jittered(&policy, 3, 0.25), 1000);
        assert_eq!(jittered(&policy, u32::MAX, 1.0), 5000);
    }
}
