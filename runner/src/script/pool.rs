//! Workers of this runner: started when they are needed, killed when time is up.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::frame::{self, Answer, Request};
use super::{Job, Limits, Output, ScriptError, worker};

/// Scripts that compute at the same moment; more wait. Each takes a core.
const WORKERS: usize = 2;
/// A worker with nothing to do is ended after this long: it holds some 3 MB.
const IDLE: Duration = Duration::from_secs(30);
/// A worker is replaced after this many jobs, so that nothing a library leaks adds up.
const JOBS: u32 = 1_000;
/// What a worker is given on top of the time of a script, to start and to answer.
const GRACE: Duration = Duration::from_secs(1);

/// Runs scripts in processes of their own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Scripts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    places: Semaphore,
    idle: Mutex<Vec<Worker>>,
    /// Somebody looks after the idle ones.
    reaping: AtomicBool,
}

impl Scripts {
    /// Workers are this program: its `main` asks [`is_worker`](super::is_worker) first.
    pub fn new() -> io::Result<Self> {
        Ok(Self::of(std::env::current_exe()?))
    }

    /// Workers are another program that does so.
    #[must_use]
    pub fn of(program: PathBuf) -> Self {
        Self(Arc::new(Inner {
            program,
            places: Semaphore::new(WORKERS),
            idle: Mutex::new(Vec::new()),
            reaping: AtomicBool::new(false),
        }))
    }

    /// Runs a script. Dropping the future ends it at once, whatever it does.
    pub async fn run(&self, job: Job, limits: Limits) -> Result<Output, ScriptError> {
        let time = limits.time;
        let request =
            frame::encode(&Request { job, limits }).map_err(|error| ScriptError::limit(error.to_string()))?;
        let Ok(_place) = self.0.places.acquire().await else {
            return Err(ScriptError::internal("no script is started any more"));
        };
        let mut worker = self.worker()?;
        let answer = match timeout(time + GRACE, worker.ask(&request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(worker.failed(&error).await),
            Err(_) => {
                let message = format!("the script takes longer than {} s", time.as_secs_f32());
                return Err(ScriptError::limit(message));
            }
        };
        self.keep(worker);
        answer
    }

    fn worker(&self) -> Result<Worker, ScriptError> {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(worker) => Ok(worker),
            None => Worker::start(&self.0.program)
                .map_err(|error| ScriptError::internal(format!("the script worker did not start: {error}"))),
        }
    }

    fn keep(&self, mut worker: Worker) {
        worker.jobs += 1;
        worker.since = Instant::now();
        if worker.jobs < JOBS {
            let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(worker);
            if !self.0.reaping.swap(true, Ordering::AcqRel) {
                tokio::spawn(reap(Arc::downgrade(&self.0)));
            }
        }
    }
}

/// Ends workers with nothing to do, until there are none.
async fn reap(pool: Weak<Inner>) {
    loop {
        sleep(IDLE).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|worker| worker.since.elapsed() < IDLE);
        if idle.is_empty() {
            // Under the lock: who keeps a worker after this sees it, and starts another.
            pool.reaping.store(false, Ordering::Release);
            return;
        }
    }
}

/// A process. Dropping it kills it.
#[derive(Debug)]
struct Worker {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    jobs: u32,
    since: Instant,
}

impl Worker {
    fn start(program: &PathBuf) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(worker::ARGUMENT)
            // It inherits no addresses and no tokens; times are shown in the zone of the data.
            .env_clear()
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        Ok(Self {
            to: child.stdin.take().ok_or_else(missing)?,
            from: child.stdout.take().ok_or_else(missing)?,
            child,
            jobs: 0,
            since: Instant::now(),
        })
    }

    async fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.to.write_all(request).await?;
        self.to.flush().await?;
        let mut header = [0; 4];
        self.from.read_exact(&mut header).await?;
        let mut bytes = vec![0; frame::length(header)?];
        self.from.read_exact(&mut bytes).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// It went away in the middle of a script. The kernel may have wanted its memory; another attempt may succeed.
    async fn failed(mut self, error: &io::Error) -> ScriptError {
        let status = timeout(GRACE, self.child.wait()).await;
        let status = status
            .ok()
            .and_then(Result::ok)
            .map_or_else(String::new, |status| format!(" ({status})"));
        ScriptError::new(
            "Interrupted",
            format!("the process of the script ended: {error}{status}"),
        )
    }
}
