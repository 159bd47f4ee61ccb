//! Nothing of one tenant is within reach of another.

use anyhow::{Context, ensure};
use flowpilot_e2e::tenant::{CALL_OF_A_MINUTE, SOON};
use flowpilot_e2e::{Cluster, Rest, Tenant, eventually, with_tenant};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// Address of the API server's door for runners.
async fn runner_address(cluster: &Cluster) -> anyhow::Result<String> {
    let service = cluster
        .object(&["-n", "flowpilot-system", "service/flowpilot-api"])
        .await?;
    let address = service["spec"]["clusterIP"].as_str();
    let address = address.context("the API's service has no address")?;
    Ok(format!("http://{address}:8081"))
}

/// A runner of a tenant, as it speaks to the API server.
struct Runner {
    door: Rest,
    session: Value,
}

impl Runner {
    async fn of(tenant: &Tenant) -> anyhow::Result<Self> {
        let audience = "--audience=flowpilot-api";
        let token = tenant
            .kubectl(&["create", "token", "flowpilot-runner", audience])
            .await?;
        let door = Rest::new(&runner_address(&tenant.cluster).await?, token.trim())?;
        let hello = json!({"runner": "by-hand", "pool": "default", "capacity": 1, "version": "0.1.0"});
        let session = door.post("/runner/v1/sessions", &hello).await?["session"].clone();
        Ok(Self { door, session })
    }

    /// Says that nothing happened in a run and that it goes on.
    async fn commit(&self, run: &str, epoch: i32, seq: i32) -> anyhow::Result<Value> {
        let item = json!({"run": run, "epoch": epoch, "seq": seq, "events": [], "then": "continue"});
        let commit = json!({"session": self.session, "items": [item]});
        let answer = self.door.post("/runner/v1/commit", &commit).await?;
        Ok(answer["results"][0]["result"].clone())
    }

    /// Asks for work for a second.
    async fn lease(&self) -> anyhow::Result<Value> {
        let lease = json!({"session": self.session, "free": 5, "waitSeconds": 1});
        let answer = self
            .door
            .call(Method::POST, "/runner/v1/lease", &[], Some(&lease))
            .await?;
        ensure!(
            [200, 204].contains(&answer.status),
            "{} {}",
            answer.status,
            answer.body
        );
        Ok(answer.body["runs"].clone())
    }
}

/// The fence of a run that a runner holds, and the number of its events.
async fn fence(cluster: &Cluster, run: &str) -> anyhow::Result<(i32, i32)> {
    let mut database = PgConnection::connect(&cluster.database_url().await?).await?;
    sqlx::query("SET ROLE fp_engine").execute(&mut database).await?;
    let held = "SELECT epoch, next_seq FROM fp.run_live WHERE run_id = $1 AND state = 'leased'";
    Ok(sqlx::query_as(held)
        .bind(run.parse::<Uuid>()?)
        .fetch_one(&mut database)
        .await?)
}

#[tokio::test]
async fn isolation_of_runners() -> anyhow::Result<()> {
    with_tenant("isolation_a", async |own| {
        with_tenant("isolation_b", async |other| {
            other.ready_workflow("call", CALL_OF_A_MINUTE).await?;
            let run = other.calling("call").await?;
            let (epoch, seq) = fence(&other.cluster, &run).await?;
            let (intruder, successor) = (Runner::of(&own).await?, Runner::of(&other).await?);
            // Everything is right but the tenant: with that right too, the same commit is taken.
            assert_eq!(intruder.commit(&run, epoch, seq).await?, "fenced");
            assert_eq!(successor.commit(&run, epoch, seq).await?, "ok");
            assert_eq!(successor.commit(&run, epoch + 1, seq).await?, "fenced");

            other
                .ready_workflow("idle", "{steps: [{id: a, set: {x: 1}}]}")
                .await?;
            other.start("idle", json!({})).await?;
            let leased = intruder.lease().await?;
            assert!(leased.is_null() || leased == json!([]), "{leased}");
            let people = own.cluster.rest.with_token(&intruder.door.token);
            let answer = people.call(Method::GET, &other.path("/runs"), &[], None).await?;
            assert!(
                [401, 403, 404].contains(&answer.status),
                "{} {}",
                answer.status,
                answer.body
            );
            other.cancel(&run).await?;
            assert_eq!(other.finished(&run).await?["state"], "cancelled");
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn isolation_of_objects() -> anyhow::Result<()> {
    with_tenant("isolation_own", async |own| {
        with_tenant("isolation_theirs", async |other| {
            other
                .ready_workflow("secret", "{steps: [{id: a, set: {x: 1}}]}")
                .await?;
            // A name means the workflow of that name in the same namespace, and a path is no name.
            let path = format!("../../{}/workflows/secret", other.name);
            for (run, workflow) in [("by-name", "secret"), ("by-path", path.as_str())] {
                own.create_run(run, workflow, json!({})).await?;
                eventually("the run waits for its workflow", SOON, || async {
                    let status = own.object(&format!("workflowrun/{run}")).await?["status"].clone();
                    ensure!(status["run"].is_null(), "it found one: {status}");
                    Ok((status["conditions"][0]["reason"] == "UnknownWorkflow").then_some(()))
                })
                .await?;
            }
            let answer = own
                .cluster
                .rest
                .call(Method::GET, &own.path("/workflows/secret"), &[], None)
                .await?;
            assert_eq!(answer.status, 404, "{}", answer.body);

            let runner = format!("system:serviceaccount:{}:flowpilot-runner", own.namespace);
            for namespace in [&own.namespace, &other.namespace] {
                for (verb, what) in [
                    ("get", "secrets"),
                    ("list", "pods"),
                    ("create", "workflowruns.flowpilot.io"),
                    ("get", "workflows.flowpilot.io"),
                    ("get", "configmaps"),
                ] {
                    let arguments = ["auth", "can-i", verb, what, "--as", &runner, "-n", namespace];
                    let output = own.cluster.kubectl_with(&arguments, "").await?;
                    assert_eq!(
                        String::from_utf8_lossy(&output.stdout).trim(),
                        "no",
                        "{verb} {what} in {namespace}"
                    );
                }
            }
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn isolation_of_the_network() -> anyhow::Result<()> {
    with_tenant("isolation_net", async |tenant| {
        let api = runner_address(&tenant.cluster).await?;
        for (name, url) in [("api", api.as_str()), ("kube", "https://kubernetes.default.svc/")] {
            let spec = format!("{{steps: [{{id: call, uses: core/http@1, with: {{url: \"{url}\"}}}}]}}");
            tenant.ready_workflow(name, &spec).await?;
            let run = tenant.start(name, json!({})).await?;
            let run = tenant.finished(&run).await?;
            assert_eq!(run["error"]["code"], "AddressNotAllowed", "{url}: {run}");
        }
        let policies = tenant.object("networkpolicies").await?;
        let denies = policies["items"].as_array().into_iter().flatten().any(|policy| {
            policy["spec"]["podSelector"] == json!({})
                && policy["spec"]["policyTypes"].as_array().map(Vec::len) == Some(2)
        });
        assert!(denies, "no policy denies everything by default: {policies}");
        Ok(())
    })
    .await
}
