//! Each rule of the guard, broken on purpose: a guard that finds nothing then is no guard.

use sqlx::{Connection, Executor};

use crate::store::testing::TestDatabase;

#[tokio::test]
async fn the_guard_finds_every_hole_that_is_made() {
    let database = TestDatabase::migrated().await;
    let mut superuser = database.superuser().await;
    let holes = [
        (1, "ALTER TABLE fp.run_live DISABLE ROW LEVEL SECURITY"),
        (1, "ALTER TABLE fp.run_done NO FORCE ROW LEVEL SECURITY"),
        (
            1,
            "CREATE TABLE fp.later (tenant_id uuid); ALTER TABLE fp.later OWNER TO fp_owner",
        ),
        (
            2,
            "DO $$ BEGIN EXECUTE (SELECT 'GRANT SELECT ON fp.' || relname || ' TO fp_app' FROM pg_class \
             WHERE relispartition AND relkind = 'r' AND relname LIKE 'run\\_done%' LIMIT 1); END $$",
        ),
        (
            3,
            "CREATE OR REPLACE FUNCTION fp.current_tenant() RETURNS uuid LANGUAGE sql IMMUTABLE \
             AS $$ SELECT current_setting('app.tenant_id')::uuid $$",
        ),
        (4, "ALTER FUNCTION fp.guard() SECURITY DEFINER"),
        (7, "ALTER TABLE fp.tenant OWNER TO fp_app"),
        (
            8,
            "CREATE VIEW fp.all_runs AS SELECT tenant_id FROM fp.run_live; ALTER VIEW fp.all_runs OWNER TO fp_owner",
        ),
        (
            9,
            "CREATE MATERIALIZED VIEW fp.copied AS SELECT tenant_id FROM fp.run_live; \
             ALTER MATERIALIZED VIEW fp.copied OWNER TO fp_owner",
        ),
        (10, "GRANT TRUNCATE ON fp.run_live TO fp_engine"),
        (11, "GRANT UPDATE ON fp.run_journal TO fp_engine"),
        (11, "GRANT DELETE ON fp.run_done TO fp_engine"),
        (12, "DROP POLICY tenant ON fp.run_live"),
        (
            13,
            "DROP POLICY tenant ON fp.run_live; CREATE POLICY tenant ON fp.run_live TO fp_app USING (true)",
        ),
        (
            14,
            "CREATE POLICY everybody ON fp.run_live USING (tenant_id = fp.current_tenant())",
        ),
        (
            15,
            "DO $$ BEGIN EXECUTE (SELECT 'DROP TABLE fp.' || max(relname) || ', fp.' || min(relname) FROM (SELECT relname::text FROM pg_class \
              WHERE relispartition AND relkind = 'r' AND relname LIKE 'run\\_done%' ORDER BY relname DESC LIMIT 5) x); END $$",
        ),
    ];
    for (rule, sabotage) in holes {
        let mut transaction = superuser.begin().await.unwrap();
        transaction.execute(sabotage).await.unwrap();
        transaction.execute("SET LOCAL ROLE fp_engine").await.unwrap();
        let found: Vec<i32> = sqlx::query_scalar("SELECT rule FROM fp.guard()")
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
        assert!(
            found.contains(&rule),
            "rule {rule} is silent about: {sabotage} (found {found:?})"
        );
        transaction.rollback().await.unwrap();
    }
    let found: Vec<i32> = sqlx::query_scalar("SELECT rule FROM fp.guard()")
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    assert_eq!(found, Vec::<i32>::new(), "every hole was closed again");
}
