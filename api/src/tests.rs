//! The whole server over real HTTP on a real Postgres, without a cluster: a folder of manifests and a list of tokens.

mod doors;
mod life;
mod outage;
mod reading;
mod requests;
mod stream;
mod workflows;

use std::time::Duration;

use flowpilot_engine::digest::digest_of;
use flowpilot_telemetry::health::Health;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{Authenticator, RunnerTokens, StaticTokens};
use crate::clock::Clock;
use crate::definitions::{Definitions, Folder};
use crate::queue::Settings;
use crate::server::{DATABASE, Error, Listeners, Setup, serve};
use crate::store::Durability;
use crate::store::testing::TestDatabase;

pub(crate) const PEOPLE: &str = "people-token-people-token";
pub(crate) const OPERATOR: &str = "operator-token-operator-token";
pub(crate) const ACME: &str = "runner-token-of-acme";
pub(crate) const OTHER: &str = "runner-token-of-other";

/// A server with the tenants `acme` and `other`.
pub(crate) struct World {
    pub(crate) people: String,
    pub(crate) internal: String,
    pub(crate) client: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
    pub(crate) server: tokio::task::JoinHandle<Result<(), Error>>,
    _database: Option<TestDatabase>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at(Clock::default()).await
    }

    /// With this clock.
    pub(crate) async fn at(clock: Clock) -> Self {
        let database = TestDatabase::migrated().await;
        let url = database.url.clone();
        let world = Self::serve(&url, Some(database), clock).await;
        world.until_ready().await;
        for tenant in ["acme", "other"] {
            let body = json!({"uid": uid(tenant), "generation": 1, "title": tenant, "runnerClass": "default",
                "variables": {"region": "eu"}});
            let answer = world
                .operator(Method::PUT, &format!("tenants/{tenant}"), &body)
                .await;
            assert_eq!(answer.status(), 204);
        }
        world
    }

    /// A server on any address of a database.
    pub(crate) async fn on(url: &str, database: Option<TestDatabase>) -> Self {
        Self::serve(url, database, Clock::default()).await
    }

    async fn serve(url: &str, database: Option<TestDatabase>, clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runners = RunnerTokens::default();
        runners.add("acme", ACME);
        runners.add("other", OTHER);
        let tokens = StaticTokens {
            people: PEOPLE.to_owned(),
            operator: OPERATOR.to_owned(),
            runners,
        };
        let health = Health::new([DATABASE]);
        let shutdown = CancellationToken::new();
        let setup = Setup {
            database_url: url.to_owned(),
            durability: Durability::Relaxed,
            authenticator: Authenticator::Static(tokens),
            definitions: Definitions::Folder(Folder::new(folder.path().to_owned(), "acme".to_owned())),
            health: health.clone(),
            public_url: Some("https://flowpilot.example/".parse().unwrap()),
            queue: Settings::default(),
            clock,
            shutdown: shutdown.clone(),
        };
        let bind = || TcpListener::bind("127.0.0.1:0");
        let (public, internal) = (bind().await.unwrap(), bind().await.unwrap());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (people, inside) = (address(&public), address(&internal));
        let server = tokio::spawn(serve(
            setup,
            Listeners {
                public,
                internal,
                metrics: None,
            },
        ));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            people,
            internal: inside,
            client,
            folder,
            health,
            shutdown,
            server,
            _database: database,
        }
    }

    pub(crate) async fn until_ready(&self) {
        let ready = async {
            while !self.health.is_ready() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ready)
            .await
            .expect("the server becomes ready");
    }

    /// A request of a person.
    pub(crate) fn ask(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.people))
            .bearer_auth(PEOPLE)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn operator(&self, method: Method, path: &str, body: &Value) -> Response {
        let url = format!("{}/operator/v1/{path}", self.internal);
        self.client
            .request(method, url)
            .bearer_auth(OPERATOR)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// A call of a runner with this token.
    pub(crate) async fn runner(&self, token: &str, path: &str, body: &Value) -> Response {
        let url = format!("{}/runner/v1/{path}", self.internal);
        self.client
            .post(url)
            .bearer_auth(token)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// Registers a workflow of `acme` with one `set` step and an input, and returns its digest.
    pub(crate) async fn workflow(&self, name: &str) -> String {
        let spec = json!({
            "inputs": [{"name": "count", "type": "integer", "required": true}],
            "steps": [{"id": "double", "set": {"value": "$(inputs.count * 2)"}}],
            "outputs": {"value": "$(steps.double.output.value)"}});
        let digest = digest_of(&spec);
        let body = json!({"uid": uid(name), "generation": 1, "spec": spec});
        let path = format!("workflows/fp-acme/{name}/revisions/{digest}");
        let answer = self.operator(Method::PUT, &path, &body).await;
        let status = answer.status();
        assert_eq!(status, 204, "{}", answer.text().await.unwrap());
        digest
    }

    /// Starts a run of a workflow of `acme`.
    pub(crate) async fn start(&self, workflow: &str, count: i64) -> Uuid {
        let path = format!("/api/v1/tenants/acme/workflows/{workflow}/runs");
        let answer = self
            .ask(Method::POST, &path)
            .json(&json!({"inputs": {"count": count}}))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().parse().unwrap()
    }

    /// Opens a session of a runner.
    pub(crate) async fn session(&self, token: &str) -> Uuid {
        let hello = json!({"runner": "r-1", "pool": "default", "capacity": 8, "version": "0"});
        let answer = self.runner(token, "sessions", &hello).await;
        assert_eq!(answer.status(), 201);
        let body: Value = answer.json().await.unwrap();
        body["session"].as_str().unwrap().parse().unwrap()
    }

    /// The next run for a session.
    pub(crate) async fn lease(&self, token: &str, session: Uuid) -> Value {
        let wish = json!({"session": session, "free": 8, "waitSeconds": 10, "have": [], "held": []});
        let answer = self.runner(token, "lease", &wish).await;
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        body["runs"][0].clone()
    }

    /// Commits for one run, and returns the word.
    pub(crate) async fn commit(&self, token: &str, session: Uuid, item: Value) -> String {
        let answer = self
            .runner(token, "commit", &json!({"session": session, "items": [item]}))
            .await;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, 200, "{body}");
        body["results"][0]["result"].as_str().unwrap().to_owned()
    }
}

/// The events with which the workflow of the tests ends well, and what comes after them.
pub(crate) fn success(value: i64) -> (Value, Value) {
    let at = jiff::Timestamp::now();
    let outputs = json!({"value": value});
    let events = json!([
        {"type": "StepStarted", "step": "double", "at": at, "attempt": 1},
        {"type": "StepSucceeded", "step": "double", "at": at, "attempt": 1, "output": {"value": value}},
        {"type": "RunFinished", "at": at, "outcome": "succeeded", "outputs": outputs}]);
    (
        events,
        json!({"finish": {"outcome": "succeeded", "outputs": outputs}}),
    )
}

pub(crate) fn uid(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

/// Status, code and the rest of a problem.
pub(crate) async fn problem(answer: Response) -> (StatusCode, String, Value) {
    let status = answer.status();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(kind, "application/problem+json", "{status}");
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["requestId"], id.as_str());
    assert_eq!(body["status"], status.as_u16());
    (status, body["code"].as_str().unwrap().to_owned(), body)
}
