//! The token, fresh from its file.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;

use crate::config::TokenSource;

/// How long a token is used before its file is read again. Kubernetes renews it long before it ends.
const FRESH: Duration = Duration::from_secs(10);

/// Where the token comes from, and the one read last.
#[derive(Debug)]
pub(super) struct Token {
    source: TokenSource,
    last: Mutex<Option<(Instant, HeaderValue)>>,
}

impl Token {
    pub(super) fn new(source: TokenSource) -> Self {
        Self {
            source,
            last: Mutex::default(),
        }
    }

    /// Makes the next call read the file.
    pub(super) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The value of the `Authorization` header.
    pub(super) async fn header(&self) -> Result<HeaderValue, String> {
        if let Some((at, header)) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < FRESH
        {
            return Ok(header.clone());
        }
        let token = match &self.source {
            TokenSource::Static(token) => token.clone(),
            TokenSource::File(path) => tokio::fs::read_to_string(path)
                .await
                .map_err(|error| format!("failed to read the token from {}: {error}", path.display()))?,
        };
        let mut header = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| "the token has characters that a header cannot carry".to_owned())?;
        header.set_sensitive(true);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), header.clone()));
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_renewed_file_is_read_after_the_old_token_is_forgotten() {
        let path = std::env::temp_dir().join(format!("flowpilot-token-{}", std::process::id()));
        let token = Token::new(TokenSource::File(path.clone()));
        assert!(
            token
                .header()
                .await
                .unwrap_err()
                .contains("failed to read the token from")
        );
        std::fs::write(&path, "first\n").unwrap();
        assert_eq!(token.header().await.unwrap(), "Bearer first");
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(token.header().await.unwrap(), "Bearer first");
        token.forget();
        assert_eq!(token.header().await.unwrap(), "Bearer second");
        std::fs::remove_file(&path).unwrap();
    }
}
