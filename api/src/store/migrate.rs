//! The schema: making it, and knowing whether it is the one this program was written for.
//!
//! Migrations go forward only and run as `fp_owner` under an advisory lock, so any number of pods may start at once.

use std::collections::BTreeSet;

use snafu::ResultExt;
use sqlx::{Connection, Executor, PgConnection, migrate::Migrator};

use super::{
    Pools,
    error::{MigrateSnafu, Result, classify},
    pools::parse,
};

/// Where the migrator notes what it applied.
const TABLE: &str = "fp.schema_migrations";
/// Any constant: it names the lock under which this program changes a schema.
const LOCK: i64 = 0x666c_6f77_7069_6c6f;
const BOOTSTRAP: &str = include_str!("bootstrap.sql");

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name(TABLE);
    // Our own lock also covers the roles.
    migrator.set_locking(false);
    migrator
}

/// Creates roles and schema if they are missing and applies every migration that is not applied. The login needs
/// `CREATEROLE` (once per server) and must own the database.
pub async fn migrate(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect_with(&parse(url)?).await.map_err(classify)?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut connection)
        .await
        .map_err(classify)?;
    connection.execute(BOOTSTRAP).await.map_err(classify)?;
    connection
        .execute("SET ROLE fp_owner; SET search_path = fp; SET timezone = 'UTC'; SET lock_timeout = '5s'")
        .await
        .map_err(classify)?;
    migrator()
        .run_direct(None, &mut connection, false)
        .await
        .context(MigrateSnafu)?;
    connection
        .execute("CALL fp.add_missing_partitions()")
        .await
        .map_err(classify)?;
    // Ends the session and with it the lock.
    connection.close().await.map_err(classify)
}

/// Differs for every change of a migration.
#[cfg(test)]
pub(super) fn fingerprint() -> Vec<u8> {
    let bootstrap = BOOTSTRAP.as_bytes().iter().copied();
    bootstrap
        .chain(
            migrator()
                .iter()
                .flat_map(|migration| migration.checksum.to_vec()),
        )
        .collect()
}

/// How the schema of a database relates to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// Made by exactly the migrations this program knows.
    Known,
    /// Migrations are missing: run `flowpilot-api migrate`.
    TooOld {
        /// The oldest migration that is missing.
        missing: i64,
    },
    /// Made by a newer program: this one must not write there.
    TooNew {
        /// A migration this program does not know.
        unknown: i64,
    },
}

/// Compares what was applied with what this program knows.
pub async fn schema_is_known(pools: &Pools) -> Result<SchemaState> {
    let known: BTreeSet<i64> = migrator().iter().map(|migration| migration.version).collect();
    let oldest = known.first().copied().unwrap_or_default();
    let applied: Vec<i64> =
        match sqlx::query_scalar("SELECT version FROM fp.schema_migrations WHERE success ORDER BY version")
            .fetch_all(&pools.engine)
            .await
        {
            Ok(applied) => applied,
            Err(error) if nothing_there(&error) => return Ok(SchemaState::TooOld { missing: oldest }),
            Err(error) => return Err(classify(error)),
        };
    if let Some(unknown) = applied.iter().find(|version| !known.contains(version)) {
        return Ok(SchemaState::TooNew { unknown: *unknown });
    }
    Ok(match known.iter().find(|version| !applied.contains(version)) {
        Some(missing) => SchemaState::TooOld { missing: *missing },
        None => SchemaState::Known,
    })
}

/// An empty database answers "no such table", "no such schema", "no such role" or "not your table".
fn nothing_there(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(code.as_ref(), "42P01" | "3F000" | "22023" | "42704" | "42501"))
}
