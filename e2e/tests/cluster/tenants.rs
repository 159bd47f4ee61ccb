//! The life of a tenant: what it gets, how its runners come and go, what is left of it.

use flowpilot_e2e::{Cluster, eventually, with_tenant};
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn tenant_runners_come_from_zero_and_go_to_zero() -> anyhow::Result<()> {
    with_tenant("tenant_scale", async |tenant| {
        let cluster = &tenant.cluster;
        let class = format!("quick-{}", &tenant.name[tenant.name.len() - 8..]);
        let manifests = format!(
            "{{apiVersion: flowpilot.io/v1alpha1, kind: RunnerClass, metadata: {{name: {class}}}, spec: {{idleTimeout: 2s}}}}"
        );
        cluster.apply(&manifests).await?;
        let patch = json!({"spec": {"runnerClass": class}}).to_string();
        cluster.kubectl(&["patch", "tenant", &tenant.name, "--type=merge", "-p", &patch]).await?;
        tenant.ready_workflow("hello", "{steps: [{id: a, set: {x: 1}}]}").await?;
        let deployment = format!("deployment/flowpilot-runner-{class}");
        let replicas = |wanted: i64| {
            let (tenant, deployment) = (tenant.clone(), deployment.clone());
            async move {
                eventually(&format!("{wanted} runners"), 60, || async {
                    let object = tenant.object(&deployment).await?;
                    Ok((object["spec"]["replicas"].as_i64() == Some(wanted)).then_some(()))
                })
                .await
            }
        };
        replicas(0).await?;
        for _ in 0..2 {
            let run = tenant.start("hello", json!({})).await?;
            assert_eq!(tenant.finished(&run).await?["state"], "succeeded");
            replicas(0).await?;
        }
        cluster.kubectl(&["delete", "tenant", &tenant.name, "--wait=true", "--timeout=120s"]).await?;
        cluster.kubectl(&["delete", "runnerclass", &class]).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tenant_that_is_deleted_leaves_nothing() -> anyhow::Result<()> {
    with_tenant("tenant_delete", async |tenant| {
        let cluster = &tenant.cluster;
        tenant
            .ready_workflow("sleep", "{steps: [{id: nap, wait: {duration: 1h}}]}")
            .await?;
        let run: uuid::Uuid = tenant.start("sleep", json!({})).await?.parse()?;
        tenant.in_state(&run.to_string(), &["waiting"]).await?;
        let uid = cluster.object(&["tenant", &tenant.name]).await?["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        cluster
            .kubectl(&["delete", "tenant", &tenant.name, "--wait=true", "--timeout=120s"])
            .await?;
        let namespace = cluster
            .kubectl(&[
                "get",
                "namespace",
                &tenant.namespace,
                "--ignore-not-found",
                "-o",
                "name",
            ])
            .await?;
        assert_eq!(namespace, "");
        let role = cluster.object(&["clusterrole", "flowpilot-impersonator"]).await?;
        assert!(!role.to_string().contains(&tenant.name), "{role}");
        let answer = cluster
            .rest
            .call(Method::GET, &tenant.path(""), &[], None)
            .await?;
        assert_eq!(answer.status, 404, "{}", answer.body);
        let mut database = PgConnection::connect(&cluster.database_url().await?).await?;
        for table in ["run_live", "run_done", "run_journal", "workflow"] {
            sqlx::query("SET ROLE fp_engine").execute(&mut database).await?;
            let query = format!("SELECT count(*) FROM fp.{table} WHERE tenant_id = $1");
            let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
                .bind(uid.parse::<uuid::Uuid>()?)
                .fetch_one(&mut database)
                .await?;
            assert_eq!(rows, 0, "{table}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tenant_never_takes_a_namespace_that_is_not_its_own() -> anyhow::Result<()> {
    let cluster = Cluster::connect().await?;
    let name = format!("taken-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    cluster
        .kubectl(&["create", "namespace", &format!("fp-{name}")])
        .await?;
    let manifest = format!(
        "{{apiVersion: flowpilot.io/v1alpha1, kind: Tenant, metadata: {{name: {name}}}, spec: {{}}}}"
    );
    cluster.apply(&manifest).await?;
    let seen = eventually("the tenant is refused", 30, || async {
        let object = cluster.object(&["tenant", &name]).await?;
        Ok((object["status"]["conditions"][0]["reason"] == "NamespaceTaken").then_some(()))
    })
    .await;
    cluster
        .kubectl(&["delete", "tenant", &name, "--timeout=60s"])
        .await?;
    let left = cluster
        .kubectl(&["get", "namespace", &format!("fp-{name}"), "-o", "name"])
        .await;
    cluster
        .kubectl(&["delete", "namespace", &format!("fp-{name}"), "--wait=false"])
        .await?;
    seen?;
    left?;
    Ok(())
}
