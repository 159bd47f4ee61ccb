//! `flowpilot run --local`: a workflow with real actions and real time in this process, without a server.
//!
//! ```text
//! files ──► stage (workflows, tenant) ──┐
//!                                       ├─► drive: the engine's driver of runs ──► orders ──► hands (the runner's)
//! terminal, --answer, --event ─► people ┘             ▲                                          │
//!                                                     └────────── ends, votes, events, Ctrl-C ◄──┘
//! ```
//!
//! Boundary: what runs do is the engine's business, and what attempts do the runner's; nothing is stored but the journal
//! that somebody asks for.

mod answers;
mod dialog;
mod drive;
mod people;
mod stage;
mod terminal;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use flowpilot_engine::journal::Event;
use flowpilot_engine::problem::Problem;
use flowpilot_engine::run::UndoState;
use flowpilot_engine::simulation::{Report, Scene, Seed, Simulation, Status};
use flowpilot_runner::Hands;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::commands::run::show;
use crate::journal::{Journal, Recorded};
use crate::{Format, output};
use answers::{Answers, Told};
use drive::{Drive, End};
use people::People;
use stage::Stage;
use terminal::Terminal;
use world::LocalWorld;

/// What the guard says of an address that is closed.
const CLOSED: &str = "which is closed to this tenant";

/// Options of a run without a server.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run it here, with real actions and without a server: WORKFLOW is then a file or folder with manifests
    #[arg(long)]
    pub(crate) local: bool,
    /// Which workflow of the file, if it has several
    #[arg(requires = "local", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Answer an approval: STEP=approve, STEP=reject, or STEP={"approve": true, "by": …, "groups": …, "form": …, "comment": …}
    #[arg(long, requires = "local", value_name = "STEP=ANSWER")]
    answer: Vec<String>,
    /// Send an event at the start, as TYPE={…}: its data
    #[arg(long, requires = "local", value_name = "TYPE=DATA")]
    event: Vec<String>,
    /// Write the journals of the run and of those that it starts into a file
    #[arg(long, requires = "local", value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Cancel the run after this time, such as 90s or 1h30m
    #[arg(long, requires = "local", value_parser = duration)]
    timeout: Option<Duration>,
    /// Let actions reach this machine and private networks, too. Metadata of clouds stays closed
    #[arg(long, requires = "local")]
    allow_local: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let span = flowpilot_engine::duration::parse(text).map_err(|error| error.to_string())?;
    Duration::try_from(span)
        .ok()
        .filter(|span| !span.is_zero())
        .ok_or_else(|| format!("{text}: it is at least 1s"))
}

/// Runs a workflow of a file.
pub(crate) async fn run(
    file: &Path,
    inputs: Map<String, Value>,
    options: Options,
    format: Format,
) -> anyhow::Result<ExitCode> {
    flowpilot_telemetry::logs::start_for_person("flowpilot-run", "warn,flowpilot_runner=info")
        .context("failed to start logging")?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let answers = Answers::read(&options.answer)?;
    let events: Vec<Told> = answers::events(&options.event)?;
    let stage = Stage::load(file, options.name.as_deref())?;
    let main = stage.main();
    let inputs = main
        .plan
        .check_inputs(&inputs)
        .map_err(|problems| refused(&main.name, &problems))?;
    let mut egress = stage.egress()?;
    if options.allow_local {
        egress = egress.with_nearby();
    }
    let hands = Hands::new(egress).context("failed to find this program, in which scripts run")?;
    let started_by = std::env::var("USER")
        .ok()
        .filter(|user| !user.is_empty())
        .unwrap_or_else(|| "somebody".to_owned());
    let scene = Scene {
        plan: main.plan.clone(),
        workflow: main.name.clone(),
        revision: main.revision.clone(),
        tenant: stage.tenant().to_owned(),
        variables: stage.variables().clone(),
        inputs,
        started_by,
        clock: Timestamp::now(),
        dry_run: false,
        seed: Seed::new(rand::random(), "local run"),
        real_time: true,
    };
    let (mut world, orders) = LocalWorld::new(&stage);
    let simulation = Simulation::new(scene, Vec::new(), &mut world)?;
    let people = People::new(answers, Terminal::of_person());
    let drive = Drive::new(simulation, orders, hands, people, options.timeout)?;
    let (end, report) = drive.run(events).await;
    let (runs, sensitive) = world.into_parts();
    if let Some(journal) = &options.journal {
        Journal::new(runs.clone()).write(journal)?;
    }
    let mut shown = match (runs.first(), &report) {
        (Some(run), Some(report)) => document(run, report),
        _ => Value::Null,
    };
    if sensitive.contains(&output::text(&shown, "/error/step")) {
        world::hide(&mut shown);
    }
    finish(end, report.as_deref(), &shown, format)
}

/// Says what came of it.
fn finish(end: End, report: Option<&Report>, shown: &Value, format: Format) -> anyhow::Result<ExitCode> {
    let Some(report) = report else {
        match end {
            End::CleanUpUnanswered(waits) => {
                bail!("stopped: clean-up waits, and nobody here answers. {waits}. Or run it in a terminal")
            }
            _ => bail!("stopped at once: not all was cleaned up and undone"),
        }
    };
    if let Some(fault) = &report.fault {
        bail!("the run cannot go on: {fault}");
    }
    show(shown, format)?;
    if report.undo == UndoState::Incomplete {
        output::note("undo: incomplete: something could not be taken back, see the steps above");
    }
    match end {
        End::Over if output::text(shown, "/error/message").contains(CLOSED) => {
            output::note("--allow-local opens this machine and private networks to actions");
        }
        // The second one has no report.
        End::Over | End::CleanUpUnanswered(_) => {}
        End::Interrupted => output::error("cancelled by Ctrl-C"),
        End::TimedOut => output::error("cancelled: it took longer than --timeout"),
        End::Unanswered(waits) => output::error(&format!(
            "cancelled: it waits, and nobody here answers. {waits}. Or run it in a terminal"
        )),
    }
    Ok(if report.status == Status::Succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The run, as the server would show it.
fn document(run: &Recorded, report: &Report) -> Value {
    let mut document = json!({
        "id": run.facts.run,
        "workflow": run.facts.workflow,
        "revision": run.facts.revision,
        "state": report.status.as_str().to_lowercase(),
        "startedAt": run.events.first().map(Event::at),
        "finishedAt": run.events.last().map(Event::at),
    });
    if let Some(Event::RunStarted { inputs, .. }) = run.events.first() {
        document["inputs"] = json!(inputs);
    }
    if let Some(outputs) = &report.outputs {
        document["outputs"] = json!(outputs);
    }
    if let Some(error) = &report.error {
        document["error"] = json!(error);
    }
    if report.undo != UndoState::None {
        document["undo"] = json!(report.undo);
    }
    if let Some(Event::RunFinished {
        message: Some(message),
        ..
    }) = run.events.last()
    {
        document["message"] = json!(message);
    }
    document
}

fn refused(workflow: &str, problems: &[Problem]) -> anyhow::Error {
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("a run of {workflow} is refused: {}", words.join("; "))
}
