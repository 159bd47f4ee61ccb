//! `flowpilot-api`: serves, or migrates the schema.

use clap::Parser;
use flowpilot_api::config::Config;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::parse();
    flowpilot_telemetry::logs::start("flowpilot-api")?;
    flowpilot_api::run(config).await?;
    Ok(())
}
