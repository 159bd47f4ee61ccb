//! The sample that `make up` runs: real data in, a report out, and figures that Postgres computes independently.

use anyhow::Context;
use flowpilot_e2e::Cluster;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// The same question in SQL.
const EXPECTED: &str = r#"
    SELECT "Origin", count(*), count("Miles_per_Gallon"), avg("Miles_per_Gallon")::float8, max("Miles_per_Gallon")::float8
    FROM json_to_recordset($1::json) AS cars("Origin" text, "Miles_per_Gallon" numeric) GROUP BY 1 ORDER BY 1
"#;

#[tokio::test]
async fn report_on_cars_has_the_figures_that_sql_has() -> anyhow::Result<()> {
    let cluster = Cluster::connect().await?;
    let run = json!({"apiVersion": "flowpilot.io/v1alpha1", "kind": "WorkflowRun",
        "metadata": {"generateName": "cars-report-", "namespace": "fp-demo"}, "spec": {"workflow": "cars-report"}});
    let created = cluster
        .kubectl_with(&["create", "-f", "-", "-o", "name"], &run.to_string())
        .await?;
    let name = String::from_utf8(created.stdout)?.trim().to_owned();
    cluster
        .kubectl(&[
            "-n",
            "fp-demo",
            "wait",
            "--for=condition=Succeeded",
            &name,
            "--timeout=60s",
        ])
        .await?;
    let outputs = cluster.object(&["-n", "fp-demo", &name]).await?["status"]["outputs"].clone();

    let data = cluster.sample("/data/cars.json").await?;
    let mut database = PgConnection::connect(&cluster.database_url().await?).await?;
    let expected: Vec<(String, i64, i64, f64, f64)> = sqlx::query_as(EXPECTED)
        .bind(&data)
        .fetch_all(&mut database)
        .await?;
    assert_eq!(expected.len(), 3);
    let origins = outputs["origins"]
        .as_array()
        .context("no origins in the outputs")?;
    assert_eq!(origins.len(), expected.len(), "{outputs}");
    for (row, (origin, cars, measured, mean, max)) in origins.iter().zip(&expected) {
        assert_eq!(
            (row["Origin"].as_str(), row["cars"].as_i64()),
            (Some(origin.as_str()), Some(*cars))
        );
        assert_eq!(row["measured"].as_i64(), Some(*measured));
        close(&row["meanMilesPerGallon"], *mean);
        close(&row["maxMilesPerGallon"], *max);
    }
    let report = cluster.report("cars").await?;
    let posted = report.get("body").unwrap_or(&report);
    let posted: Value = posted
        .as_str()
        .map_or_else(|| Ok(posted.clone()), serde_json::from_str)?;
    // Kubernetes stores 39.0 as 39: the same number, and not the same JSON.
    let posted = posted["origins"].as_array().context("no origins in the report")?;
    assert_eq!(posted.len(), origins.len());
    for (row, (origin, .., mean, max)) in posted.iter().zip(&expected) {
        assert_eq!(row["Origin"].as_str(), Some(origin.as_str()));
        close(&row["meanMilesPerGallon"], *mean);
        close(&row["maxMilesPerGallon"], *max);
    }
    Ok(())
}

fn close(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap_or(f64::NAN);
    assert!(
        (value - expected).abs() <= expected.abs() * 1e-12,
        "{value} is not {expected}"
    );
}
