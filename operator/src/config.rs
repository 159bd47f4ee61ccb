//! What the operator is told from outside: flags, which are environment variables too.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use reqwest::Url;

/// Reconciles FlowPilot's custom resources and answers admission.
#[derive(Clone, Debug, Parser)]
#[command(name = "flowpilot-operator", version)]
pub struct Config {
    /// Address of the API server's port for runners and the operator.
    #[arg(
        long,
        env = "FLOWPILOT_API_URL",
        default_value = "http://flowpilot-api.flowpilot-system.svc:8081"
    )]
    pub api_url: Url,
    /// File with the token that the API server knows the operator by; read again as it is renewed.
    #[arg(
        long,
        env = "FLOWPILOT_TOKEN_FILE",
        default_value = "/var/run/secrets/flowpilot/token"
    )]
    pub token_file: PathBuf,
    /// Namespace of the installation: the API server, the lease and the webhook's certificate are here.
    #[arg(long, env = "FLOWPILOT_NAMESPACE", default_value = "flowpilot-system")]
    pub namespace: String,
    /// Address that runner pods reach the API server at. Unset: the same as --api-url.
    #[arg(long, env = "FLOWPILOT_RUNNER_API_URL")]
    pub runner_api_url: Option<Url>,
    /// Image of the runners.
    #[arg(
        long,
        env = "FLOWPILOT_RUNNER_IMAGE",
        default_value = "localhost/flowpilot-runner:latest"
    )]
    pub runner_image: String,
    /// When nodes pull that image: Always, `IfNotPresent` or Never.
    #[arg(
        long,
        env = "FLOWPILOT_RUNNER_IMAGE_PULL_POLICY",
        default_value = "IfNotPresent"
    )]
    pub runner_image_pull_policy: String,
    /// Where health and metrics are served.
    #[arg(long, env = "FLOWPILOT_METRICS_LISTEN", default_value = "0.0.0.0:9090")]
    pub metrics_listen: SocketAddr,
    /// Where admission is answered.
    #[arg(long, env = "FLOWPILOT_WEBHOOK_LISTEN", default_value = "0.0.0.0:9443")]
    pub webhook_listen: SocketAddr,
    /// Name of the Service in front of it; the certificate is made for it.
    #[arg(long, env = "FLOWPILOT_WEBHOOK_SERVICE", default_value = "flowpilot-operator")]
    pub webhook_service: String,
    /// Name of the `ValidatingWebhookConfiguration` that is told the certificate authority. Empty: none.
    #[arg(long, env = "FLOWPILOT_WEBHOOK_CONFIGURATION", default_value = "flowpilot")]
    pub webhook_configuration: String,
    /// Name of the `ClusterRole` that lists whom the API server may act as. Empty: none is kept.
    #[arg(
        long,
        env = "FLOWPILOT_IMPERSONATOR_ROLE",
        default_value = "flowpilot-impersonator"
    )]
    pub impersonator_role: String,
    /// Name of this process as the holder of the lease.
    #[arg(long, env = "POD_NAME", default_value_t = default_identity())]
    pub identity: String,
}

fn default_identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), std::process::id())
}
