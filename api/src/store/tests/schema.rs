use sqlx::Executor;

use crate::store::{Durability, SchemaState, guard, migrate, schema_is_known, testing::TestDatabase};

#[tokio::test]
async fn many_migrations_at_once_make_one_schema_that_the_guard_finds_nothing_in() {
    let database = TestDatabase::empty().await;
    let (first, second) = tokio::join!(migrate(&database.url), migrate(&database.url));
    first.unwrap();
    second.unwrap();
    migrate(&database.url).await.unwrap();
    let pools = database.pools().await;
    assert_eq!(schema_is_known(&pools).await.unwrap(), SchemaState::Known);
    assert_eq!(
        guard(&pools, Durability::Required).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn an_older_and_a_newer_schema_are_recognised() {
    let database = TestDatabase::migrated().await;
    let pools = database.pools().await;
    let mut superuser = database.superuser().await;
    superuser
        .execute("INSERT INTO fp.schema_migrations SELECT 99999999999999, 'later', now(), true, '', 0")
        .await
        .unwrap();
    assert_eq!(
        schema_is_known(&pools).await.unwrap(),
        SchemaState::TooNew {
            unknown: 99_999_999_999_999
        }
    );
    superuser
        .execute("DELETE FROM fp.schema_migrations WHERE version > 20261124050300")
        .await
        .unwrap();
    assert_eq!(
        schema_is_known(&pools).await.unwrap(),
        SchemaState::TooOld {
            missing: 20_261_124_050_400
        }
    );
}

#[tokio::test]
async fn an_empty_database_is_too_old() {
    // The roles belong to the server, so another test may have made them already or not.
    let other = TestDatabase::migrated().await;
    let database = TestDatabase::empty().await;
    let mut superuser = database.superuser().await;
    for role in ["fp_app", "fp_engine"] {
        let login = url::Url::parse(&database.url).unwrap().username().to_owned();
        superuser
            .execute(sqlx::AssertSqlSafe(format!("GRANT {role} TO {login}")))
            .await
            .unwrap();
    }
    let pools = database.pools().await;
    assert!(matches!(
        schema_is_known(&pools).await.unwrap(),
        SchemaState::TooOld { .. }
    ));
    drop(other);
}

#[tokio::test]
async fn settings_that_could_lose_a_commit_are_refused_unless_allowed() {
    let database = TestDatabase::migrated().await;
    let mut superuser = database.superuser().await;
    let name = url::Url::parse(&database.url).unwrap().username().to_owned();
    superuser
        .execute(sqlx::AssertSqlSafe(format!(
            "ALTER DATABASE {name} SET synchronous_commit = off"
        )))
        .await
        .unwrap();
    let pools = database.pools().await;
    let findings = guard(&pools, Durability::Required).await.unwrap();
    assert_eq!(
        findings,
        ["an answered commit could be lost: synchronous_commit = off"]
    );
    assert_eq!(
        guard(&pools, Durability::Relaxed).await.unwrap(),
        Vec::<String>::new()
    );
}
