//! The `flowpilot` command line, also `kubectl flowpilot`: check manifests, start and watch runs, and run the whole
//! product in one process for development.
//!
//! Exit status: 0 it worked; 1 it did not (a problem was found, a run failed, the server refused); 2 the command
//! line was wrong, as `clap` has it.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod client;
mod commands;
mod dev;
mod journal;
mod local;
mod manifests;
mod output;
mod testing;
mod values;
mod xml;

pub use output::Format;

/// Workflow automation on Kubernetes.
#[derive(Debug, Parser)]
#[command(
    name = "flowpilot",
    version,
    about,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check manifests before they are applied: file, line, path, problem, suggestion
    Lint(commands::lint::Arguments),
    /// Write manifests in their canonical form; comments stay
    Fmt(commands::fmt::Arguments),
    /// Draw a workflow: Mermaid, DOT or SVG
    Graph(commands::graph::Arguments),
    /// Say what is known of a step: its edges, what it may read, its schema
    Explain(commands::explain::Arguments),
    /// Evaluate an expression on given data, and say what it cost
    Eval(commands::eval::Arguments),
    /// Start a run of a workflow and wait for its end; with --local in this process, without a server
    Run(commands::run::Arguments),
    /// Play the journal of a run again, and compare what the engine decides
    Replay(commands::replay::Arguments),
    /// List runs, show one, or save its journal
    Runs(commands::runs::Arguments),
    /// Show what happens in a run, step by step, until it ends
    Logs(commands::logs::Arguments),
    /// Run API, runner and database in one process, with manifests from a folder
    Dev(dev::Arguments),
    /// Test workflows in simulated time
    Test(commands::test::Arguments),
    /// Show the version of this command, and of the server if one is given
    Version(commands::version::Arguments),
}

/// Where the server is and who asks. What the command line says goes before the environment, so tenant and token are read
/// from it by hand: to `clap` a variable that is set would contradict `--namespace` or `--token-file`.
#[derive(Args, Clone, Debug, Default)]
pub struct Connection {
    /// Address of the API server, such as `http://127.0.0.1:8080`
    #[arg(long, env = "FLOWPILOT_SERVER", global = true)]
    pub server: Option<url::Url>,
    /// Token that says who you are [env: FLOWPILOT_TOKEN]
    #[arg(long, global = true)]
    pub token: Option<String>,
    /// File with the token [env: FLOWPILOT_TOKEN_FILE]
    #[arg(long, conflicts_with = "token", global = true)]
    pub token_file: Option<std::path::PathBuf>,
    /// The tenant [env: FLOWPILOT_TENANT]
    #[arg(short, long, global = true)]
    pub tenant: Option<String>,
    /// The tenant's namespace, for those who think in Kubernetes: `fp-<tenant>`
    #[arg(short, long, conflicts_with = "tenant", global = true)]
    pub namespace: Option<String>,
}

/// The whole program: a worker for scripts if it was started as one, otherwise the command.
#[must_use]
pub fn main() -> ExitCode {
    if !flowpilot_runner::script::is_worker() {
        return run(Arguments::parse());
    }
    match flowpilot_runner::script::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&format!("the script worker ended: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs the command and says how it went.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let outcome = runtime().and_then(|runtime| {
        runtime.block_on(async {
            match arguments.command {
                Command::Lint(arguments) => commands::lint::run(&arguments),
                Command::Fmt(arguments) => commands::fmt::run(&arguments),
                Command::Graph(arguments) => commands::graph::run(&arguments),
                Command::Explain(arguments) => commands::explain::run(&arguments),
                Command::Eval(arguments) => commands::eval::run(&arguments),
                Command::Run(arguments) => commands::run::run(arguments).await,
                Command::Replay(arguments) => Ok(commands::replay::run(&arguments)),
                Command::Runs(arguments) => commands::runs::run(arguments).await,
                Command::Logs(arguments) => commands::logs::run(arguments).await,
                Command::Dev(arguments) => dev::run(arguments).await,
                Command::Test(arguments) => commands::test::run(arguments).await,
                Command::Version(arguments) => commands::version::run(arguments).await,
            }
        })
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}
