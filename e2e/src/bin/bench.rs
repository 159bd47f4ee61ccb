//! `make bench`: measures the installation of `KUBECONFIG` and prints a table.

use std::path::PathBuf;

use clap::Parser;
use flowpilot_e2e::bench::{development, figures, footprint, language, runs, writes};
use flowpilot_e2e::with_tenant;
use serde_json::json;

/// Measures FlowPilot on the cluster of KUBECONFIG.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds of each measurement
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The `flowpilot` command whose `dev` is measured; left out if not given
    #[arg(long)]
    flowpilot: Option<PathBuf>,
    /// A running Postgres for `flowpilot dev`
    #[arg(long, env = "DATABASE_URL")]
    database_url: Option<String>,
    /// What the engine's benches left: criterion's results.
    #[arg(long)]
    criterion: Option<PathBuf>,
    /// What the engine's benches printed: a JSON object a line.
    #[arg(long)]
    printed: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let rounds = arguments.rounds;
    let mut measured = Vec::new();
    let collected = &mut measured;
    with_tenant("bench", async |tenant| {
        tenant.ready_workflow("three", runs::THREE_STEPS).await?;
        // One run first: it brings the runner from zero, which has its own test.
        let first = tenant.start("three", json!({})).await?;
        tenant.finished(&first).await?;
        collected.extend(footprint::resident()?);
        collected.push(runs::apply_to_ready(&tenant, rounds).await?);
        collected.push(runs::create_to_succeeded(&tenant, rounds).await?);
        collected.extend(runs::rest_runs(&tenant, 1, 400, rounds).await?);
        collected.extend(runs::rest_runs(&tenant, 32, 100, rounds).await?);
        collected.extend(writes::per_run(&tenant, rounds.min(3)).await?);
        Ok(())
    })
    .await?;
    if let (Some(program), Some(database)) = (&arguments.flowpilot, &arguments.database_url) {
        measured.push(development::start_to_first_run(program, database, rounds.max(10)).await?);
    }
    if let Some(program) = &arguments.flowpilot {
        measured.push(language::lint(program, rounds.max(20)).await?);
    }
    if let Some(directory) = &arguments.criterion {
        measured.extend(language::measured(directory)?);
    }
    if let Some(file) = &arguments.printed {
        measured.extend(language::printed(file)?);
    }
    let text = format!("{}\n{}", machine(), figures::table(&measured));
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}

/// The machine, and how busy it was before we began.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let information = read("/proc/cpuinfo");
    let model = information.lines().find_map(|line| {
        line.strip_prefix("model name")?
            .split_once(':')
            .map(|part| part.1.trim())
    });
    let cores = information
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let load = read("/proc/loadavg");
    let kernel = read("/proc/sys/kernel/osrelease");
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
    format!(
        "{now}; {cores} × {}; Linux {}; load at the end {}\n",
        model.unwrap_or("unknown processor"),
        kernel.trim(),
        load.split(' ').next().unwrap_or("unknown")
    )
}
