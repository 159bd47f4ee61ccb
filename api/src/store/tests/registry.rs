use uuid::Uuid;

use crate::{
    queue::tests::{World, digest},
    store::{
        Error, TenantTx,
        registry::{self, Change, RevisionEntry, TenantEntry},
        tenants, workflows,
    },
};

fn tenant(uid: Uuid, generation: i64, title: &str) -> TenantEntry<'_> {
    TenantEntry {
        uid,
        generation,
        name: "initech",
        title,
        class: "default",
        variables: "{}",
    }
}

#[tokio::test]
async fn tenant_messages_may_come_twice_and_out_of_order() {
    let world = World::new().await;
    let uid = Uuid::now_v7();
    let put = async |entry| registry::put_tenant(&world.pools, entry).await;
    assert_eq!(put(tenant(uid, 2, "second")).await.unwrap(), Change::Changed);
    assert_eq!(put(tenant(uid, 2, "second")).await.unwrap(), Change::Unchanged);
    assert_eq!(put(tenant(uid, 1, "first")).await.unwrap(), Change::Unchanged);
    assert_eq!(
        tenants::by_name(&world.pools, "initech")
            .await
            .unwrap()
            .unwrap()
            .title,
        "second"
    );
    let stranger = put(tenant(Uuid::now_v7(), 1, "impostor")).await;
    assert!(matches!(stranger, Err(Error::NameTaken { .. })), "{stranger:?}");
}

#[tokio::test]
async fn workflow_messages_may_come_twice_and_out_of_order() {
    let world = World::new().await;
    let tenant_id = world.tenant.tenant_id;
    let uid = Uuid::now_v7();
    let (one, two) = (digest(1), digest(2));
    let entry = |uid, generation, digest| RevisionEntry {
        uid,
        generation,
        name: "invoice",
        digest,
        spec: "{\"steps\":[]}",
        labels: "{}",
        class: "default",
    };
    let put = async |entry| {
        registry::put_revision(&world.pools, tenant_id, entry)
            .await
            .unwrap()
    };
    let current = async || {
        let mut tx = TenantTx::begin(&world.pools.app, tenant_id).await.unwrap();
        workflows::get(&mut tx, "invoice")
            .await
            .unwrap()
            .map(|workflow| (workflow.workflow_id, workflow.digest))
    };
    assert_eq!(put(entry(uid, 2, &two)).await, Change::Changed);
    assert_eq!(put(entry(uid, 2, &two)).await, Change::Unchanged);
    assert_eq!(put(entry(uid, 1, &one)).await, Change::Unchanged, "older");
    assert_eq!(current().await, Some((uid, two.clone())));

    // Deleted and made again: the old object's messages are about the past.
    let again = Uuid::now_v7();
    assert_eq!(put(entry(again, 1, &one)).await, Change::Changed);
    assert_eq!(current().await, Some((again, one.clone())));
    let removed = registry::delete_workflow(&world.pools, tenant_id, uid)
        .await
        .unwrap();
    assert_eq!(removed, Change::Unchanged, "its successor had retired it");
    assert_eq!(put(entry(uid, 3, &two)).await, Change::Unchanged);
    assert_eq!(current().await, Some((again, one)));
    assert_eq!(
        registry::delete_workflow(&world.pools, tenant_id, again)
            .await
            .unwrap(),
        Change::Changed
    );
    assert_eq!(current().await, None);
}

#[tokio::test]
async fn deleting_a_tenant_leaves_no_row_of_it_and_its_neighbour_alone() {
    let world = World::new().await;
    let neighbour = world.another_tenant("globex").await;
    world.finished_run().await;
    world.start().await;
    world.session().await;
    let uid = world.tenant.tenant_id;
    assert_eq!(
        registry::delete_tenant(&world.pools, uid).await.unwrap(),
        Change::Changed
    );
    assert_eq!(
        registry::delete_tenant(&world.pools, uid).await.unwrap(),
        Change::Unchanged
    );
    let mut superuser = world.database.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' \
         WHERE c.relnamespace = 'fp'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert!(tables.len() >= 11);
    for table in tables {
        let count = format!("SELECT count(*) FROM fp.{table} WHERE tenant_id = $1");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .bind(uid)
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    assert!(
        tenants::by_name(&world.pools, &neighbour.name)
            .await
            .unwrap()
            .is_some()
    );
}
