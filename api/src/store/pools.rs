//! Connections: one login, two roles.
//!
//! An installation hands out one address. Each pool becomes its role right after connecting and sets there what keeps
//! that role safe: timeouts, and for the engine plans that cannot flip. Row security judges the current role.

use std::{str::FromStr, time::Duration};

use snafu::ResultExt;
use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::error::{AddressSnafu, Result, classify};

/// A request waits so long for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was unused for longer is asked for a sign of life before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(2);
/// Connections are replaced in the background, so that no server process grows for weeks.
const MAX_LIFETIME: Duration = Duration::from_hours(1);

/// One tenant at a time, read by people: whatever takes longer than a request may is stopped.
const APP: &str = "SET ROLE fp_app; SET search_path = fp; SET statement_timeout = '5s'; SET lock_timeout = '2s'; \
     SET idle_in_transaction_session_timeout = '10s'; SET jit = off; SET timezone = 'UTC'";
/// A closed set of statements by key. Their plans must not follow statistics that lag behind a queue: one generic plan
/// per statement and connection, nested loops over indexes and nothing else.
const ENGINE: &str = "SET ROLE fp_engine; SET search_path = fp; SET statement_timeout = '5s'; SET lock_timeout = '2s'; \
     SET idle_in_transaction_session_timeout = '10s'; SET jit = off; SET timezone = 'UTC'; \
     SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off";

/// Most connections of each pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolSizes {
    /// Requests of people.
    pub app: u32,
    /// The queue: two writer lanes, a claimer and a sweeper stay connected, the rest serves sessions and leases.
    pub engine: u32,
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self { app: 20, engine: 10 }
    }
}

/// The connections of one replica.
#[derive(Clone, Debug)]
pub struct Pools {
    /// Role `fp_app`: reached through [`super::TenantTx`] only.
    pub app: PgPool,
    /// Role `fp_engine`: the queue.
    pub(crate) engine: PgPool,
    options: PgConnectOptions,
}

impl Pools {
    /// Connects both pools and fails if the database is not there or the roles are not.
    pub async fn connect(url: &str, sizes: PoolSizes) -> Result<Self> {
        let pools = Self::connect_lazy(url, sizes)?;
        drop(pools.engine.acquire().await.map_err(classify)?);
        Ok(pools)
    }

    /// As [`Self::connect`], but the first use connects.
    pub fn connect_lazy(url: &str, sizes: PoolSizes) -> Result<Self> {
        let options = parse(url)?;
        let app = pool(sizes.app, APP).connect_lazy_with(options.clone());
        let engine = pool(sizes.engine, ENGINE).connect_lazy_with(options.clone());
        Ok(Self { app, engine, options })
    }

    /// One connection beside the pools that acts as a role of the schema.
    pub(crate) async fn connect_as(&self, role: Role) -> Result<PgConnection> {
        let mut connection = self.connect_bare().await?;
        connection.execute(role.become_it()).await.map_err(classify)?;
        Ok(connection)
    }

    /// One connection beside the pools that acts as the login.
    pub(crate) async fn connect_bare(&self) -> Result<PgConnection> {
        PgConnection::connect_with(&self.options).await.map_err(classify)
    }

    /// How to connect, for the listener that keeps a connection of its own.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Ends all connections once they are idle.
    pub async fn close(&self) {
        tokio::join!(self.app.close(), self.engine.close());
    }
}

/// A role that work outside the two pools acts as.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// Owns the tables.
    Owner,
    /// Deletes history.
    Retention,
}

impl Role {
    fn become_it(self) -> &'static str {
        match self {
            Self::Owner => {
                "SET ROLE fp_owner; SET search_path = fp; SET timezone = 'UTC'; SET lock_timeout = '5s'"
            }
            Self::Retention => {
                "SET ROLE fp_retention; SET search_path = fp; SET timezone = 'UTC'; SET lock_timeout = '2s'; \
                 SET statement_timeout = '30s'"
            }
        }
    }
}

pub(crate) fn parse(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).context(AddressSnafu)?;
    // Statements carry inputs and outputs of runs, which do not belong into logs.
    Ok(options
        .application_name("flowpilot-api")
        .disable_statement_logging())
}

fn pool(size: u32, settings: &'static str) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _metadata| {
            Box::pin(async move {
                connection.execute(settings).await?;
                Ok(())
            })
        })
}
