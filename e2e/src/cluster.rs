//! The cluster and the installation on it.

use std::process::{Output, Stdio};

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::{Node, Secret, Service};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Rest;

/// Namespace of the installation.
pub const NAMESPACE: &str = "flowpilot-system";
/// Label of the API server's pods.
pub const API: &str = "app.kubernetes.io/name=flowpilot-api";

/// A cluster with FlowPilot on it.
#[derive(Clone)]
pub struct Cluster {
    /// A client with the rights of `KUBECONFIG`.
    pub client: Client,
    /// The REST API, as the bootstrap administrator.
    pub rest: Rest,
    node: String,
}

impl Cluster {
    /// Connects to what `KUBECONFIG` points to.
    pub async fn connect() -> anyhow::Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        ensure!(
            std::env::var_os("KUBECONFIG").is_some(),
            "these tests need a cluster with FlowPilot on it: run `make up`, set KUBECONFIG as it says, or run `make test`"
        );
        let client = Client::try_default()
            .await
            .context("failed to reach the cluster of KUBECONFIG")?;
        let nodes = Api::<Node>::all(client.clone())
            .list(&ListParams::default())
            .await?;
        let addresses = nodes
            .items
            .iter()
            .filter_map(|node| node.status.as_ref()?.addresses.as_ref())
            .flatten();
        let node = addresses
            .into_iter()
            .find(|address| address.type_ == "InternalIP");
        let node = node
            .context("the cluster has no node with an address")?
            .address
            .clone();
        let services = Api::<Service>::namespaced(client.clone(), NAMESPACE);
        let service = services.get("flowpilot-api-public").await;
        let service = service.context("FlowPilot is not installed, or not with api.service.type=NodePort")?;
        let ports = service.spec.and_then(|spec| spec.ports).unwrap_or_default();
        let port = ports.iter().find_map(|port| port.node_port);
        let port = port.context("the service flowpilot-api-public has no node port")?;
        let token = secret(&client, NAMESPACE, "flowpilot-admin-token", "token").await?;
        let rest = Rest::new(&format!("http://{node}:{port}"), &token)?;
        Ok(Self { client, rest, node })
    }

    /// Address of the node.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Address of Postgres as the node sees it: from `FLOWPILOT_E2E_DATABASE_URL`, or from the Secret of the installation.
    pub async fn database_url(&self) -> anyhow::Result<String> {
        if let Ok(url) = std::env::var("FLOWPILOT_E2E_DATABASE_URL") {
            return Ok(url);
        }
        let url = secret(&self.client, NAMESPACE, "flowpilot-database", "url").await?;
        let (credentials, rest) = url.split_once('@').context("the database address has no login")?;
        let (host, rest) = rest
            .split_once('/')
            .context("the database address names no database")?;
        let port = host.rsplit_once(':').map_or("5432", |(_, port)| port);
        let database = rest.split('?').next().unwrap_or(rest);
        Ok(format!(
            "{credentials}@{}:{port}/{database}?sslmode=require",
            self.node
        ))
    }

    /// Runs `kubectl` and gives what it printed; an error tells what it complained about.
    pub async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.kubectl_with(arguments, "").await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.success(),
            "kubectl {}: {}",
            arguments.join(" "),
            said.trim()
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// `kubectl apply -f -`; an error is what the API server said.
    pub async fn apply(&self, manifest: &str) -> anyhow::Result<String> {
        let output = self.kubectl_with(&["apply", "-f", "-"], manifest).await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{}", said.trim());
        Ok(format!("{}{said}", String::from_utf8(output.stdout)?))
    }

    /// Creates an object that must be refused, and gives what was said. (Not `apply`, whose annotation with a copy of
    /// the object has a limit of its own.)
    pub async fn refusal(&self, manifest: impl AsRef<[u8]>) -> anyhow::Result<String> {
        let output = self.kubectl_with(&["create", "-f", "-"], manifest).await?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(!output.status.success(), "it was accepted: {said}");
        Ok(said)
    }

    /// Runs `kubectl` with something on its standard input.
    pub async fn kubectl_with(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> anyhow::Result<Output> {
        let mut command = Command::new("kubectl");
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("failed to start kubectl")?;
        if let Some(mut pipe) = child.stdin.take() {
            // A reader that refuses early closes the pipe; what it says is in its answer.
            let _ = pipe.write_all(input.as_ref()).await;
        }
        Ok(child.wait_with_output().await?)
    }

    /// An object as JSON.
    pub async fn object(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let text = self
            .kubectl(&[&["get", "-o", "json"], arguments].concat())
            .await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// A metric of the API server summed over all its series that contain every one of `labels`.
    pub async fn apiserver_metric(&self, name: &str, labels: &[&str]) -> anyhow::Result<f64> {
        let text = self.kubectl(&["get", "--raw", "/metrics"]).await?;
        Ok(sum_metric(&text, name, labels))
    }

    /// Removes the pods with a label at once, without asking them; there must be some.
    pub async fn kill_pods(&self, namespace: &str, selector: &str) -> anyhow::Result<()> {
        let pods = self.pods(namespace, selector).await?;
        ensure!(!pods.is_empty(), "no pod in {namespace} has {selector}");
        let mut arguments = vec!["-n", namespace, "delete", "pod", "--force", "--grace-period=0"];
        arguments.extend(pods.iter().map(String::as_str));
        self.kubectl(&arguments).await?;
        Ok(())
    }

    /// Names of the pods with a label.
    pub async fn pods(&self, namespace: &str, selector: &str) -> anyhow::Result<Vec<String>> {
        let pods = Api::<k8s_openapi::api::core::v1::Pod>::namespaced(self.client.clone(), namespace);
        let list = pods.list(&ListParams::default().labels(selector)).await?;
        Ok(list
            .items
            .iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            .map(ResourceExt::name_any)
            .collect())
    }
}

/// Adds up the samples of a metric in Prometheus' text format.
#[must_use]
pub fn sum_metric(text: &str, name: &str, labels: &[&str]) -> f64 {
    let samples = text.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    samples
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

async fn secret(client: &Client, namespace: &str, name: &str, key: &str) -> anyhow::Result<String> {
    let secret = Api::<Secret>::namespaced(client.clone(), namespace)
        .get(name)
        .await;
    let secret = secret.with_context(|| format!("failed to read the Secret {name}"))?;
    let value = secret.data.unwrap_or_default().remove(key);
    let value = value.with_context(|| format!("the Secret {name} has no key {key}"))?;
    Ok(String::from_utf8(value.0)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_summed_over_the_series_that_fit() {
        let text =
            "# HELP a\na{verb=\"PUT\",k=\"x\"} 2\na{verb=\"GET\"} 5\nab{verb=\"PUT\"} 7\na{verb=\"PUT\"} 1\n";
        assert!((sum_metric(text, "a", &["verb=\"PUT\""]) - 3.0).abs() < f64::EPSILON);
    }
}
