//! Parses arguments and runs the operator.

use clap::Parser;

/// Gives memory back to the system: an operator is idle most of its life.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One thread: everything waits for the network, and each thread more costs memory.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = flowpilot_operator::Config::parse();
    flowpilot_telemetry::logs::start("flowpilot-operator")?;
    flowpilot_operator::run(config, flowpilot_telemetry::shutdown::token()).await?;
    Ok(())
}
