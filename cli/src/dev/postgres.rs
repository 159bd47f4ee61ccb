//! A private Postgres for `flowpilot dev`: started from installed binaries in a folder of its own, stopped with us.
//!
//! It listens on the loopback only, with a random password, and syncs to disk like a real one: what a developer sees
//! here is what the product does. Postgres refuses to run as root, so for root it runs as the user `postgres`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rand::distr::{Alphanumeric, SampleString};

/// How long a start may take; recovery after a crash included.
const START: Duration = Duration::from_secs(30);
/// How long a stop may take before it is insisted upon.
const STOP: Duration = Duration::from_secs(10);
/// The login and the database.
const NAME: &str = "flowpilot";

/// A running server. Dropping it stops it.
pub(crate) struct Postgres {
    server: Child,
    url: String,
    /// Held as long as the server runs: nobody else uses the folder.
    lock: fs::File,
}

/// Who runs the server: ourselves, or the unprivileged user for root.
#[derive(Clone, Copy)]
struct Identity {
    user: u32,
    group: u32,
    other: bool,
}

impl Postgres {
    /// Starts the server whose data lies in `folder`, creating it at the first call.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let binaries = binaries()?;
        let identity = identity()?;
        if let Some(wall) = identity.wall(folder).filter(|_| identity.other) {
            bail!(
                "root's private Postgres runs as the user postgres, who may not enter {}: choose another folder with \
                 --data, or run `flowpilot dev` as another user",
                wall.display()
            );
        }
        fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
        if identity.other {
            chown(folder, Some(identity.user), Some(identity.group))
                .with_context(|| format!("failed to give {} to the user postgres", folder.display()))?;
        }
        let lock = lock(folder)?;
        let data = folder.join("data");
        end_orphan(&data)?;
        let password = password(&folder.join("password"), identity)?;
        if !data.join("PG_VERSION").exists() {
            let mut initdb = identity.command(&binaries.join("initdb"), folder);
            initdb.args([
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--username",
                NAME,
                "--pwfile",
            ]);
            succeed(initdb.arg(folder.join("password")).arg("--pgdata").arg(&data))?;
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.context("failed to find a free port")?.port();
        let log = fs::File::create(folder.join("log")).context("failed to create the database's log")?;
        let mut postgres = identity.command(&binaries.join("postgres"), folder);
        postgres.arg("-D").arg(&data).arg("-k").arg(folder).args([
            "-h",
            "127.0.0.1",
            "-p",
            &port.to_string(),
        ]);
        postgres.args([
            "-c",
            "max_connections=50",
            "-c",
            "shared_buffers=64MB",
            "-c",
            "wal_compression=lz4",
        ]);
        // A group of its own: Ctrl-C in the terminal reaches us first, and we stop it in order.
        postgres.process_group(0).stdout(log.try_clone()?).stderr(log);
        let server = postgres.spawn().context("failed to start postgres")?;
        let mut postgres = Self {
            server,
            url: url(&password, port, NAME),
            lock,
        };
        postgres.wait_until_ready(&binaries, port, &folder.join("log"))?;
        if !folder.join("created").exists() {
            create_database(&binaries, folder, identity, &password, port)?;
            fs::write(folder.join("created"), "").context("failed to note that the database exists")?;
        }
        Ok(postgres)
    }

    /// Where it can be reached, with the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn wait_until_ready(&mut self, binaries: &Path, port: u16, log: &Path) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut isready = Command::new(binaries.join("pg_isready"));
        isready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
        while !isready.status().is_ok_and(|status| status.success()) {
            let ended = self.server.try_wait()?.is_some();
            if ended || start.elapsed() > START {
                bail!("the private Postgres did not start; its log: {}", log.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is Postgres' "fast shutdown": connections end, data is safe.
        let _ = Command::new("kill")
            .args(["-INT", &self.server.id().to_string()])
            .status();
        let start = Instant::now();
        while matches!(self.server.try_wait(), Ok(None)) {
            if start.elapsed() > STOP {
                let _ = self.server.kill();
                let _ = self.server.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Only now may another one have the folder.
        let _ = self.lock.unlock();
    }
}

impl Identity {
    /// The folder on the way to this one that keeps the user out, as far as permissions for everybody tell.
    fn wall(self, folder: &Path) -> Option<PathBuf> {
        let closed = |path: &&Path| {
            fs::metadata(path)
                .is_ok_and(|found| found.uid() != self.user && found.permissions().mode() & 0o001 == 0)
        };
        let above = folder.ancestors().skip(1);
        above.filter(closed).last().map(Path::to_owned)
    }

    fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if self.other {
            command.uid(self.user).gid(self.group);
        }
        command
    }
}

/// One `flowpilot dev` at a time uses a folder.
fn lock(folder: &Path) -> anyhow::Result<fs::File> {
    let path = folder.join("lock");
    let file = fs::File::create(&path).with_context(|| format!("failed to create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!(
            "another `flowpilot dev` uses {}: end it, or give this one a folder of its own with --data",
            folder.display()
        ),
        Err(fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("failed to lock {}", path.display()))
        }
    }
}

/// Ends a server that a killed `flowpilot dev` left behind: whoever holds the lock knows that nobody uses it.
fn end_orphan(data: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let Some(pid) = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse::<u32>().ok())
    else {
        return Ok(());
    };
    // Numbers of processes are used again: only a server of this folder counts.
    let runs = || {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*data.to_string_lossy())
    };
    let start = Instant::now();
    while runs() {
        ensure!(
            start.elapsed() < STOP,
            "the Postgres of an earlier `flowpilot dev` does not stop: kill {pid}"
        );
        let _ = Command::new("kill").args(["-INT", &pid.to_string()]).status();
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// The newest installed server: on the PATH, or where Debian and its relatives put it.
fn binaries() -> anyhow::Result<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
                .collect()
        })
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let complete = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_isready", "createdb"]
            .iter()
            .all(|name| folder.join(name).exists())
    };
    folders.into_iter().find(complete).context(
        "no database: set DATABASE_URL, or install Postgres (Debian: apt-get install postgresql) so that \
         `flowpilot dev` can start a private one",
    )
}

fn identity() -> anyhow::Result<Identity> {
    let own = fs::metadata("/proc/self").context("failed to read /proc/self")?;
    if own.uid() != 0 {
        return Ok(Identity {
            user: own.uid(),
            group: own.gid(),
            other: false,
        });
    }
    let users = fs::read_to_string("/etc/passwd").context("failed to read /etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<&str> = line
        .context(
            "Postgres does not run as root, and there is no user `postgres`: run `flowpilot dev` as another user, or set \
             DATABASE_URL",
        )?
        .split(':')
        .collect();
    ensure!(
        fields.len() > 3,
        "the user `postgres` in /etc/passwd has no number"
    );
    Ok(Identity {
        user: fields[2].parse()?,
        group: fields[3].parse()?,
        other: true,
    })
}

/// The password of the login, made at the first start and kept readable for its owner alone.
fn password(file: &Path, identity: Identity) -> anyhow::Result<String> {
    if let Ok(password) = fs::read_to_string(file) {
        return Ok(password);
    }
    let password = Alphanumeric.sample_string(&mut rand::rng(), 40);
    fs::write(file, &password).with_context(|| format!("failed to write {}", file.display()))?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    if identity.other {
        chown(file, Some(identity.user), Some(identity.group))?;
    }
    Ok(password)
}

fn create_database(
    binaries: &Path,
    folder: &Path,
    identity: Identity,
    password: &str,
    port: u16,
) -> anyhow::Result<()> {
    let mut createdb = identity.command(&binaries.join("createdb"), folder);
    createdb
        .env("PGPASSWORD", password)
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", NAME, NAME]);
    succeed(&mut createdb)
}

fn url(password: &str, port: u16, database: &str) -> String {
    format!("postgres://{NAME}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("failed to start {program}"))?;
    ensure!(
        output.status.success(),
        "{program} failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::mem::ManuallyDrop;

    use super::*;

    #[test]
    fn a_folder_that_the_servers_user_may_not_enter_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        fs::create_dir(&closed).unwrap();
        let stranger = Identity {
            user: 65_534,
            group: 65_534,
            other: true,
        };
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(folder.path(), 0o755);
        set(&closed, 0o700);
        let data = closed.join("deep/data");
        assert_eq!(stranger.wall(&data), Some(closed.clone()));
        let owner = Identity {
            user: fs::metadata(&closed).unwrap().uid(),
            ..stranger
        };
        assert_eq!(owner.wall(&data), None);
        set(&closed, 0o711);
        assert_eq!(stranger.wall(&data), None);
    }

    #[test]
    fn a_folder_has_one_server_and_one_that_was_left_behind_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let killed = ManuallyDrop::new(Postgres::start(folder.path()).unwrap());
        let refused = Postgres::start(folder.path()).err().unwrap().to_string();
        assert!(refused.contains("another `flowpilot dev`"), "{refused}");
        // What a killed process leaves: its server, and no lock.
        killed.lock.unlock().unwrap();
        let next = Postgres::start(folder.path()).unwrap();
        let mut killed = ManuallyDrop::into_inner(killed);
        assert!(
            killed.server.try_wait().unwrap().is_some(),
            "the old server has ended"
        );
        drop(next);
    }
}
