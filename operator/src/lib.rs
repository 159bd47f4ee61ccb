//! The gardener: reconciles custom resources into Kubernetes objects and validates at admission.
//!
//! ```text
//!            ┌── watches ──► stores ──► admission (every replica)
//! Kubernetes ┤                 │
//!            └◄── writes ── controllers ◄── lease (one replica)
//!                              │  ▲
//!                 registrations│  │ends of runs, work that waits
//!                              ▼  │
//!                            API server
//! ```
//!
//! Boundary: no SQL, no actions. It is the only part that makes pods, and it constructs them from typed fields.

use std::sync::Arc;

use flowpilot_telemetry::{health::Health, metrics::registry, server};
use futures::future::LocalBoxFuture;
use kube::Client;
use kube::core::DeserializeGuard;
use snafu::{ResultExt, Snafu};
use tokio_util::sync::CancellationToken;

mod api;
mod cache;
mod cluster;
mod config;
mod controller;
mod duration;
mod identity;
mod leader;
mod metrics;
mod objects;
mod queue;
mod runner_class;
mod scaling;
mod start;
mod tenant;
mod webhook;
mod workflow;
mod workflow_run;
mod world;

pub use config::Config;

/// An object of `K`, or what is known of one that cannot be read.
type Guarded<K> = DeserializeGuard<K>;

/// Why the operator stopped.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum Error {
    /// It does not know where Kubernetes is.
    #[snafu(display("failed to find a configuration for Kubernetes, in the pod or in KUBECONFIG"))]
    FindKubernetes {
        /// Why.
        source: kube::config::InferConfigError,
    },
    /// The configuration cannot be used.
    #[snafu(display("failed to make a client of Kubernetes"))]
    MakeClient {
        /// Why.
        source: kube::Error,
    },
    /// The API server's address cannot be used.
    #[snafu(display("failed to make a client of the API server"))]
    MakeApi {
        /// Why.
        #[snafu(source(from(api::Error, Box::new)))]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Health and metrics cannot be served.
    #[snafu(display("failed to serve health and metrics"))]
    Serve {
        /// Why.
        source: server::Error,
    },
    /// Admission cannot be served.
    #[snafu(display("failed to answer admission"))]
    Admission {
        /// Why.
        #[snafu(source(from(webhook::Error, Box::new)))]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process holds the lease now.
    #[snafu(display("lost the lease: another operator works now"))]
    LostLease,
}

/// Runs until `shutdown`, or until something is lost that only a new process can mend.
///
/// Boxed, so that this crate is compiled once and not again in the program that calls it.
#[must_use]
pub fn run(config: Config, shutdown: CancellationToken) -> LocalBoxFuture<'static, Result<(), Error>> {
    Box::pin(run_until(config, shutdown))
}

async fn run_until(config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    // Another part of the process may have chosen the same one before; then there is nothing to do.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut registry = registry();
    let metrics = metrics::Metrics::new(&mut registry);
    let health = Health::new(["caches", "webhook"]);
    // Health is answered to the very end; the watches and the webhook go before.
    let (last, stop) = (CancellationToken::new(), shutdown.child_token());
    let serving = server::serve(
        config.metrics_listen,
        health.clone(),
        Arc::new(registry),
        last.clone(),
    );
    let working = async {
        let result = start::start(&config, metrics, health.clone(), stop.clone()).await;
        stop.cancel();
        health.drain();
        last.cancel();
        result
    };
    let (served, worked) = tokio::join!(
        async {
            let served = serving.await.context(ServeSnafu);
            // Without health there is no use in going on.
            stop.cancel();
            served
        },
        working
    );
    worked.and(served)
}

/// A client with the connections' buffers left small: answers are not compressed, lists come in pages.
async fn client() -> Result<Client, Error> {
    let mut config = kube::Config::infer().await.context(FindKubernetesSnafu)?;
    config.disable_compression = true;
    Client::try_from(config).context(MakeClientSnafu)
}
