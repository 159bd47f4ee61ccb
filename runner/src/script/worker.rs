//! The other process: reads jobs, runs them one after another, answers.
//!
//! The program of the runner is its own worker, so that an image has one file and both are of one version. The main
//! thread does nothing but read: it sees at once that the runner went away, and ends the process with whatever
//! script is running in it.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::frame::{self, Request};
use super::sandbox;

/// The argument that makes a worker of the program.
pub(super) const ARGUMENT: &str = "script-worker";
/// The stack of the thread that runs scripts: what they may use, many times over, for what QuickJS does not count.
const STACK: usize = 16 * 1024 * 1024;

/// Whether this process was started as a worker: then [`serve`] is all it does. To be asked first in `main`, before
/// flags are read and threads are started.
#[must_use]
pub fn is_worker() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|argument| argument == ARGUMENT) && arguments.next().is_none()
}

/// Runs jobs until the runner closes the pipe.
pub fn serve() -> io::Result<()> {
    let (jobs, received) = channel();
    thread::Builder::new()
        .name("script".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // The runner sees the end of the process, and not a worker that never answers.
            let ended = catch_unwind(AssertUnwindSafe(|| answer(&received)));
            exit(i32::from(!matches!(ended, Ok(Ok(())))));
        })?;
    let mut from = io::stdin().lock();
    while let Some(request) = frame::read(&mut from)? {
        jobs.send(request)
            .map_err(|_| io::Error::new(ErrorKind::BrokenPipe, "nobody runs scripts any more"))?;
    }
    exit(0)
}

fn answer(jobs: &Receiver<Request>) -> io::Result<()> {
    let mut to = io::stdout().lock();
    for Request { job, limits } in jobs {
        frame::write(&mut to, &sandbox::run(&job, &limits, || false))?;
    }
    Ok(())
}
