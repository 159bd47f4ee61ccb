//! `flowpilot dev`: API server, runners and a database in one process, with manifests from a folder.
//!
//! The same parts as in a cluster, over the same protocols on the loopback; the folder stands for the custom
//! resources, and this module for the operator. Nothing is open: people need the token that is printed, and each
//! tenant's runner has one of its own.

mod folder;
mod postgres;
mod register;
mod runners;
mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use flowpilot_api::auth::{Authenticator, RunnerTokens, StaticTokens};
use flowpilot_api::definitions::{Definitions, Folder};
use flowpilot_api::store::Durability;
use flowpilot_api::{Listeners, Setup};
use flowpilot_telemetry::health::Health;
use rand::distr::{Alphanumeric, SampleString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::output;
use register::Registry;
use runners::Runners;
use watch::Watch;

/// Runners promise to hand their runs back within two seconds.
const HAND_BACK: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder with manifests; it is watched, and changes apply as they are saved
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Where people find the API
    #[arg(long, env = "FLOWPILOT_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A running Postgres; without it a private one is started from installed binaries
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Where the private Postgres keeps its data
    #[arg(long, env = "FLOWPILOT_DEV_DATA")]
    data: Option<PathBuf>,
    /// The token of people; a new one is printed if not given
    #[arg(long, env = "FLOWPILOT_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// What runs, and what a person needs to know of it.
struct Process {
    listen: SocketAddr,
    internal: Url,
    token: String,
    tokens: StaticTokens,
    shutdown: CancellationToken,
    runners: TaskTracker,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let begin = Instant::now();
    flowpilot_telemetry::logs::start_for_person("flowpilot-dev", "warn")
        .context("failed to start logging")?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = register::absolute(&arguments.folder)?;
    let public = TcpListener::bind(arguments.listen).await;
    let public = public.with_context(|| {
        format!(
            "failed to listen on {}: choose another --listen",
            arguments.listen
        )
    })?;
    let internal = TcpListener::bind("127.0.0.1:0")
        .await
        .context("failed to listen on the loopback")?;
    let (database, database_url) = database(&arguments)?;
    flowpilot_api::store::migrate(&database_url)
        .await
        .context("failed to prepare the database")?;

    let token = arguments.token.unwrap_or_else(secret);
    let process = Process {
        listen: public.local_addr()?,
        internal: Url::parse(&format!("http://{}", internal.local_addr()?))?,
        tokens: StaticTokens {
            people: token.clone(),
            operator: secret(),
            runners: RunnerTokens::default(),
        },
        token,
        shutdown: flowpilot_telemetry::shutdown::token(),
        runners: TaskTracker::new(),
    };
    let server = CancellationToken::new();
    let setup = Setup {
        database_url,
        durability: Durability::Relaxed,
        authenticator: Authenticator::Static(process.tokens.clone()),
        definitions: Definitions::Folder(Folder::new(folder.clone(), folder::DEFAULT_TENANT.to_owned())),
        health: Health::new(["database"]),
        public_url: Some(Url::parse(&format!("http://{}", process.listen))?),
        queue: flowpilot_api::queue::Settings::default(),
        clock: flowpilot_api::clock::Clock::default(),
        shutdown: server.clone(),
    };
    let listeners = Listeners {
        public,
        internal,
        metrics: None,
    };
    let api = tokio::spawn(flowpilot_api::server::serve(setup, listeners));
    let outcome = tokio::select! {
        outcome = follow(&folder, &process, begin) => outcome,
        () = process.shutdown.cancelled() => Ok(()),
    };
    // Runners first: they hand their runs back to an API server that still answers.
    process.shutdown.cancel();
    process.runners.close();
    let _ = tokio::time::timeout(HAND_BACK, process.runners.wait()).await;
    server.cancel();
    let ended = api
        .await
        .map_err(|error| anyhow!("the API server broke: {error}"))?;
    drop(database);
    outcome?;
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// Registers what the folder declares, now and whenever it changes.
async fn follow(folder: &Path, process: &Process, begin: Instant) -> anyhow::Result<()> {
    let mut watch = Watch::start(folder)?;
    let mut registry = Registry::new(process.internal.clone(), process.tokens.operator.clone())?;
    let mut runners = Runners::new(process);
    let mut world = folder::read(folder);
    registry.wait_until_served().await?;
    loop {
        world.problems.iter().for_each(|problem| output::note(problem));
        match registry.tell(&world).await {
            Ok(changes) => changes.iter().for_each(|change| output::note(change)),
            Err(error) => output::error(&format!("{error:#}")),
        }
        runners.fit(&world)?;
        if let Some(begin) = runners.first_time().then_some(begin) {
            greet(process, folder, world.example(), begin);
        }
        loop {
            watch.changed().await;
            let now = folder::read(folder);
            if now != world {
                world = now;
                break;
            }
        }
    }
}

fn greet(process: &Process, folder: &Path, (tenant, workflow): (&str, &str), begin: Instant) {
    let (address, token) = (process.listen, &process.token);
    output::note(&format!(
        "FlowPilot serves {} at http://{address} ({} ms). Try:\n  export FLOWPILOT_SERVER=http://{address} FLOWPILOT_TOKEN={token} \
         FLOWPILOT_TENANT={tenant}\n  flowpilot run {workflow}\nCtrl-C ends it.",
        folder.display(),
        begin.elapsed().as_millis(),
    ));
}

/// The database: the one that is given, or a private one that lives as long as the first value.
fn database(arguments: &Arguments) -> anyhow::Result<(Option<postgres::Postgres>, String)> {
    if let Some(url) = &arguments.database_url {
        return Ok((None, url.clone()));
    }
    let folder = match &arguments.data {
        Some(folder) => folder.clone(),
        None => default_data()?,
    };
    let postgres = postgres::Postgres::start(&folder)?;
    let url = postgres.url().to_owned();
    Ok((Some(postgres), url))
}

/// `$XDG_DATA_HOME/flowpilot/dev`; for root, whose home Postgres' user may not enter, `/var/lib/flowpilot-dev`.
fn default_data() -> anyhow::Result<PathBuf> {
    if std::env::var_os("HOME").is_none_or(|home| home == *"/root") {
        return Ok(PathBuf::from("/var/lib/flowpilot-dev"));
    }
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or(home);
    Ok(data
        .context("no place for the database: set --data")?
        .join("flowpilot/dev"))
}

/// 240 random bits that can be typed.
fn secret() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 40)
}
