//! Asks Kubernetes whom a token belongs to, and remembers the answer for a moment.
//!
//! Tokens themselves are not kept: their SHA-256 is the key. A token that was good stays good for [`REMEMBER`] at
//! most after Kubernetes would refuse it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::problem::{Code, Problem};

/// How long a good answer is believed.
const REMEMBER: Duration = Duration::from_secs(30);
/// How long a refusal is believed: short, because a token may have been shown before Kubernetes knew its account.
const REMEMBER_REFUSAL: Duration = Duration::from_secs(5);
/// Answers of each kind that are kept; more than there are runners in a cell. When full, all are forgotten.
const ENTRIES: usize = 4_096;
/// Reviews under way: strangers with made-up tokens must not become Kubernetes' load.
const CONCURRENT: usize = 16;
/// Time for one review, waiting included.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The reviewer. Good answers and refusals are kept apart, so that made-up tokens cannot push out real ones.
#[derive(Debug)]
pub struct TokenReviews {
    api: Api<TokenReview>,
    known: Mutex<HashMap<[u8; 32], (Instant, String)>>,
    refused: Mutex<HashMap<[u8; 32], Instant>>,
    permits: Semaphore,
}

impl TokenReviews {
    /// A reviewer that asks this cluster.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            api: Api::all(client),
            known: Mutex::default(),
            refused: Mutex::default(),
            permits: Semaphore::new(CONCURRENT),
        }
    }

    /// The user name of the token's owner; nothing if Kubernetes does not accept the token for us.
    pub async fn user_of(&self, token: &str) -> Result<Option<String>, Problem> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        match self.remembered(&hash) {
            Remembered::Good(user) => return Ok(Some(user)),
            Remembered::Refused => return Ok(None),
            Remembered::Nothing => {}
        }
        let asked = Instant::now();
        let user = match tokio::time::timeout(TIMEOUT, self.ask(token)).await {
            Ok(Ok(user)) => user,
            Ok(Err(error)) => return Err(Problem::unavailable("Kubernetes cannot review tokens", &error)),
            Err(_) => {
                return Err(Problem::new(
                    Code::UpstreamTimeout,
                    "Kubernetes did not review the token in time",
                ));
            }
        };
        match &user {
            Some(user) => keep(&self.known, hash, (asked, user.clone())),
            None => keep(&self.refused, hash, asked),
        }
        Ok(user)
    }

    fn remembered(&self, hash: &[u8; 32]) -> Remembered {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, user)) = known.get(hash).filter(|(asked, _)| asked.elapsed() < REMEMBER) {
            return Remembered::Good(user.clone());
        }
        drop(known);
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = refused
            .get(hash)
            .is_some_and(|asked| asked.elapsed() < REMEMBER_REFUSAL);
        if fresh {
            Remembered::Refused
        } else {
            Remembered::Nothing
        }
    }

    async fn ask(&self, token: &str) -> Result<Option<String>, kube::Error> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Ok(None);
        };
        let audience = flowpilot_crds::names::TOKEN_AUDIENCE;
        let spec = TokenReviewSpec {
            token: Some(token.to_owned()),
            audiences: Some(vec![audience.to_owned()]),
        };
        let review = TokenReview {
            spec,
            ..TokenReview::default()
        };
        let answer = self.api.create(&PostParams::default(), &review).await?;
        let status = answer.status.unwrap_or_default();
        // A reviewer that knows no audiences answers without them: such a token is for everybody, so not for us.
        let ours = status
            .audiences
            .unwrap_or_default()
            .iter()
            .any(|name| name == audience);
        let accepted = status.authenticated.unwrap_or(false) && ours;
        Ok(status.user.and_then(|user| user.username).filter(|_| accepted))
    }
}

/// What is still believed about a token.
enum Remembered {
    Good(String),
    Refused,
    Nothing,
}

fn keep<T>(map: &Mutex<HashMap<[u8; 32], T>>, hash: [u8; 32], value: T) {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    if map.len() >= ENTRIES {
        map.clear();
    }
    map.insert(hash, value);
}
