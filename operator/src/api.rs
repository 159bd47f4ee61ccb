//! The operator's side of `/operator/v1`: registers what is declared, asks for what happens.
//!
//! Every call may be repeated. A refusal that repeating cannot mend is told apart from an API server that is away.

use std::path::PathBuf;
use std::time::Duration;

use flowpilot_engine::protocol::operator::{
    PoolChanges, Removal, RevisionRegistration, RunChanges, RunReport, RunRequest, TenantRegistration,
};
use reqwest::{Client, Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use snafu::{OptionExt, ResultExt, Snafu};
use uuid::Uuid;

mod problem;
mod token;

pub(crate) use problem::Refusal;
use token::Token;

/// How long a call may take: each is one transaction.
const CALL: Duration = Duration::from_secs(10);
/// How long the API server may hold a long poll.
const WAIT: Duration = Duration::from_secs(25);
/// How long until a connection stands.
const CONNECT: Duration = Duration::from_secs(3);
/// Bytes of an answer: a page of results with outputs; more is a mistake on the other side.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Why a call failed.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The client could not be made.
    #[snafu(display("failed to make the client of the API server"))]
    Build {
        /// Why.
        source: reqwest::Error,
    },
    /// The address cannot have paths.
    #[snafu(display("the address of the API server, {url}, cannot be extended by a path"))]
    Address {
        /// The address.
        url: Url,
    },
    /// The token is not there.
    #[snafu(display("failed to read the token in {}", path.display()))]
    ReadToken {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It does not answer.
    #[snafu(display("the API server cannot be reached"))]
    Unreachable {
        /// Why.
        source: reqwest::Error,
    },
    /// It answers that it cannot, or that the operator may not.
    #[snafu(display("the API server answered {refusal}"))]
    Unavailable {
        /// What it said.
        refusal: Refusal,
    },
    /// It refused this request, and would again.
    #[snafu(display("the API server refused: {refusal}"))]
    Refused {
        /// What it said.
        refusal: Refusal,
    },
    /// An answer that the protocol does not know.
    #[snafu(display("the API server gave an answer that cannot be read"))]
    Decode {
        /// Why.
        source: serde_json::Error,
    },
    /// An endless answer.
    #[snafu(display("the API server gave more than {ANSWER_BYTES} bytes"))]
    TooLarge,
}

impl Error {
    /// What was refused for good; `None` if it is worth trying again.
    #[must_use]
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal } => Some(refusal),
            _ => None,
        }
    }
}

/// The API server.
pub(crate) struct Api {
    client: Client,
    base: Url,
    token: Token,
}

impl Api {
    /// The one at `base`; its token lies in a file.
    pub(crate) fn new(base: Url, token_file: PathBuf) -> Result<Self, Error> {
        // One idle connection beside the two long polls; no redirects, since nothing here is redirected.
        let mut builder = Client::builder();
        if base.scheme() == "http" {
            // Nobody needs the authorities of the whole world in memory then.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(2)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context(BuildSnafu)?;
        Ok(Self {
            client,
            base,
            token: Token::new(token_file),
        })
    }

    /// `PUT /tenants/{name}`.
    pub(crate) async fn register_tenant(&self, name: &str, tenant: &TenantRegistration) -> Result<(), Error> {
        self.call(Method::PUT, &["tenants", name], Some(tenant))
            .await
            .map(drop)
    }

    /// `DELETE /tenants/{name}`; one that is gone is fine.
    pub(crate) async fn remove_tenant(&self, name: &str, uid: Uuid) -> Result<(), Error> {
        gone_is_fine(
            self.call(Method::DELETE, &["tenants", name], Some(&Removal { uid }))
                .await,
        )
    }

    /// `PUT /workflows/{namespace}/{name}/revisions/{digest}`.
    pub(crate) async fn register_revision(
        &self,
        (namespace, name): (&str, &str),
        digest: &str,
        revision: &RevisionRegistration,
    ) -> Result<(), Error> {
        let path = ["workflows", namespace, name, "revisions", digest];
        self.call(Method::PUT, &path, Some(revision)).await.map(drop)
    }

    /// `DELETE /workflows/{namespace}/{name}`; one that is gone is fine.
    pub(crate) async fn remove_workflow(
        &self,
        (namespace, name): (&str, &str),
        uid: Uuid,
    ) -> Result<(), Error> {
        gone_is_fine(
            self.call(
                Method::DELETE,
                &["workflows", namespace, name],
                Some(&Removal { uid }),
            )
            .await,
        )
    }

    /// `POST /runs`: the run of this `WorkflowRun`, made by the first call and found by the next ones.
    pub(crate) async fn request_run(&self, request: &RunRequest) -> Result<RunReport, Error> {
        decode(&self.call(Method::POST, &["runs"], Some(request)).await?)
    }

    /// `DELETE /runs/{uid}`: the `WorkflowRun` goes away, so its run is cancelled; one that is gone is fine.
    pub(crate) async fn cancel_run(&self, uid: Uuid) -> Result<(), Error> {
        let removal = Removal { uid };
        gone_is_fine(
            self.call(Method::DELETE, &["runs", &uid.to_string()], Some(&removal))
                .await,
        )
    }

    /// `GET /runs/changes`: returns as soon as a run ended after `after`, or when the wait is over.
    pub(crate) async fn run_changes(&self, after: i64) -> Result<RunChanges, Error> {
        decode(&self.poll(&["runs", "changes"], Some(after)).await?)
    }

    /// `GET /pools/changes`: returns as soon as the pools differ from `after`, or when the wait is over.
    pub(crate) async fn pool_changes(&self, after: Option<i64>) -> Result<PoolChanges, Error> {
        decode(&self.poll(&["pools", "changes"], after).await?)
    }

    async fn poll(&self, path: &[&str], after: Option<i64>) -> Result<Vec<u8>, Error> {
        let mut url = self.url(path)?;
        url.query_pairs_mut()
            .append_pair("wait", &WAIT.as_secs().to_string());
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", &after.to_string());
        }
        self.send(Method::GET, url, None::<&()>, WAIT + CALL).await
    }

    async fn call<B: Serialize + Sync>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&B>,
    ) -> Result<Vec<u8>, Error> {
        self.send(method, self.url(path)?, body, CALL).await
    }

    fn url(&self, path: &[&str]) -> Result<Url, Error> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .ok()
            .context(AddressSnafu {
                url: self.base.clone(),
            })?
            .pop_if_empty()
            .extend(["operator", "v1"])
            .extend(path);
        Ok(url)
    }

    async fn send<B: Serialize + Sync>(
        &self,
        method: Method,
        url: Url,
        body: Option<&B>,
        timeout: Duration,
    ) -> Result<Vec<u8>, Error> {
        let mut again = true;
        loop {
            let mut request = self
                .client
                .request(method.clone(), url.clone())
                .timeout(timeout)
                .bearer_auth(self.token.current().await?);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.context(UnreachableSnafu)?;
            let status = answer.status();
            // The token may have been renewed a moment ago.
            if status == StatusCode::UNAUTHORIZED && std::mem::take(&mut again) {
                self.token.forget();
                continue;
            }
            let retry_after = problem::retry_after(answer.headers());
            let bytes = bounded(answer).await?;
            if status.is_success() {
                return Ok(bytes);
            }
            let refusal = Refusal::read(status.as_u16(), retry_after, &bytes);
            return if status.is_client_error() && !refusal.passes() {
                RefusedSnafu { refusal }.fail()
            } else {
                UnavailableSnafu { refusal }.fail()
            };
        }
    }
}

async fn bounded(mut answer: reqwest::Response) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.context(UnreachableSnafu)? {
        snafu::ensure!(bytes.len() + chunk.len() <= ANSWER_BYTES, TooLargeSnafu);
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).context(DecodeSnafu)
}

fn gone_is_fine(answer: Result<Vec<u8>, Error>) -> Result<(), Error> {
    match answer {
        Err(Error::Refused { refusal }) if refusal.status == 404 => Ok(()),
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests;
