//! The second wall: what a statement that forgot its tenant would see.

use sqlx::Executor;
use uuid::Uuid;

use crate::{
    queue::tests::World,
    store::{Error, TenantTx, journal, runs, workflows},
};

/// Tables that requests of people read.
const READABLE: [&str; 7] = [
    "tenant",
    "pool",
    "workflow",
    "workflow_revision",
    "run_live",
    "run_done",
    "run_journal",
];

#[tokio::test]
async fn a_tenant_sees_its_own_rows_and_no_others_even_without_naming_itself() {
    let world = World::new().await;
    let neighbour = world.another_tenant("globex").await;
    let ours = world.finished_run().await;
    world.start().await;
    let mut tx = TenantTx::begin(&world.pools.app, neighbour.tenant_id)
        .await
        .unwrap();
    for table in READABLE {
        let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM fp.{table} WHERE tenant_id <> $1"));
        let foreign: i64 = sqlx::query_scalar(statement)
            .bind(neighbour.tenant_id)
            .fetch_one(tx.connection())
            .await
            .unwrap();
        assert_eq!(foreign, 0, "{table}");
    }
    assert!(runs::get(&mut tx, ours).await.unwrap().is_none());
    assert!(journal::read(&mut tx, ours, -1, 10).await.unwrap().is_empty());
    assert!(
        runs::list(&mut tx, &runs::Filter::default(), None, 10)
            .await
            .unwrap()
            .runs
            .is_empty()
    );
    tx.commit().await.unwrap();

    let mut tx = TenantTx::begin(&world.pools.app, world.tenant.tenant_id)
        .await
        .unwrap();
    assert!(
        runs::get(&mut tx, ours).await.unwrap().is_some(),
        "the wall has a door"
    );
    assert!(workflows::get(&mut tx, "refund").await.unwrap().is_some());
}

#[tokio::test]
async fn a_tenant_cannot_write_rows_of_another_nor_change_history() {
    let world = World::new().await;
    let refused = [
        format!(
            "INSERT INTO fp.pool (tenant_id, class) VALUES ('{}', 'x')",
            Uuid::now_v7()
        ),
        format!("UPDATE fp.workflow SET tenant_id = '{}'", Uuid::now_v7()),
        "UPDATE fp.run_live SET priority = 0".to_owned(),
        "DELETE FROM fp.run_journal".to_owned(),
        "SELECT count(*) FROM fp.run_inbox".to_owned(),
        "SELECT count(*) FROM fp.start_dedupe".to_owned(),
    ];
    for statement in refused {
        let mut tx = TenantTx::begin(&world.pools.app, world.tenant.tenant_id)
            .await
            .unwrap();
        let error = tx
            .connection()
            .execute(sqlx::AssertSqlSafe(statement.clone()))
            .await
            .unwrap_err();
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.to_string()));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn no_tenant_is_an_error_and_nothing_of_one_stays_on_the_connection() {
    let world = World::new().await;
    let mut connection = world.pools.app.acquire().await.unwrap();
    let count = "SELECT count(*) FROM fp.workflow";
    assert!(connection.execute(count).await.is_err(), "never set");
    let begin = format!(
        "BEGIN; SELECT set_config('app.tenant_id', '{}', true)",
        world.tenant.tenant_id
    );
    connection.execute(sqlx::AssertSqlSafe(begin)).await.unwrap();
    connection.execute(count).await.unwrap();
    connection.execute("COMMIT").await.unwrap();
    assert!(
        connection.execute(count).await.is_err(),
        "set before, in a transaction that is over"
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_told_apart_from_a_statement_that_is_wrong() {
    let world = World::new().await;
    let away = crate::store::Pools::connect_lazy(
        "postgres://nobody@127.0.0.1:1/none",
        crate::store::PoolSizes::default(),
    );
    let error = TenantTx::begin(&away.unwrap().app, Uuid::now_v7())
        .await
        .unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let wrong = sqlx::query("SELECT nothing")
        .execute(&world.pools.engine)
        .await
        .map_err(crate::store::classify);
    assert!(matches!(wrong, Err(Error::Statement { .. })));
}
