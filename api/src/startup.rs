//! What happens before the first request is served, and beside all of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flowpilot_telemetry::health::Health;
use kube::Client;
use snafu::ResultExt;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;

use crate::auth::{AdminToken, Authenticator, TokenReviews};
use crate::clock::Clock;
use crate::cluster::{Cluster, Watch};
use crate::config;
use crate::definitions::Definitions;
use crate::queue::Event;
use crate::server::{
    DATABASE, DatabaseSnafu, Error, GuardSnafu, InterruptedSnafu, KubernetesSnafu, ListenSnafu, Listeners,
    SchemaSnafu, Setup, TokenSnafu, WORKFLOWS,
};
use crate::state::Services;
use crate::store::{self, Durability, Pools, SchemaState, guard, schema_is_known};

/// How often the database is asked whether it is there.
const LOOK: Duration = Duration::from_secs(2);
/// So many looks pass between two lines in the log that say what is missing: a minute.
const TELL: u64 = 30;
/// How often the queue is measured.
const MEASURE: Duration = Duration::from_secs(15);

/// Brings the schema up to this version. Waits for a database that is away as long as it takes: this runs before the
/// server's own container, and after giving up Kubernetes would take minutes to try again.
pub(crate) async fn migrate(url: &str) -> Result<(), Error> {
    let shutdown = flowpilot_telemetry::shutdown::token();
    let mut attempts = 0_u64;
    loop {
        match store::migrate(url).await {
            Ok(()) => {
                tracing::info!("the schema is up to date");
                return Ok(());
            }
            Err(error) if error.is_unavailable() => {
                if attempts.is_multiple_of(TELL) {
                    tracing::warn!(error = crate::problem::chain(&error), "waiting for the database");
                }
                attempts += 1;
            }
            Err(error) => return Err(error).context(DatabaseSnafu),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => return InterruptedSnafu.fail(),
        }
    }
}

/// Serves as an installation in a cluster.
pub(crate) async fn serve(config: config::Serve) -> Result<(), Error> {
    // The first one wins; whoever set one before has the same.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let shutdown = flowpilot_telemetry::shutdown::token();
    let admin = AdminToken::read(&config.admin_token_file).context(TokenSnafu)?;
    let client = Client::try_default()
        .await
        .map_err(Box::new)
        .context(KubernetesSnafu)?;
    let health = Health::new([DATABASE, WORKFLOWS]);
    let watch = Watch::default();
    let ready = health.clone();
    tokio::spawn(watch.clone().run(client.clone(), shutdown.clone(), move || {
        ready.set_ready(WORKFLOWS, true);
    }));
    let authenticator = Authenticator::Cluster {
        admin,
        reviews: Box::new(TokenReviews::new(client.clone())),
        operator_user: config.operator_user,
    };
    let bind = async |listen| TcpListener::bind(listen).await.context(ListenSnafu { listen });
    let listeners = Listeners {
        public: bind(config.listen).await?,
        internal: bind(config.internal_listen).await?,
        metrics: Some(bind(config.metrics_listen).await?),
    };
    let setup = Setup {
        database_url: config.database.database_url,
        durability: if config.dev {
            Durability::Relaxed
        } else {
            Durability::Required
        },
        authenticator,
        definitions: Definitions::Cluster(Cluster::new(client, watch)),
        health,
        public_url: config.public_url,
        queue: crate::queue::Settings::default(),
        clock: Clock::default(),
        shutdown,
    };
    crate::server::serve(setup, listeners).await
}

/// Judges the database, then keeps caches right and looks after health; ends only with an error.
pub(crate) async fn background(services: &Arc<Services>, durability: Durability) -> Result<(), Error> {
    let invalidate = invalidate(services);
    let measure = measure(services);
    let look = async {
        admit(services, durability).await?;
        look(services).await;
        Ok(())
    };
    tokio::select! {
        result = look => result,
        () = invalidate => Ok(()),
        () = measure => Ok(()),
    }
}

/// Waits for the database, and lets requests in if it is ours and fit.
async fn admit(services: &Services, durability: Durability) -> Result<(), Error> {
    let mut told = false;
    loop {
        match judge(services, durability).await {
            Err(Error::Database { source }) if source.is_unavailable() => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(error = crate::problem::chain(&source), "waiting for the database");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    compare_clocks(services).await;
    services.admitted.store(true, Ordering::Release);
    services.health.set_ready(DATABASE, true);
    tracing::info!("ready");
    Ok(())
}

async fn judge(services: &Services, durability: Durability) -> Result<(), Error> {
    let state = match schema_is_known(&services.pools).await {
        // Without its roles a connection of the pools never comes about, which looks like a database that is away.
        Err(error) if error.is_unavailable() && never_migrated(&services.pools).await => {
            let message = "the database was never prepared for FlowPilot: run `flowpilot-api migrate`";
            return SchemaSnafu { message }.fail();
        }
        state => state.context(DatabaseSnafu)?,
    };
    match state {
        SchemaState::Known => {}
        SchemaState::TooOld { missing } => {
            let message = format!(
                "the schema of the database is too old: migration {missing} is missing; run `flowpilot-api migrate`"
            );
            return SchemaSnafu { message }.fail();
        }
        SchemaState::TooNew { unknown } => {
            let message = format!(
                "the schema of the database is too new: this version does not know migration {unknown}; run a newer one"
            );
            return SchemaSnafu { message }.fail();
        }
    }
    let findings = guard(&services.pools, durability).await.context(DatabaseSnafu)?;
    snafu::ensure!(findings.is_empty(), GuardSnafu { findings });
    Ok(())
}

/// Whether the database answers, and knows neither our schema nor our roles.
async fn never_migrated(pools: &Pools) -> bool {
    let Ok(mut connection) = pools.connect_bare().await else {
        return false;
    };
    let prepared = sqlx::query_scalar(include_str!("startup/prepared.sql"))
        .fetch_one(&mut connection)
        .await;
    matches!(prepared, Ok(false))
}

/// Tells probes whether the database is there.
async fn look(services: &Services) {
    let mut there = true;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = schema_is_known(&services.pools).await;
        match (&now, there) {
            (Err(error), true) => {
                tracing::warn!(error = crate::problem::chain(error), "the database is away");
            }
            (Ok(_), false) => tracing::info!("the database is back"),
            _ => {}
        }
        there = now.is_ok();
        if there {
            compare_clocks(services).await;
        }
        // Still ready: all replicas have the same database, and callers are better served by 503 with Retry-After
        // than by a Service without endpoints that refuses connections.
    }
}

/// A database that does not answer says nothing of clocks: what was known stays.
async fn compare_clocks(services: &Services) {
    if let Ok(ahead) = services.clock.compare(&services.pools).await {
        services.metrics.clock(ahead);
    }
}

/// Forgets what changed elsewhere.
async fn invalidate(services: &Services) {
    let mut news = services.queue.subscribe();
    loop {
        match news.recv().await {
            Ok(Event::RegistryChanged { tenant_id }) => services.directory.forget(tenant_id),
            Ok(Event::Missed) | Err(RecvError::Lagged(_)) => services.directory.forget_all(),
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending::<()>().await,
        }
    }
}

/// Measures the queue for the metrics.
async fn measure(services: &Services) {
    loop {
        if services.admitted.load(Ordering::Acquire)
            && let Ok(depths) = services.queue.pool_depths(None).await
        {
            let ready = depths.iter().map(|depth| i64::from(depth.ready)).sum();
            let leased = depths.iter().map(|depth| i64::from(depth.leased)).sum();
            let oldest = depths
                .iter()
                .map(|depth| depth.oldest_millis / 1000)
                .max()
                .unwrap_or(0);
            services.metrics.queue(ready, leased, oldest);
        }
        tokio::time::sleep(MEASURE).await;
    }
}
