//! `flowpilot version`.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::{Connection, Format, output};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut versions = json!({"client": env!("CARGO_PKG_VERSION")});
    if arguments.connection.server.is_some() {
        let client = Client::new(&arguments.connection)?;
        let meta = client.json(Method::GET, "/api/v1/meta", None).await?;
        versions["server"] = meta.get("version").cloned().unwrap_or(Value::Null);
    }
    if arguments.output != Format::Table {
        output::document(&versions, arguments.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, version) in versions.as_object().into_iter().flatten() {
        output::line(&format!("{name}: {}", version.as_str().unwrap_or("unknown")));
    }
    Ok(ExitCode::SUCCESS)
}
