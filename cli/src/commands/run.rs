//! `flowpilot run`: start a run and wait for its end, on a server or here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::logs;
use crate::client::Client;
use crate::{Connection, Format, local, output, values};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowpilot run refund -i letter='Please pay' --tenant acme
  flowpilot run --local refund.yaml -i letter='Please pay'
  flowpilot run --local flows/ refund -f inputs.yaml --answer ask=approve --journal run.json
  flowpilot run --local order.yaml --event order.paid='{\"id\": 1}' --timeout 10m

Without a server, actions, scripts and waits are real; approvals and events come from the
terminal, --answer and --event.
Ctrl-C cancels: clean-up and undo run. A second one stops at once.
Exit status: 0 the run succeeded, 1 it did not, 2 the command line is wrong.")]
pub(crate) struct Arguments {
    /// Name of the workflow; with --local a file or folder with its manifest
    workflow: String,
    /// An input as name=value; the value is JSON, or text if it is none
    #[arg(short, long = "input", value_name = "NAME=VALUE")]
    inputs: Vec<String>,
    /// A JSON or YAML file with inputs; --input wins over it
    #[arg(short = 'f', long)]
    inputs_file: Option<PathBuf>,
    /// Digest of the revision to run; the current one if not given
    #[arg(long, conflicts_with = "local")]
    revision: Option<String>,
    /// Start it and do not wait for its end
    #[arg(long, conflicts_with = "local")]
    no_wait: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    local: local::Options,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if arguments.local.local {
        let inputs = inputs(&arguments)?;
        let file = Path::new(&arguments.workflow);
        return local::run(file, inputs, arguments.local, arguments.output).await;
    }
    let client = Client::new(&arguments.connection)?;
    let tenant = arguments.connection.tenant()?;
    let mut body = json!({"inputs": inputs(&arguments)?});
    if let Some(revision) = &arguments.revision {
        body["revision"] = json!(revision);
    }
    let start = format!("/api/v1/tenants/{tenant}/workflows/{}/runs", arguments.workflow);
    let started = client.json(Method::POST, &start, Some(&body)).await?;
    let id = output::text(&started, "/id");
    if arguments.no_wait {
        show(&started, arguments.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let quiet = arguments.output != Format::Table;
    logs::follow(&client, &tenant, &id, None, |event| {
        if !quiet {
            logs::print(event);
        }
    })
    .await?;
    let run = client
        .json(Method::GET, &format!("/api/v1/tenants/{tenant}/runs/{id}"), None)
        .await?;
    show(&run, arguments.output)?;
    let succeeded = run["state"] == "succeeded";
    Ok(if succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A run as one line and its outputs, or as a whole document.
pub(crate) fn show(run: &Value, format: Format) -> anyhow::Result<()> {
    if format != Format::Table {
        return output::document(run, format);
    }
    output::line(&format!(
        "run {} {}",
        output::text(run, "/id"),
        output::text(run, "/state")
    ));
    if let Some(error) = run.get("error").filter(|error| !error.is_null()) {
        output::line(&format!(
            "error: {}: {}",
            output::text(error, "/code"),
            output::text(error, "/message")
        ));
    }
    match run.get("outputs") {
        Some(outputs) if !outputs.is_null() => output::document(outputs, Format::Yaml),
        _ => Ok(()),
    }
}

fn inputs(arguments: &Arguments) -> anyhow::Result<Map<String, Value>> {
    let mut inputs = match &arguments.inputs_file {
        None => Map::new(),
        Some(file) => values::map(file, "inputs")?,
    };
    for given in &arguments.inputs {
        let (name, value) = values::pair(given, "--input")?;
        inputs.insert(name, value);
    }
    Ok(inputs)
}
