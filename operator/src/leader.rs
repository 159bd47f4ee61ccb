//! Which of several operators works: the holder of a Lease.
//!
//! As in client-go, nobody trusts another machine's clock: a lease counts as abandoned when *this* process has seen
//! no renewal for its whole duration. The holder stops when it could not renew for two thirds of that, so there is
//! never a moment with two.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::{Api, Client};
use snafu::{ResultExt, Snafu};
use tokio_util::sync::CancellationToken;

mod observed;

use observed::{Observed, Step};

use crate::cache::Chain;
use crate::metrics::Metrics;

/// Name of the lease.
const LEASE: &str = "flowpilot-operator";
/// How long a lease holds without a renewal.
const DURATION: Duration = Duration::from_secs(15);
/// How often it is renewed, and looked at by the others.
const EVERY: Duration = Duration::from_secs(2);
/// How long the holder goes on without a renewal.
const GIVE_UP: Duration = Duration::from_secs(10);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(4);

/// Why the lease could not be read or written.
#[derive(Debug, Snafu)]
enum Error {
    #[snafu(display("failed to {verb} the lease {LEASE}"))]
    Request { verb: &'static str, source: kube::Error },
    #[snafu(display("no answer about the lease {LEASE} within {REQUEST:?}"))]
    Slow,
}

/// This process as a candidate.
pub(crate) struct Candidate {
    api: Api<Lease>,
    identity: String,
    metrics: Metrics,
    observed: Observed,
}

impl Candidate {
    /// `identity` must be this process's alone.
    #[must_use]
    pub(crate) fn new(client: Client, namespace: &str, identity: String, metrics: Metrics) -> Self {
        let observed = Observed::new(identity.clone(), DURATION);
        Self {
            api: Api::namespaced(client, namespace),
            identity,
            metrics,
            observed,
        }
    }

    /// Returns when this process holds the lease.
    pub(crate) async fn acquire(&mut self) {
        loop {
            match self.step().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(error = %Chain(&error), "failed to try for the lease"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Renews; returns when the lease is lost.
    pub(crate) async fn keep(&mut self) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(EVERY).await;
            match self.step().await {
                Ok(true) => renewed = Instant::now(),
                Ok(false) => return,
                Err(error) => tracing::warn!(error = %Chain(&error), "failed to renew the lease"),
            }
            if renewed.elapsed() >= GIVE_UP {
                return;
            }
        }
    }

    /// Gives the lease back, so that another one need not wait. Stop all work before.
    pub(crate) async fn release(&mut self) {
        let released = async {
            let Some(mut lease) = self
                .api
                .get_opt(LEASE)
                .await
                .context(RequestSnafu { verb: "read" })?
            else {
                return Ok(());
            };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() != Some(self.identity.as_str()) {
                return Ok(());
            }
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
            self.write(&lease).await
        };
        match tokio::time::timeout(REQUEST, released).await {
            Ok(Ok(())) => tracing::info!("gave the lease back"),
            Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "failed to give the lease back"),
            Err(_) => tracing::warn!("failed to give the lease back in time"),
        }
    }

    /// Looks at the lease and takes or renews it if it may; whether it is ours now.
    async fn step(&mut self) -> Result<bool, Error> {
        match tokio::time::timeout(REQUEST, self.try_step()).await {
            Ok(result) => result,
            Err(_) => SlowSnafu.fail(),
        }
    }

    async fn try_step(&mut self) -> Result<bool, Error> {
        let Some(mut lease) = self
            .api
            .get_opt(LEASE)
            .await
            .context(RequestSnafu { verb: "read" })?
        else {
            let mut lease = Lease::default();
            lease.metadata.name = Some(LEASE.to_owned());
            lease.spec = Some(self.record(None));
            self.metrics.wrote("leader", "Lease".to_owned(), "create");
            self.api
                .create(&PostParams::default(), &lease)
                .await
                .context(RequestSnafu { verb: "create" })?;
            return Ok(true);
        };
        match self.observed.see(lease.spec.as_ref(), Instant::now()) {
            Step::Wait => Ok(false),
            Step::Renew | Step::Take => {
                lease.spec = Some(self.record(lease.spec.as_ref()));
                // If somebody was faster this fails, and what they wrote is seen next time.
                self.write(&lease).await.map(|()| true)
            }
        }
    }

    fn record(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let mine = before.is_some_and(|spec| spec.holder_identity.as_deref() == Some(self.identity.as_str()));
        let changes = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: before
                .filter(|_| mine)
                .map_or(Some(now.clone()), |spec| spec.acquire_time.clone()),
            renew_time: Some(now),
            lease_transitions: Some(if mine || before.is_none() {
                changes
            } else {
                changes.saturating_add(1)
            }),
            ..LeaseSpec::default()
        }
    }

    /// Replaces the lease that was read: refused if somebody wrote it meanwhile.
    async fn write(&self, lease: &Lease) -> Result<(), Error> {
        self.metrics.wrote("leader", "Lease".to_owned(), "update");
        self.api
            .replace(LEASE, &PostParams::default(), lease)
            .await
            .map(drop)
            .context(RequestSnafu { verb: "write" })
    }
}

/// Runs `work` while this process holds the lease. Returns when `stop` is cancelled, or when the lease is lost: then
/// the process should end, so that no half-finished work lives on. `work` is given a token that ends it.
pub(crate) async fn while_leading<W, F>(mut candidate: Candidate, stop: CancellationToken, work: W) -> Ended
where
    W: FnOnce(CancellationToken) -> F,
    F: Future<Output = ()>,
{
    tokio::select! {
        () = candidate.acquire() => {}
        () = stop.cancelled() => return Ended::Stopped,
    }
    tracing::info!(identity = candidate.identity, "this process reconciles");
    candidate.metrics.leads(true);
    let working = stop.child_token();
    let mut work = Box::pin(work(working.clone()));
    let ended = tokio::select! {
        () = candidate.keep() => Ended::Lost,
        () = &mut work => Ended::Stopped,
        () = stop.cancelled() => {
            working.cancel();
            // What is under way ends before another process may begin.
            if tokio::time::timeout(GIVE_UP, &mut work).await.is_err() {
                tracing::warn!("some work did not end in time");
            }
            Ended::Stopped
        }
    };
    candidate.metrics.leads(false);
    match ended {
        Ended::Stopped => candidate.release().await,
        Ended::Lost => tracing::error!("lost the lease"),
    }
    ended
}

/// Why leading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As asked.
    Stopped,
    /// Another process may work now.
    Lost,
}
