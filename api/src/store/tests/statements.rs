//! Every statement file: it prepares against the schema as the role that runs it, something runs it, and the engine's
//! plans are index scans whatever the statistics say.

use std::{fs, path::Path};

use sqlx::{AssertSqlSafe, Executor, PgConnection, SqlSafeStr};

use crate::{queue::tests::World, store::testing::TestDatabase};

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sql = entries.filter(|path| path.extension().is_some_and(|extension| extension == "sql"));
    sql.map(|path| {
        (
            path.file_name().unwrap().to_string_lossy().into_owned(),
            fs::read_to_string(&path).unwrap(),
        )
    })
    .collect()
}

fn sources(folder: &Path) -> String {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| match path.extension() {
            _ if path.is_dir() => sources(&path),
            Some(extension) if extension == "rs" => fs::read_to_string(&path).unwrap(),
            _ => String::new(),
        })
        .collect()
}

#[tokio::test]
async fn every_statement_prepares_as_its_role_and_is_used() {
    let database = TestDatabase::migrated().await;
    let source = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for (folder, role) in [
        ("queue/sql", "fp_engine"),
        ("store/sql", "fp_app"),
        ("store/sql/delete", "fp_retention"),
    ] {
        let mut connection = database.superuser().await;
        connection
            .execute(AssertSqlSafe(format!("SET ROLE {role}; SET app.tenant_id = ''")))
            .await
            .unwrap();
        let files = files(folder);
        assert!(!files.is_empty());
        for (name, text) in files {
            assert!(
                source.contains(&format!("{name}\")")),
                "{folder}/{name} is used nowhere"
            );
            let prepared = connection.prepare(AssertSqlSafe(text).into_sql_str()).await;
            assert!(prepared.is_ok(), "{folder}/{name}: {:?}", prepared.err());
        }
    }
}

#[tokio::test]
async fn plans_of_the_engine_are_index_scans_on_empty_and_on_filled_tables() {
    let world = World::new().await;
    check_plans(&world).await;
    let mut superuser = world.database.superuser().await;
    superuser
        .execute(AssertSqlSafe(format!(
            "INSERT INTO fp.run_live (tenant_id, run_id, workflow_id, revision_id, pool_id, state, ready_at, trigger_kind, actor) \
             SELECT '{tenant}', gen_random_uuid(), gen_random_uuid(), 1, {pool}, CASE WHEN i % 3 = 0 THEN 'parked'::fp.run_state ELSE 'ready'::fp.run_state END, \
                    now(), 0, 'x' FROM generate_series(1, 20000) i; ANALYZE fp.run_live",
            tenant = world.tenant.tenant_id,
            pool = world.workflow.pool_id,
        )))
        .await
        .unwrap();
    check_plans(&world).await;
}

#[tokio::test]
async fn the_run_of_a_workflowrun_is_found_by_an_index_of_its_own() {
    let world = World::new().await;
    let mut connection = world.pools.engine.acquire().await.unwrap();
    for (name, index) in [
        ("find_run_by_start.sql", "start_dedupe_resource"),
        ("find_run_alive.sql", "run_live_resource"),
    ] {
        let mut files = files("routes/operator").into_iter();
        let (_, text) = files.find(|(file, _)| file == name).unwrap();
        let plan = explain(&mut connection, &text).await;
        let by_key = plan.contains(index) && plan.contains("Index Cond");
        assert!(by_key, "{name}:\n{plan}");
    }
}

async fn check_plans(world: &World) {
    let mut connection = world.pools.engine.acquire().await.unwrap();
    for (name, text) in files("queue/sql") {
        let plan = explain(&mut connection, &text).await;
        for scan in ["Seq Scan", "Bitmap", "Hash Join", "Merge Join"] {
            assert!(!plan.contains(scan), "{name} has a {scan}:\n{plan}");
        }
    }
}

/// The generic plan, which is the one the engine uses.
async fn explain(connection: &mut PgConnection, text: &str) -> String {
    connection
        .execute(AssertSqlSafe(format!("PREPARE looked_at AS {text}")))
        .await
        .unwrap();
    let parameters: i32 = sqlx::query_scalar(
        "SELECT coalesce(array_length(parameter_types, 1), 0) FROM pg_prepared_statements WHERE name = 'looked_at'",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    let nulls = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
    let arguments = if nulls.is_empty() {
        nulls
    } else {
        format!("({nulls})")
    };
    let explain = format!("EXPLAIN (COSTS off) EXECUTE looked_at{arguments}");
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    connection.execute("DEALLOCATE looked_at").await.unwrap();
    lines.join("\n")
}
