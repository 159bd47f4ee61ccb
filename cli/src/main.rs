//! The `flowpilot` command.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    flowpilot_cli::run(flowpilot_cli::Arguments::parse())
}
