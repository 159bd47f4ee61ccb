//! The REST client: one method per call, errors in the server's own words.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::Connection;

/// How long a call may take; a server answers or gives up within 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(40);

/// A server, and who asks it.
pub(crate) struct Client {
    http: reqwest::Client,
    server: Url,
    token: String,
}

impl Client {
    /// A client for the server that the command line or the environment names.
    pub(crate) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let server = connection
            .server
            .clone()
            .context("no server: give --server or set FLOWPILOT_SERVER, such as http://127.0.0.1:8080")?;
        let token = connection.read_token(environment)?;
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .build()
            .context("failed to set up HTTP")?;
        Ok(Self {
            http,
            server,
            token: token.trim().to_owned(),
        })
    }

    /// Sends a request and reads a JSON answer.
    pub(crate) async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.request(method.clone(), path)?.timeout(TIMEOUT);
        if method == Method::POST {
            request = request.header("Idempotency-Key", uuid::Uuid::new_v4().to_string());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = self.send(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        response
            .json()
            .await
            .context("failed to read the server's answer")
    }

    /// Opens a stream of server-sent events after event `after`.
    pub(crate) async fn stream(&self, path: &str, after: Option<i64>) -> anyhow::Result<Response> {
        let mut request = self
            .request(Method::GET, path)?
            .header("Accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after.to_string());
        }
        self.send(request).await
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        let url = self
            .server
            .join(path)
            .with_context(|| format!("no address: {path}"))?;
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        // Its own text names the whole address, and so does ours.
        let response = request.send().await.map_err(reqwest::Error::without_url);
        let response = response.with_context(|| format!("failed to reach the server at {}", self.server))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let problem: Value = response.json().await.unwrap_or_default();
        bail!("{}", explain(status, &problem))
    }
}

/// A problem+json body in words: the title, then each error with its place.
fn explain(status: StatusCode, problem: &Value) -> String {
    let text = |pointer: &str| crate::output::text(problem, pointer);
    let mut words = match (text("/title"), text("/detail")) {
        (title, _) if title.is_empty() => format!("the server answered {status}"),
        (title, detail) if detail.is_empty() => title,
        (title, detail) => format!("{title}: {detail}"),
    };
    if let Some(code) = problem["code"].as_str() {
        words = format!("{words} ({code})");
    }
    for error in problem["errors"].as_array().into_iter().flatten() {
        let part = |name: &str| error[name].as_str().unwrap_or_default();
        words = format!("{words}\n  {}: {}", part("pointer"), part("detail"));
        if let Some(suggestion) = error["suggestion"].as_str() {
            words = format!("{words}; did you mean `{suggestion}`?");
        }
    }
    words
}

impl Connection {
    /// The tenant that is meant.
    pub(crate) fn tenant(&self) -> anyhow::Result<String> {
        self.tenant_in(environment)
    }

    fn tenant_in(&self, environment: impl Fn(&str) -> Option<String>) -> anyhow::Result<String> {
        if let Some(namespace) = &self.namespace {
            return flowpilot_crds::names::tenant_of(namespace)
                .map(ToOwned::to_owned)
                .with_context(|| format!("`{namespace}` is no tenant's namespace: those begin with `fp-`"));
        }
        self.tenant
            .clone()
            .or_else(|| environment("FLOWPILOT_TENANT"))
            .context("no tenant: give --tenant or --namespace, or set FLOWPILOT_TENANT")
    }

    fn read_token(&self, environment: impl Fn(&str) -> Option<String>) -> anyhow::Result<String> {
        let given = self.token.is_some() || self.token_file.is_some();
        let variable = |name| environment(name).filter(|_| !given);
        let token = self.token.clone().or_else(|| variable("FLOWPILOT_TOKEN"));
        let file = self.token_file.clone();
        let file = file.or_else(|| variable("FLOWPILOT_TOKEN_FILE").map(Into::into));
        match (token, file) {
            (Some(token), _) => Ok(token),
            (None, Some(file)) => std::fs::read_to_string(&file)
                .with_context(|| format!("failed to read the token file {}", file.display())),
            (None, None) => bail!("no token: give --token or --token-file, or set FLOWPILOT_TOKEN"),
        }
    }
}

/// A variable that is set to something.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_server_that_is_away_is_named_once() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        drop(socket);
        let client = Client::new(&Connection {
            server: Some(Url::parse(&format!("http://{address}")).unwrap()),
            token: Some("t".to_owned()),
            ..Connection::default()
        });
        let error = client.unwrap().json(Method::GET, "/api/v1/meta", None).await;
        let said = format!("{:#}", error.unwrap_err());
        assert_eq!(said.matches(&address).count(), 1, "{said}");
        assert!(said.contains("refused"), "{said}");
    }

    #[test]
    fn what_the_command_line_says_goes_before_the_environment() {
        use clap::Parser;
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            connection: Connection,
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "from-file").unwrap();
        let file = file.to_str().unwrap();
        let environment = |name: &str| Some(format!("{name}-variable"));
        let read = |arguments: &[&str]| {
            let line = Line::try_parse_from([&["flowpilot"], arguments].concat())?.connection;
            let (tenant, token) = (line.tenant_in(environment), line.read_token(environment));
            anyhow::Ok((tenant?, token?))
        };
        let said = |tenant: &str, token: &str| (tenant.to_owned(), token.to_owned());
        let variables = said("FLOWPILOT_TENANT-variable", "FLOWPILOT_TOKEN-variable");
        assert_eq!(read(&[]).unwrap(), variables);
        let given = read(&["-n", "fp-acme", "--token-file", file]).unwrap();
        assert_eq!(given, said("acme", "from-file"));
        assert_eq!(read(&["-t", "acme", "--token", "t"]).unwrap(), said("acme", "t"));
        assert!(read(&["-t", "acme", "-n", "fp-acme"]).is_err(), "two tenants");
        assert!(
            read(&["-n", "default"])
                .unwrap_err()
                .to_string()
                .contains("begin with `fp-`")
        );
    }

    #[test]
    fn problems_are_explained_with_their_places() {
        let problem = json!({"title": "The inputs do not fit", "code": "InvalidInputs",
            "errors": [{"pointer": "/inputs/x", "detail": "is required", "suggestion": "y"}]});
        let words = explain(StatusCode::UNPROCESSABLE_ENTITY, &problem);
        assert_eq!(
            words,
            "The inputs do not fit (InvalidInputs)\n  /inputs/x: is required; did you mean `y`?"
        );
        assert_eq!(
            explain(StatusCode::BAD_GATEWAY, &Value::Null),
            "the server answered 502 Bad Gateway"
        );
    }
}
