//! The other process: reads jobs, runs them one after another, answers.
//!
//! The program of the runner is its own worker, so that an image has one file and both are of one version.

use std::io;

use super::frame::{self, Request};
use super::sandbox;

/// The argument that makes a worker of the program.
pub(super) const ARGUMENT: &str = "script-worker";

/// Whether this process was started as a worker: then [`serve`] is all it does. To be asked first in `main`, before
/// flags are read and threads are started.
#[must_use]
pub fn is_worker() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|argument| argument == ARGUMENT) && arguments.next().is_none()
}

/// Runs jobs until the runner closes the pipe.
pub fn serve() -> io::Result<()> {
    let mut from = io::stdin().lock();
    let mut to = io::stdout().lock();
    while let Some(Request { job, limits }) = frame::read(&mut from)? {
        frame::write(&mut to, &sandbox::run(&job, &limits, || false))?;
    }
    Ok(())
}
