//! The projected ServiceAccount token: a file that the kubelet renews before it expires.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use snafu::ResultExt;

use super::{Error, ReadTokenSnafu};

/// How long a token that was read is used. The kubelet renews it at 80 % of an hour, so the old one is still good.
const FRESH: Duration = Duration::from_mins(1);

pub(super) struct Token {
    path: PathBuf,
    read: Mutex<Option<(String, Instant)>>,
}

impl Token {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: Mutex::new(None),
        }
    }

    pub(super) async fn current(&self) -> Result<String, Error> {
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((token, at)) = known
            && at.elapsed() < FRESH
        {
            return Ok(token);
        }
        let text = tokio::fs::read_to_string(&self.path)
            .await
            .context(ReadTokenSnafu { path: &self.path })?;
        let token = text.trim().to_owned();
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    /// The next call reads the file.
    pub(super) fn forget(&self) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
