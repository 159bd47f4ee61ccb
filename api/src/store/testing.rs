//! Databases for tests: each test has one of its own, made for a fresh login that is no superuser.
//!
//! The schema is made once per server and version of the migrations and then copied: making it flushes some two hundred
//! files to the disk, copying it none. Dropping a database makes the server flush everything, so that is not done after
//! each test but at the beginning of a later run.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use super::{PoolSizes, Pools, migrate};

/// Any constant: one process at a time makes the template.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// Databases of runs that began so many seconds ago are removed.
const LEFT_OVER_SECONDS: u64 = 900;

/// A database of one test.
pub(crate) struct TestDatabase {
    /// Address for the login that owns it.
    pub(crate) url: String,
    /// Address for the superuser, in this database.
    pub(crate) superuser_url: String,
}

fn admin_url() -> String {
    std::env::var("DATABASE_URL").expect(
        "these tests need a Postgres: set DATABASE_URL to the address of a superuser, \
         such as postgres://postgres:secret@127.0.0.1:5432/postgres",
    )
}

async fn admin() -> PgConnection {
    PgConnection::connect(&admin_url())
        .await
        .expect("DATABASE_URL answers")
}

/// Creates a login and a database that it owns.
async fn create(admin: &mut PgConnection, name: &str, template: &str) -> [String; 2] {
    for statement in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("DROP ROLE IF EXISTS {name}"),
        format!("CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'test'"),
        format!("CREATE DATABASE {name} OWNER {name} TEMPLATE {template}"),
    ] {
        admin.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let mut url = url::Url::parse(&admin_url()).unwrap();
    url.set_path(name);
    let superuser_url = url.to_string();
    url.set_username(name).unwrap();
    url.set_password(Some("test")).unwrap();
    [url.to_string(), superuser_url]
}

/// The name of the database that has this version of the schema, made now if it is not there.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let made = TEMPLATE.get_or_init(|| async {
        let mut hasher = DefaultHasher::new();
        migrate::fingerprint().hash(&mut hasher);
        let name = format!("fpt_template_{:016x}", hasher.finish());
        let mut admin = admin().await;
        sqlx::query("SELECT pg_advisory_lock($1)")
            .bind(LOCK)
            .execute(&mut admin)
            .await
            .unwrap();
        let there: Option<i32> =
            sqlx::query_scalar("SELECT datconnlimit FROM pg_database WHERE datname = $1")
                .bind(&name)
                .fetch_optional(&mut admin)
                .await
                .unwrap();
        // Nobody may connect to a finished template; one that was interrupted is made again.
        if there != Some(0) {
            let [url, _] = create(&mut admin, &name, "template1").await;
            migrate(&url).await.unwrap();
            let close = format!("ALTER DATABASE {name} WITH CONNECTION LIMIT 0");
            admin.execute(AssertSqlSafe(close)).await.unwrap();
        }
        name
    });
    made.await
}

fn seconds() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

async fn remove_left_overs(admin: &mut PgConnection) {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname ~ '^fpt_[0-9]+_'")
            .fetch_all(&mut *admin)
            .await
            .unwrap();
    for name in names {
        let begun = name
            .split('_')
            .nth(1)
            .and_then(|begun| begun.parse::<u64>().ok())
            .unwrap_or(0);
        if begun + LEFT_OVER_SECONDS < seconds() {
            // Another process may be at it too.
            let drop_database = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            admin.execute(AssertSqlSafe(drop_database)).await.ok();
            admin
                .execute(AssertSqlSafe(format!("DROP ROLE IF EXISTS {name}")))
                .await
                .ok();
        }
    }
}

impl TestDatabase {
    /// An empty database.
    pub(crate) async fn empty() -> Self {
        Self::from_template("template1").await
    }

    async fn from_template(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("fpt_{}_{}_{number}", seconds(), std::process::id());
        let mut admin = admin().await;
        if number == 0 {
            remove_left_overs(&mut admin).await;
        }
        let [url, superuser_url] = create(&mut admin, &name, template).await;
        Self { url, superuser_url }
    }

    /// A database with the schema.
    pub(crate) async fn migrated() -> Self {
        let database = Self::from_template(template().await).await;
        // Makes the login a member of the roles.
        migrate(&database.url).await.unwrap();
        database
    }

    pub(crate) async fn pools(&self) -> Pools {
        Pools::connect(&self.url, PoolSizes { app: 4, engine: 8 })
            .await
            .unwrap()
    }

    /// A connection that may do anything, for looking behind the walls.
    pub(crate) async fn superuser(&self) -> PgConnection {
        PgConnection::connect(&self.superuser_url).await.unwrap()
    }
}
