//! Nothing of one tenant is within reach of another.

use anyhow::Context;
use flowpilot_e2e::{Rest, Tenant, with_tenant};
use reqwest::Method;
use serde_json::json;

/// The runners' door of the API server, as a runner of `tenant`.
async fn runner_door(tenant: &Tenant) -> anyhow::Result<Rest> {
    let service = tenant
        .cluster
        .object(&["-n", "flowpilot-system", "service/flowpilot-api"])
        .await?;
    let address = service["spec"]["clusterIP"]
        .as_str()
        .context("the API's service has no address")?;
    let audience = "--audience=flowpilot-api";
    let token = tenant
        .cluster
        .kubectl(&[
            "-n",
            &tenant.namespace,
            "create",
            "token",
            "flowpilot-runner",
            audience,
        ])
        .await?;
    Rest::new(&format!("http://{address}:8081"), token.trim())
}

#[tokio::test]
async fn isolation_of_runners() -> anyhow::Result<()> {
    with_tenant("isolation_a", async |own| {
        with_tenant("isolation_b", async |other| {
            other
                .ready_workflow("sleep", "{steps: [{id: nap, wait: {duration: 1h}}]}")
                .await?;
            let run = other.start("sleep", json!({})).await?;
            other.in_state(&run, &["waiting"]).await?;
            let door = runner_door(&own).await?;
            let hello = json!({"runner": "intruder", "pool": "default", "capacity": 1, "version": "0.1.0"});
            let session = door.post("/runner/v1/sessions", &hello).await?["session"].clone();
            let item = json!({"run": run, "epoch": 1, "seq": 1, "events": [], "then": "continue"});
            let commit = json!({"session": session, "items": [item]});
            let answer = door
                .call(Method::POST, "/runner/v1/commit", &[], Some(&commit))
                .await?;
            let fenced = answer.body["results"][0]["result"] == "fenced";
            assert!(
                fenced || answer.status == 404,
                "{} {}",
                answer.status,
                answer.body
            );
            let lease = json!({"session": session, "free": 5, "waitSeconds": 1});
            let answer = door
                .call(Method::POST, "/runner/v1/lease", &[], Some(&lease))
                .await?;
            assert!(
                answer.status == 204 || answer.body["runs"] == json!([]),
                "{} {}",
                answer.status,
                answer.body
            );
            let people = own.cluster.rest.with_token(&door.token);
            let answer = people.call(Method::GET, &other.path("/runs"), &[], None).await?;
            assert!(
                [401, 403, 404].contains(&answer.status),
                "{} {}",
                answer.status,
                answer.body
            );
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn isolation_of_the_network_and_of_the_cluster() -> anyhow::Result<()> {
    with_tenant("isolation_net", async |tenant| {
        let service = tenant
            .cluster
            .object(&["-n", "flowpilot-system", "service/flowpilot-api"])
            .await?;
        let address = service["spec"]["clusterIP"]
            .as_str()
            .context("the API's service has no address")?;
        for (name, url) in [
            ("api", format!("http://{address}:8081/")),
            ("kube", "https://kubernetes.default.svc/".to_owned()),
        ] {
            let spec = format!("{{steps: [{{id: call, uses: core/http@1, with: {{url: \"{url}\"}}}}]}}");
            tenant.ready_workflow(name, &spec).await?;
            let run = tenant.start(name, json!({})).await?;
            let run = tenant.finished(&run).await?;
            assert_eq!(run["error"]["code"], "AddressNotAllowed", "{url}: {run}");
        }
        let runner = format!("system:serviceaccount:{}:flowpilot-runner", tenant.namespace);
        for (verb, what) in [
            ("get", "secrets"),
            ("list", "pods"),
            ("create", "workflowruns.flowpilot.io"),
            ("get", "configmaps"),
        ] {
            let arguments = [
                "auth",
                "can-i",
                verb,
                what,
                "--as",
                &runner,
                "-n",
                &tenant.namespace,
            ];
            let output = tenant.cluster.kubectl_with(&arguments, "").await?;
            assert_eq!(
                String::from_utf8_lossy(&output.stdout).trim(),
                "no",
                "{verb} {what}"
            );
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
