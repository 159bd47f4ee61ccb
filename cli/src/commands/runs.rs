//! `flowpilot runs`: the runs of a tenant, newest first, one of them, or its journal.

pub(crate) mod recorded;

use std::path::PathBuf;
use std::process::ExitCode;

use reqwest::Method;
use serde_json::Value;

use crate::client::Client;
use crate::journal::Journal;
use crate::{Connection, Format, output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowpilot runs --workflow refund --state failed,held
  flowpilot runs 0198c5a2-7d5e-7c31-9f55-0d3f2a6f8a11
  flowpilot runs 0198c5a2-7d5e-7c31-9f55-0d3f2a6f8a11 --journal run.json")]
pub(crate) struct Arguments {
    /// Id of a run: shows this one with its steps
    run: Option<String>,
    /// Save the journal of the named run in a file, for `replay` and `test --record`
    #[arg(long, value_name = "FILE", requires = "run", conflicts_with = "cancel")]
    journal: Option<PathBuf>,
    /// The manifest that the run followed, if the workflow was changed since
    #[arg(long, value_name = "FILE", requires = "journal")]
    manifest: Option<PathBuf>,
    /// Only runs of this workflow
    #[arg(short, long)]
    workflow: Option<String>,
    /// Only runs in these states: queued, running, waiting, held, succeeded, failed, cancelled
    #[arg(short, long, value_delimiter = ',')]
    state: Vec<String>,
    /// How many, 200 at most
    #[arg(short, long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
    /// Cancel the named run
    #[arg(long, requires = "run")]
    cancel: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.connection)?;
    let runs = format!("/api/v1/tenants/{}/runs", arguments.connection.tenant()?);
    if let (Some(id), Some(file)) = (&arguments.run, &arguments.journal) {
        let tenant = arguments.connection.tenant()?;
        let recorded = recorded::fetch(&client, &tenant, id, arguments.manifest.as_deref()).await?;
        let count = recorded.events.len();
        Journal::new(vec![recorded]).write(file)?;
        output::note(&format!("saved {count} events in {}", file.display()));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(id) = &arguments.run {
        if arguments.cancel {
            client
                .json(Method::POST, &format!("{runs}/{id}/cancel"), None)
                .await?;
        }
        let run = client.json(Method::GET, &format!("{runs}/{id}"), None).await?;
        one(&run, arguments.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut query = vec![format!("limit={}", arguments.limit)];
    query.extend(
        arguments
            .workflow
            .iter()
            .map(|workflow| format!("workflow={workflow}")),
    );
    if !arguments.state.is_empty() {
        query.push(format!("state={}", arguments.state.join(",")));
    }
    let list = client
        .json(Method::GET, &format!("{runs}?{}", query.join("&")), None)
        .await?;
    if arguments.output != Format::Table {
        output::document(&list, arguments.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        output::note("no runs");
    } else {
        let rows: Vec<_> = items.iter().map(row).collect();
        output::table(&["RUN", "WORKFLOW", "STATE", "CREATED", "ERROR"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Value) -> Vec<String> {
    ["/id", "/workflow", "/state", "/createdAt", "/error/code"]
        .map(|pointer| output::text(run, pointer))
        .to_vec()
}

fn one(run: &Value, format: Format) -> anyhow::Result<()> {
    if format != Format::Table {
        return output::document(run, format);
    }
    output::table(&["RUN", "WORKFLOW", "STATE", "CREATED", "ERROR"], &[row(run)]);
    let steps = run["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !steps.is_empty() {
        output::line("");
        let cells = [
            "/path",
            "/state",
            "/attempts",
            "/startedAt",
            "/endedAt",
            "/error/message",
        ];
        let rows: Vec<_> = steps
            .iter()
            .map(|step| cells.map(|pointer| output::text(step, pointer)).to_vec())
            .collect();
        output::table(&["STEP", "STATE", "ATTEMPTS", "STARTED", "ENDED", "ERROR"], &rows);
    }
    Ok(())
}
