//! The bootstrap token: one secret in a file that the installation made.
//!
//! Only its hash is kept, and compared in constant time. The file is looked at again when it changed, so a new
//! token works without a restart; while it cannot be read, the old one stays good.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};
use snafu::{ResultExt, Snafu, ensure};
use subtle::ConstantTimeEq;

/// Fewer characters could be guessed.
const SHORTEST: usize = 20;
/// How often the file is looked at: the kubelet itself takes a minute to bring a new Secret.
const LOOK: Duration = Duration::from_secs(1);

/// Why the token cannot be used.
#[derive(Debug, Snafu)]
pub enum AdminTokenError {
    /// The file cannot be read.
    #[snafu(display("failed to read the bootstrap token from {}", path.display()))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What stands there could be guessed.
    #[snafu(display("the bootstrap token in {} has fewer than {SHORTEST} characters", path.display()))]
    Short {
        /// The file.
        path: PathBuf,
    },
}

/// The token's hash, and the file it came from.
#[derive(Debug)]
pub struct AdminToken {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    hash: [u8; 32],
    modified: Option<SystemTime>,
    looked: Instant,
}

impl AdminToken {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, AdminTokenError> {
        let (hash, modified) = load(path)?;
        let known = Mutex::new(Known {
            hash,
            modified,
            looked: Instant::now(),
        });
        Ok(Self {
            path: path.to_owned(),
            known,
        })
    }

    /// Whether this is the token.
    #[must_use]
    pub fn matches(&self, token: &str) -> bool {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        hash.ct_eq(&self.hash()).into()
    }

    /// Its hash: what stands for the installation where a secret of its own is needed.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked.elapsed() >= LOOK {
            known.looked = Instant::now();
            if modified(&self.path) != known.modified {
                match load(&self.path) {
                    Ok((hash, modified)) => (known.hash, known.modified) = (hash, modified),
                    Err(error) => tracing::warn!(%error, "keeping the bootstrap token that was read before"),
                }
            }
        }
        known.hash
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

fn load(path: &Path) -> Result<([u8; 32], Option<SystemTime>), AdminTokenError> {
    let modified = modified(path);
    let text = std::fs::read_to_string(path).context(ReadSnafu { path })?;
    let token = text.trim();
    ensure!(token.len() >= SHORTEST, ShortSnafu { path });
    Ok((Sha256::digest(token.as_bytes()).into(), modified))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_in_the_file_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first-token-of-the-installation\n").unwrap();
        let token = AdminToken::read(&path).unwrap();
        assert!(token.matches("first-token-of-the-installation"));
        assert!(!token.matches("first-token-of-the-installatiom"));

        std::fs::write(&path, "second-token-of-the-installation").unwrap();
        let later = SystemTime::now() + Duration::from_secs(5);
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(later)
            .unwrap();
        token.known.lock().unwrap().looked = Instant::now().checked_sub(LOOK).unwrap();
        assert!(token.matches("second-token-of-the-installation"));
        assert!(!token.matches("first-token-of-the-installation"));
    }

    #[test]
    fn a_token_that_could_be_guessed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "admin\n").unwrap();
        assert!(matches!(
            AdminToken::read(&path),
            Err(AdminTokenError::Short { .. })
        ));
    }
}
