//! The kinds answer `kubectl` as built-in ones do.

use flowpilot_e2e::with_tenant;
use serde_json::json;

#[tokio::test]
async fn kubectl_explains_and_lists() -> anyhow::Result<()> {
    with_tenant("kubectl_lists", async |tenant| {
        let cluster = &tenant.cluster;
        let explained = cluster.kubectl(&["explain", "workflow.spec.steps"]).await?;
        for field in ["needs", "uses", "approval", "Edges into this step"] {
            assert!(explained.contains(field), "{explained}");
        }
        tenant
            .ready_workflow("hello", "{title: Hello, steps: [{id: a, set: {x: 1}}]}")
            .await?;
        tenant.create_run("first", "hello", json!({})).await?;
        tenant
            .wait_for("workflowrun/first", "condition=Succeeded")
            .await?;
        for (kind, columns) in [
            ("tenants", "NAME TITLE READY REASON NAMESPACE AGE"),
            ("workflows", "NAME TITLE READY REASON AGE"),
            ("workflowruns", "NAME WORKFLOW SUCCEEDED REASON AGE"),
            ("runnerclasses", "NAME ISOLATION MIN MAX READY TENANTS AGE"),
        ] {
            let list = tenant.kubectl(&["get", kind]).await?;
            let heading: Vec<&str> = list
                .lines()
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            assert_eq!(heading.join(" "), columns);
        }
        let short = tenant.kubectl(&["get", "wf,wfr", "-o", "name"]).await?;
        assert_eq!(short.lines().count(), 2, "{short}");
        let described = tenant.kubectl(&["describe", "workflowrun/first"]).await?;
        assert!(described.contains("Succeeded"), "{described}");
        let change = json!({"spec": {"workflow": "other"}}).to_string();
        let patch = ["patch", "workflowrun/first", "--type=merge", "-p", &change];
        let refusal = tenant.kubectl(&patch).await.unwrap_err().to_string();
        assert!(refusal.contains("cannot be changed"), "{refusal}");
        Ok(())
    })
    .await
}
