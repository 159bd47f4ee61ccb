//! Upgrade and removal of the Helm release.

use anyhow::ensure;
use flowpilot_e2e::{eventually, with_tenant};
use serde_json::json;

use crate::ALONE;

async fn helm(arguments: &[&str]) -> anyhow::Result<String> {
    let output = tokio::process::Command::new("helm")
        .args(["-n", "flowpilot-system"])
        .args(arguments)
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "helm {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn chart(name: &str) -> String {
    format!("{}/../charts/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn release_upgrade_keeps_runs_going() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("upgrade", async |tenant| {
        let spec = r#"{steps: [
            {id: before, uses: core/http@1, with: {url: "http://data.samples.svc/slow?ms=3000"}},
            {id: nap, needs: [before], wait: {duration: 15s}},
            {id: after, needs: [nap], uses: core/http@1, with: {url: "http://data.samples.svc/slow?ms=10"}}]}"#;
        tenant.ready_workflow("long", spec).await?;
        let run = tenant.start("long", json!({})).await?;
        let stamp = format!("api.podAnnotations.upgraded=at-{}", uuid::Uuid::new_v4().simple());
        let other = stamp.replace("api.", "operator.");
        let chart = chart("flowpilot");
        helm(&["upgrade", "flowpilot", &chart, "--reuse-values", "--set", &stamp, "--set", &other, "--wait", "--timeout=180s"]).await?;
        let seen = tenant.finished(&run).await?;
        ensure!(seen["state"] == "succeeded", "{seen}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn release_that_is_removed_keeps_definitions_and_objects() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    with_tenant("uninstall", async |tenant| {
        let cluster = &tenant.cluster;
        tenant
            .ready_workflow("hello", "{steps: [{id: a, set: {x: 1}}]}")
            .await?;
        let values = std::env::temp_dir().join(format!("flowpilot-values-{}.yaml", tenant.name));
        std::fs::write(
            &values,
            helm(&["get", "values", "flowpilot", "-o", "yaml"]).await?,
        )?;
        helm(&["uninstall", "flowpilot", "--wait", "--timeout=120s"]).await?;
        helm(&["uninstall", "flowpilot-crds", "--wait", "--timeout=120s"]).await?;
        let left = cluster.kubectl(&["get", "crd", "-o", "name"]).await;
        let kept = tenant.object("workflow/hello").await;
        helm(&[
            "upgrade",
            "--install",
            "flowpilot-crds",
            &chart("flowpilot-crds"),
            "--take-ownership",
            "--wait",
        ])
        .await?;
        let file = values.to_string_lossy().into_owned();
        let again = [
            "upgrade",
            "--install",
            "flowpilot",
            &chart("flowpilot"),
            "-f",
            &file,
            "--wait",
            "--timeout=180s",
        ];
        helm(&again).await?;
        std::fs::remove_file(&values)?;
        let left = left?;
        for kind in [
            "tenants",
            "runnerclasses",
            "connectors",
            "connections",
            "workflows",
            "workflowruns",
        ] {
            ensure!(
                left.contains(&format!("{kind}.flowpilot.io")),
                "{kind} is gone: {left}"
            );
        }
        kept?;
        // The token may be another one after a new installation, so a fresh look at the cluster.
        let cluster = flowpilot_e2e::Cluster::connect().await?;
        let path = tenant.path("/workflows/hello");
        eventually("the workflow is served again", 60, || async {
            Ok(Some(cluster.rest.get(&path).await?))
        })
        .await?;
        Ok(())
    })
    .await
}
