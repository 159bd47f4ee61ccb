//! Tells the API server what the folder declares, as the operator does in a cluster: by the same protocol.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use flowpilot_engine::protocol::operator::{Removal, RevisionRegistration, RunRequest, TenantRegistration};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::folder::{World, namespace};

/// How long the API server may take to become ready.
const START: Duration = Duration::from_secs(30);
/// How often it is asked: this is part of the start that people wait for.
const PACE: Duration = Duration::from_millis(3);

/// What the API server has been told.
pub(crate) struct Registry {
    http: reqwest::Client,
    api: Url,
    token: String,
    tenants: BTreeMap<String, TenantRegistration>,
    workflows: BTreeMap<(String, String), String>,
    runs: BTreeMap<(String, String), Uuid>,
}

/// What a registration changed, in words.
pub(crate) type Changes = Vec<String>;

impl Registry {
    /// Nothing has been told yet.
    pub(crate) fn new(api: Url, token: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .context("failed to set up HTTP")?;
        let (tenants, workflows, runs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Ok(Self {
            http,
            api,
            token,
            tenants,
            workflows,
            runs,
        })
    }

    /// Waits until the API server answers: it judges the database before it lets anybody in.
    pub(crate) async fn wait_until_served(&self) -> anyhow::Result<()> {
        let begin = Instant::now();
        loop {
            let request = self.http.get(self.api.join("/readyz")?).send().await;
            if request.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            anyhow::ensure!(
                begin.elapsed() < START,
                "the API server is not ready after {} s",
                START.as_secs()
            );
            tokio::time::sleep(PACE).await;
        }
    }

    /// Tells what is new or different, and takes back what is gone.
    pub(crate) async fn tell(&mut self, world: &World) -> anyhow::Result<Changes> {
        let mut changes = Vec::new();
        for (name, spec) in &world.tenants {
            let title = spec.title.clone().unwrap_or_else(|| name.clone());
            let (uid, generation) = (uid("tenant", name), generation());
            let (runner_class, variables) = (spec.runner_class().to_owned(), spec.variables.clone());
            let mut wanted = TenantRegistration {
                uid,
                generation,
                title,
                runner_class,
                variables,
            };
            if let Some(known) = self.tenants.get(name) {
                wanted.generation = known.generation;
                if *known == wanted {
                    continue;
                }
                wanted.generation = generation;
            }
            self.send(Method::PUT, &format!("tenants/{name}"), &wanted)
                .await?;
            self.tenants.insert(name.clone(), wanted);
        }
        for (key, declared) in &world.workflows {
            if self.workflows.get(key) == Some(&declared.digest) {
                continue;
            }
            let (tenant, name) = key;
            let uid = workflow_uid(tenant, name);
            let (spec, labels) = (declared.spec.clone(), Map::new());
            let registration = RevisionRegistration {
                uid,
                generation: generation(),
                spec,
                labels,
            };
            let path = format!(
                "workflows/{}/{name}/revisions/{}",
                namespace(tenant),
                declared.digest
            );
            self.send(Method::PUT, &path, &registration).await?;
            let what = if self.workflows.contains_key(key) {
                "changed"
            } else {
                "ready"
            };
            changes.push(format!("{tenant}/{name} {what}"));
            self.workflows.insert(key.clone(), declared.digest.clone());
        }
        self.take_back(world, &mut changes).await?;
        self.start(world, &mut changes).await?;
        Ok(changes)
    }

    async fn take_back(&mut self, world: &World, changes: &mut Changes) -> anyhow::Result<()> {
        let known: Vec<_> = self.workflows.keys().cloned().collect();
        for key in known {
            if world.workflows.contains_key(&key) || world.broken.contains(&key) {
                continue;
            }
            let (tenant, name) = &key;
            let removal = Removal {
                uid: workflow_uid(tenant, name),
            };
            self.send(
                Method::DELETE,
                &format!("workflows/{}/{name}", namespace(tenant)),
                &removal,
            )
            .await?;
            changes.push(format!("{tenant}/{name} removed"));
            self.workflows.remove(&key);
        }
        Ok(())
    }

    /// Hands wanted runs over, each once: its identity is its name and what it wants.
    async fn start(&mut self, world: &World, changes: &mut Changes) -> anyhow::Result<()> {
        for (key, spec) in &world.runs {
            let (tenant, name) = key;
            let wish = serde_json::to_string(spec)?;
            let uid = uid("run", &format!("{tenant}/{name}/{wish}"));
            if self.runs.get(key) == Some(&uid) {
                continue;
            }
            let request = RunRequest {
                uid,
                namespace: namespace(tenant),
                name: name.clone(),
                workflow: spec.workflow.clone(),
                inputs: spec.inputs.clone(),
                revision: spec.revision.clone(),
            };
            match self.send(Method::POST, "runs", &request).await {
                Ok(report) => changes.push(format!(
                    "run {tenant}/{name} is {}",
                    report["state"].as_str().unwrap_or("accepted")
                )),
                Err(error) => changes.push(format!("run {tenant}/{name}: {error:#}")),
            }
            self.runs.insert(key.clone(), uid);
        }
        Ok(())
    }

    async fn send(&self, method: Method, path: &str, body: &impl Serialize) -> anyhow::Result<Value> {
        let url = self.api.join(&format!("/operator/v1/{path}"))?;
        let request = self.http.request(method, url).bearer_auth(&self.token).json(body);
        let response = request.send().await.context("failed to reach the API server")?;
        let status = response.status();
        let answer: Value = response.json().await.unwrap_or_default();
        if !status.is_success() {
            bail!(
                "{path}: {status} {}",
                answer["detail"]
                    .as_str()
                    .or(answer["title"].as_str())
                    .unwrap_or_default()
            );
        }
        Ok(answer)
    }
}

/// Identity of a tenant or run, the same at every start.
pub(crate) fn uid(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("flowpilot:dev:{kind}:{name}").as_bytes(),
    )
}

fn workflow_uid(tenant: &str, name: &str) -> Uuid {
    uid("workflow", &format!("{tenant}/{name}"))
}

/// Later ones are larger, over restarts too: the milliseconds of the clock.
fn generation() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Where `folder` stands, absolutely: relative paths change their meaning with the working directory.
pub(crate) fn absolute(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    folder
        .canonicalize()
        .with_context(|| format!("there is no folder {}", folder.display()))
}
