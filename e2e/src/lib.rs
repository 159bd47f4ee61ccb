//! What the tests and the benchmark on a real Kubernetes share: the cluster they run on, a tenant for each of them,
//! a REST client, and a look at everything when one fails.
//!
//! Nothing here knows how the cluster was started: `KUBECONFIG` says where it is, and an installation of FlowPilot
//! and of the sample server is on it.

pub mod bench;
pub mod cluster;
pub mod rest;
pub mod samples;
pub mod tenant;
pub mod wait;

pub use cluster::Cluster;
pub use rest::Rest;
pub use tenant::{Tenant, with_tenant};
pub use wait::eventually;
