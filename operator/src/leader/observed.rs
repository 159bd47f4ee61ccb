//! What this process has seen of the lease, by its own clock.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::LeaseSpec;

/// What may be done about a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is ours: renew it.
    Renew,
    /// It is nobody's: take it.
    Take,
    /// It is another one's.
    Wait,
}

pub(super) struct Observed {
    identity: String,
    duration: Duration,
    last: Option<(LeaseSpec, Instant)>,
}

impl Observed {
    pub(super) fn new(identity: String, duration: Duration) -> Self {
        Self {
            identity,
            duration,
            last: None,
        }
    }

    /// Takes note of the lease as it stands at `now`.
    pub(super) fn see(&mut self, spec: Option<&LeaseSpec>, now: Instant) -> Step {
        let Some(spec) = spec else { return Step::Take };
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder.is_empty() {
            return Step::Take;
        }
        if holder == self.identity {
            return Step::Renew;
        }
        let since = match &self.last {
            Some((last, since)) if last == spec => *since,
            _ => {
                self.last = Some((spec.clone(), now));
                now
            }
        };
        // The holder's own word on how long its lease is, but never shorter than ours: it may be a neighbouring version.
        let theirs = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok());
        let duration = theirs.map_or(self.duration, |seconds| {
            Duration::from_secs(seconds).max(self.duration)
        });
        if now.duration_since(since) >= duration {
            Step::Take
        } else {
            Step::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    const TTL: Duration = Duration::from_secs(15);

    fn lease(holder: &str, renewed: i64) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            renew_time: Some(MicroTime(jiff::Timestamp::from_second(renewed).unwrap())),
            lease_duration_seconds: Some(15),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn another_ones_lease_is_taken_only_after_it_stood_still_for_its_duration() {
        let start = Instant::now();
        let mut observed = Observed::new("b".to_owned(), TTL);
        // Its renewal lies years back by our clock: that proves nothing.
        assert_eq!(observed.see(Some(&lease("a", 0)), start), Step::Wait);
        assert_eq!(observed.see(Some(&lease("a", 0)), start + TTL / 2), Step::Wait);
        // Renewed: the time begins anew.
        assert_eq!(observed.see(Some(&lease("a", 2)), start + TTL), Step::Wait);
        assert_eq!(
            observed.see(Some(&lease("a", 2)), start + TTL + TTL / 2),
            Step::Wait
        );
        assert_eq!(observed.see(Some(&lease("a", 2)), start + TTL * 2), Step::Take);
    }

    #[test]
    fn a_released_or_own_lease_needs_no_wait() {
        let mut observed = Observed::new("b".to_owned(), TTL);
        assert_eq!(observed.see(None, Instant::now()), Step::Take);
        assert_eq!(observed.see(Some(&lease("", 0)), Instant::now()), Step::Take);
        assert_eq!(observed.see(Some(&lease("b", 0)), Instant::now()), Step::Renew);
    }
}
