//! The `flowpilot` command.

use std::process::ExitCode;

use clap::Parser;
use flowpilot_runner::script;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // `dev` and `test` run scripts in workers, which are this program.
    if script::is_worker() {
        return script::serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    flowpilot_cli::run(flowpilot_cli::Arguments::parse())
}
