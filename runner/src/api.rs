//! The client of `/runner/v1`: one call each, without retries. Whoever calls decides what comes next.

mod token;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::config::TokenSource;
use crate::guard::tls;
use token::Token;

/// A server that does not take the connection by then is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest problem document that is read.
const PROBLEM_LIMIT: usize = 64 * 1024;
/// The largest answer: as many journals as one lease can hand out.
const ANSWER_LIMIT: usize = 256 * 1024 * 1024;

/// The API server, as a runner sees it.
#[derive(Debug)]
pub(crate) struct Api {
    client: reqwest::Client,
    base: Url,
    token: Token,
}

/// Why a call has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was not reached, or cannot answer now: the same call again later.
    Away {
        /// What happened.
        reason: String,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// The token is not (any longer) valid.
    Unauthorized {
        /// What it said.
        reason: String,
    },
    /// It does not know the session (any longer).
    SessionClosed,
    /// It understood and refuses: the same call again would be refused again.
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// What it said.
        reason: String,
    },
}

impl Failure {
    /// How long the server asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Away { retry_after, .. } => *retry_after,
            Self::Unauthorized { .. } | Self::SessionClosed | Self::Refused { .. } => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away { reason, .. } => write!(formatter, "the API server cannot answer: {reason}"),
            Self::Unauthorized { reason } => write!(formatter, "the token is not accepted: {reason}"),
            Self::SessionClosed => formatter.write_str("the session is closed"),
            Self::Refused { status, reason } => write!(formatter, "refused with {status}: {reason}"),
        }
    }
}

/// A problem document, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
}

impl Api {
    /// A client of the API server at `url`.
    pub(crate) fn new(url: &Url, token: TokenSource) -> Result<Self, String> {
        let tls = if url.scheme() == "https" {
            tls::system()
        } else {
            tls::none()
        };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.map_err(|error| error.to_string())?)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            // The token goes to the API server and nowhere else.
            .no_proxy()
            .user_agent(concat!("FlowPilot/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        let base = url.join("/runner/v1/").map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            base,
            token: Token::new(token),
        })
    }

    /// Reads the token anew with the next call.
    pub(crate) fn renew_token(&self) {
        self.token.forget();
    }

    /// One call; nothing for an answer without content.
    pub(crate) async fn post<Answer: DeserializeOwned>(
        &self,
        path: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Option<Answer>, Failure> {
        let answer = self.call(Method::POST, path, Some(body), timeout).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let wrong = |error| Failure::Refused {
            status: StatusCode::OK,
            reason: format!("the answer to {path} is not understood: {error}"),
        };
        serde_json::from_slice(&answer).map(Some).map_err(wrong)
    }

    /// Ends something.
    pub(crate) async fn delete(&self, path: &str, timeout: Duration) -> Result<(), Failure> {
        self.call(Method::DELETE, path, None, timeout).await.map(|_| ())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        timeout: Duration,
    ) -> Result<Vec<u8>, Failure> {
        let token = self
            .token
            .header()
            .await
            .map_err(|reason| Failure::Unauthorized { reason })?;
        let url = self.base.join(path).map_err(|error| away(error.to_string()))?;
        let mut request = self
            .client
            .request(method, url)
            .header(AUTHORIZATION, token)
            .timeout(timeout);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| away(reason(&error)))?;
        if response.status().is_success() {
            return read(response, ANSWER_LIMIT).await.map_err(away);
        }
        Err(failure(response).await)
    }
}

fn away(reason: String) -> Failure {
    Failure::Away {
        reason,
        retry_after: None,
    }
}

/// The error with its causes; the last of them is what somebody can act upon.
fn reason(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(format!("the answer has more than {limit} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn failure(response: Response) -> Failure {
    let status = response.status();
    let seconds = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let body = read(response, PROBLEM_LIMIT).await.unwrap_or_default();
    let Problem { code, detail } = serde_json::from_slice(&body).unwrap_or_default();
    let reason = format!("{} {code}: {detail}", status.as_u16());
    match status {
        StatusCode::UNAUTHORIZED => Failure::Unauthorized { reason },
        _ if code == "SessionClosed" => Failure::SessionClosed,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Failure::Away {
            reason,
            retry_after: seconds.map(Duration::from_secs),
        },
        status if status.is_server_error() => Failure::Away {
            reason,
            retry_after: seconds.map(Duration::from_secs),
        },
        status => Failure::Refused { status, reason },
    }
}
