//! Postgres is not there, or is not ours.

use reqwest::Method;
use serde_json::json;

use super::{ACME, World, problem};
use crate::store::testing::TestDatabase;

#[tokio::test]
async fn without_a_database_every_request_is_told_to_come_back() {
    // Nothing listens on this port: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let world = World::on(&format!("postgres://u:p@127.0.0.1:{free}/d"), None).await;
    let probe = |path: &'static str| world.client.get(format!("{}{path}", world.people)).send();
    assert_eq!(probe("/livez").await.unwrap().status(), 200);
    assert_eq!(probe("/readyz").await.unwrap().status(), 503);
    let answer = world
        .ask(Method::GET, "/api/v1/tenants/acme/runs")
        .send()
        .await
        .unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(problem(answer).await.1, "Unavailable");
    let commit = json!({"session": uuid::Uuid::nil(), "items": []});
    assert_eq!(
        problem(world.runner(ACME, "commit", &commit).await).await.1,
        "Unavailable"
    );
    assert!(!world.server.is_finished(), "it waits");
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_not_served() {
    let database = TestDatabase::empty().await;
    let url = database.url.clone();
    let mut world = World::on(&url, Some(database)).await;
    let error = why_it_ended(&mut world).await;
    assert!(error.contains("flowpilot-api migrate"), "{error}");
}

#[tokio::test]
async fn a_database_whose_walls_do_not_stand_is_not_served() {
    use sqlx::Executor;
    let database = TestDatabase::migrated().await;
    let statement = "ALTER TABLE fp.run_live DISABLE ROW LEVEL SECURITY";
    database.superuser().await.execute(statement).await.unwrap();
    let url = database.url.clone();
    let mut world = World::on(&url, Some(database)).await;
    let error = why_it_ended(&mut world).await;
    assert!(
        error.contains("not fit to serve") && error.contains("run_live"),
        "{error}"
    );
}

/// What a server says that does not wait, but ends.
async fn why_it_ended(world: &mut World) -> String {
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), &mut world.server).await;
    ended.unwrap().unwrap().unwrap_err().to_string()
}
