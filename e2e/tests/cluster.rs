//! Tests on a real Kubernetes that leave the installation alone: each in a tenant of its own, several at once.

#[path = "cluster/admission.rs"]
mod admission;
#[path = "cluster/api.rs"]
mod api;
#[path = "cluster/isolation.rs"]
mod isolation;
#[path = "cluster/kubectl.rs"]
mod kubectl;
#[path = "cluster/quota.rs"]
mod quota;
#[path = "cluster/report.rs"]
mod report;
#[path = "cluster/runs.rs"]
mod runs;
#[path = "cluster/tenants.rs"]
mod tenants;
