//! A tenant for one test: made before it, looked at if it fails, removed after it.

use std::panic::AssertUnwindSafe;

use anyhow::{Context, anyhow};
use flowpilot_crds::names::namespace_of;
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{Cluster, eventually};

/// How long a thing that should happen at once may take on a busy machine, in seconds.
pub const SOON: u64 = 60;

/// A workflow that is in the middle of an action for longer than any test waits.
pub const CALL_OF_A_MINUTE: &str =
    "{steps: [{id: call, uses: core/http@1, with: {url: \"http://data.samples.svc/slow?ms=60000\"}}]}";

/// A tenant of its own.
#[derive(Clone)]
pub struct Tenant {
    /// The cluster.
    pub cluster: Cluster,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// Runs a test in a tenant of its own. If it fails, everything there is to see is printed; the tenant goes away in
/// any case.
pub async fn with_tenant<F>(test: &str, body: impl FnOnce(Tenant) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let tenant = Tenant::create(Cluster::connect().await?, test).await?;
    let outcome = AssertUnwindSafe(body(tenant.clone())).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied());
        Err(anyhow!("panicked: {}", said.unwrap_or_default()))
    });
    if let Err(error) = &outcome {
        tenant.dump(&format!("{error:#}")).await;
    }
    tenant
        .cluster
        .kubectl(&[
            "delete",
            "tenant",
            &tenant.name,
            "--ignore-not-found",
            "--wait=false",
        ])
        .await?;
    outcome
}

impl Tenant {
    async fn create(cluster: Cluster, test: &str) -> anyhow::Result<Self> {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let name = format!(
            "{}-{}",
            test.replace('_', "-").chars().take(28).collect::<String>(),
            &unique[..8]
        );
        let manifest = json!({
            "apiVersion": "flowpilot.io/v1alpha1", "kind": "Tenant", "metadata": {"name": name},
            "spec": {"title": test, "egress": {"allow": [{"host": "data.samples.svc", "ports": [80]}]}},
        });
        cluster.apply(&manifest.to_string()).await?;
        cluster
            .kubectl(&[
                "wait",
                "--for=condition=Ready",
                &format!("tenant/{name}"),
                &format!("--timeout={SOON}s"),
            ])
            .await?;
        let namespace = namespace_of(&name);
        Ok(Self {
            cluster,
            name,
            namespace,
        })
    }

    /// A Workflow manifest of this tenant, from the YAML of its spec.
    pub fn workflow(&self, name: &str, spec: &str) -> anyhow::Result<String> {
        let spec: Value = serde_saphyr::from_str(spec).context("the spec of the test is no YAML")?;
        Ok(json!({
            "apiVersion": "flowpilot.io/v1alpha1", "kind": "Workflow",
            "metadata": {"name": name, "namespace": self.namespace}, "spec": spec,
        })
        .to_string())
    }

    /// Applies a workflow and waits until it is Ready.
    pub async fn ready_workflow(&self, name: &str, spec: &str) -> anyhow::Result<()> {
        self.cluster.apply(&self.workflow(name, spec)?).await?;
        self.wait_for(&format!("workflow/{name}"), "condition=Ready")
            .await
    }

    /// `kubectl wait` in the tenant's namespace.
    pub async fn wait_for(&self, object: &str, condition: &str) -> anyhow::Result<()> {
        let (wait, timeout) = (format!("--for={condition}"), format!("--timeout={SOON}s"));
        self.kubectl(&["wait", &wait, object, &timeout]).await?;
        Ok(())
    }

    /// `kubectl` in the tenant's namespace.
    pub async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.cluster
            .kubectl(&[&["-n", &self.namespace], arguments].concat())
            .await
    }

    /// Creates a WorkflowRun.
    pub async fn create_run(&self, name: &str, workflow: &str, inputs: Value) -> anyhow::Result<()> {
        let manifest = json!({
            "apiVersion": "flowpilot.io/v1alpha1", "kind": "WorkflowRun",
            "metadata": {"name": name, "namespace": self.namespace}, "spec": {"workflow": workflow, "inputs": inputs},
        });
        self.cluster.apply(&manifest.to_string()).await?;
        Ok(())
    }

    /// An object of the tenant as JSON.
    pub async fn object(&self, object: &str) -> anyhow::Result<Value> {
        self.cluster.object(&["-n", &self.namespace, object]).await
    }

    /// Path of the tenant in the REST API, with more behind it.
    #[must_use]
    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/tenants/{}{rest}", self.name)
    }

    /// Starts a run by REST and gives its id.
    pub async fn start(&self, workflow: &str, inputs: Value) -> anyhow::Result<String> {
        let path = self.path(&format!("/workflows/{workflow}/runs"));
        let run = self.cluster.rest.post(&path, &json!({"inputs": inputs})).await?;
        Ok(run["id"]
            .as_str()
            .context("the answer to a start has no id")?
            .to_owned())
    }

    /// Starts a workflow whose first step takes long, and gives the run when a runner is in the middle of that step.
    pub async fn calling(&self, workflow: &str) -> anyhow::Result<String> {
        let run = self.start(workflow, json!({})).await?;
        eventually("a runner is at the first step", SOON, || async {
            let events = self.events(&run).await?;
            let started = events.iter().any(|event| event["type"] == "StepStarted");
            Ok(started.then_some(()))
        })
        .await?;
        Ok(run)
    }

    /// Asks for the end of a run.
    pub async fn cancel(&self, run: &str) -> anyhow::Result<()> {
        let path = self.path(&format!("/runs/{run}/cancel"));
        self.cluster.rest.post(&path, &json!({})).await?;
        Ok(())
    }

    /// Waits until a run is over and gives it.
    pub async fn finished(&self, run: &str) -> anyhow::Result<Value> {
        self.in_state(run, &["succeeded", "failed", "cancelled"]).await
    }

    /// Waits until a run is in one of some states and gives it.
    pub async fn in_state(&self, run: &str, states: &[&str]) -> anyhow::Result<Value> {
        let path = self.path(&format!("/runs/{run}"));
        eventually(&format!("run {run} is {}", states.join(" or ")), SOON, || async {
            let run = self.cluster.rest.get(&path).await?;
            let state = run["state"].as_str().unwrap_or_default();
            Ok(states.contains(&state).then_some(run))
        })
        .await
    }

    /// The events of a run.
    pub async fn events(&self, run: &str) -> anyhow::Result<Vec<Value>> {
        let page = self
            .cluster
            .rest
            .get(&self.path(&format!("/runs/{run}/events?limit=200")))
            .await?;
        Ok(page["items"].as_array().cloned().unwrap_or_default())
    }

    async fn dump(&self, error: &str) {
        let system = crate::cluster::NAMESPACE;
        let looks: [&[&str]; 6] = [
            &[
                "-n",
                &self.namespace,
                "get",
                "workflows,workflowruns,deployments,pods",
                "-o",
                "wide",
            ],
            &[
                "-n",
                &self.namespace,
                "get",
                "workflows,workflowruns",
                "-o",
                "yaml",
            ],
            &["-n", &self.namespace, "get", "events", "--sort-by=.lastTimestamp"],
            &[
                "-n",
                &self.namespace,
                "logs",
                "-l",
                "app.kubernetes.io/managed-by=flowpilot",
                "--tail=100",
            ],
            &["-n", system, "logs", "deployment/flowpilot-api", "--tail=100"],
            &[
                "-n",
                system,
                "logs",
                "deployment/flowpilot-operator",
                "--tail=100",
            ],
        ];
        let mut shown = format!("=== {} failed: {error}\n", self.name);
        for arguments in looks {
            let seen = self.cluster.kubectl_with(arguments, "").await;
            let text =
                seen.map(|seen| String::from_utf8_lossy(&[seen.stdout, seen.stderr].concat()).into_owned());
            let text = text.unwrap_or_default();
            shown = format!("{shown}--- kubectl {}\n{text}\n", arguments.join(" "));
        }
        let _ = std::io::Write::write_all(&mut std::io::stderr(), shown.as_bytes());
    }
}
