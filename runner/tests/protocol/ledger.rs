//! A stand-in for the API server's side of `/runner/v1`, which can be told to misbehave.
//!
//! Why not the real one: answers that are lost at a chosen moment, and sessions that close in the middle, cannot be
//! had from it on demand. It stores like the real one: an item is stored once, or refused.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use flowpilot_engine::compile::{Context, compile};
use flowpilot_engine::journal::{Event, RunMode};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::protocol::runner::{
    CommitItem, CommitRequest, CommitResult, CommitStatus, Committed, Heartbeat, HeartbeatAnswer, InboxBody,
    InboxMessage, LeaseRequest, Leased, LeasedRun, OpenSession, RunInbox, SessionOpened, Then,
};
use flowpilot_runner::{Config, Egress, TokenSource};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What happens to the next commit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is stored, and the answer is lost.
    AnswerLost,
    /// It is not stored, and another attempt is wanted after a second.
    Away,
    /// The session is closed.
    Closed,
}

#[derive(Default)]
pub(crate) struct Book {
    pub(crate) sessions: Vec<Uuid>,
    pub(crate) goodbyes: Vec<Uuid>,
    pub(crate) offered: VecDeque<LeasedRun>,
    pub(crate) runs: HashMap<Uuid, Entry>,
    pub(crate) faults: VecDeque<Fault>,
    /// Every commit as it came, also those that were not stored.
    pub(crate) commits: Vec<(Instant, CommitRequest)>,
    pub(crate) leases: Vec<LeaseRequest>,
    pub(crate) beats: Vec<Heartbeat>,
    pub(crate) messages: Vec<RunInbox>,
    /// Told by the lease call that waits, once.
    pub(crate) whispers: Vec<RunInbox>,
    pub(crate) lost: Vec<Uuid>,
    /// Commits with this run in them are refused.
    pub(crate) poison: Option<Uuid>,
    /// Heartbeats are not answered.
    pub(crate) deaf: bool,
    /// The token that is accepted.
    pub(crate) token: String,
    pub(crate) refused_tokens: usize,
    closed: bool,
}

pub(crate) struct Entry {
    pub(crate) epoch: i32,
    pub(crate) events: Vec<Event>,
    pub(crate) thens: Vec<Then>,
}

#[derive(Clone)]
pub(crate) struct Ledger {
    book: Arc<Mutex<Book>>,
    changed: Arc<Notify>,
    pub(crate) address: String,
}

impl Ledger {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let book = Book {
            token: "good".to_owned(),
            ..Book::default()
        };
        let ledger = Self {
            book: Arc::new(Mutex::new(book)),
            changed: Arc::default(),
            address,
        };
        let routes = Router::new()
            .route("/runner/v1/sessions", post(open))
            .route("/runner/v1/sessions/{session}", delete(close))
            .route("/runner/v1/lease", post(lease))
            .route("/runner/v1/heartbeat", post(heartbeat))
            .route("/runner/v1/commit", post(commit))
            .with_state(ledger.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        ledger
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// A runner of this ledger. It may reach this machine, where tests have their servers.
    pub(crate) fn runner(&self, ports: &[u16]) -> Runner {
        let rule = json!({"allow": [{"cidr": "127.0.0.0/8", "ports": ports}]});
        let config = Config {
            egress: Egress::new(&serde_json::from_value(rule).unwrap()).unwrap(),
            capacity: 4,
            ..Config::new(
                self.address.parse().unwrap(),
                TokenSource::Static("good".to_owned()),
            )
        };
        Runner::start(config)
    }

    /// Offers a run of these steps.
    pub(crate) fn offer(&self, spec: Value) -> Uuid {
        self.offer_from(spec, Vec::new())
    }

    /// Offers a run in which these events happened already, after its start.
    pub(crate) fn offer_from(&self, spec: Value, events: Vec<Event>) -> Uuid {
        let run = Uuid::new_v4();
        self.offer_again(run, 1, spec, events);
        run
    }

    pub(crate) fn offer_again(&self, run: Uuid, epoch: i32, spec: Value, events: Vec<Event>) {
        let start = Event::RunStarted {
            at: Timestamp::now(),
            inputs: Map::new(),
            vars: Map::new(),
            mode: RunMode::default(),
        };
        let journal: Vec<Event> = std::iter::once(start).chain(events).collect();
        let leased = LeasedRun {
            run,
            epoch,
            workflow: "w".to_owned(),
            tenant: "t".to_owned(),
            revision: format!("sha256:{run}"),
            seq: i32::try_from(journal.len()).unwrap(),
            url: String::new(),
            journal: journal.clone(),
            inbox: Vec::new(),
            plan: Some(Box::new(plan(spec))),
        };
        let mut book = self.book();
        book.runs.insert(
            run,
            Entry {
                epoch,
                events: journal,
                thens: Vec::new(),
            },
        );
        book.offered.push_back(leased);
        drop(book);
        self.changed.notify_waiters();
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Book)) {
        change(&mut self.book());
        self.changed.notify_waiters();
    }

    /// Waits until something is so.
    pub(crate) async fn until<T>(&self, what: &str, mut look: impl FnMut(&Book) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = look(&self.book()) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(15), waiting)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"))
    }

    /// Waits for what comes after the last commit of a run.
    pub(crate) async fn closed(&self, run: Uuid) -> Then {
        let last = |book: &Book| {
            book.runs[&run]
                .thens
                .iter()
                .find(|then| !matches!(then, Then::Continue))
                .cloned()
        };
        self.until("the run is closed", last).await
    }

    /// Names of the stored events.
    pub(crate) fn names(&self, run: Uuid) -> Vec<String> {
        self.book().runs[&run].events.iter().map(name).collect()
    }
}

/// `StepStarted a`.
pub(crate) fn name(event: &Event) -> String {
    let kind = serde_json::to_value(event).unwrap()["type"]
        .as_str()
        .unwrap()
        .to_owned();
    event.step().map_or(kind.clone(), |step| format!("{kind} {step}"))
}

pub(crate) fn plan(spec: Value) -> Plan {
    let spec = serde_json::from_value(spec).unwrap();
    compile(&spec, &Context::default()).unwrap().plan
}

/// A runner that ends with its test.
pub(crate) struct Runner {
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), flowpilot_runner::Error>>,
}

impl Runner {
    pub(crate) fn start(config: Config) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(flowpilot_runner::run(config, shutdown.clone()));
        Self { shutdown, task }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

type Answer = Result<Response, Response>;

fn problem(status: StatusCode, code: &str) -> Response {
    (
        status,
        Json(json!({"code": code, "detail": "as the test wants it"})),
    )
        .into_response()
}

fn authorized(book: &mut Book, headers: &HeaderMap) -> Result<(), Response> {
    if headers["authorization"] == format!("Bearer {}", book.token) {
        return Ok(());
    }
    book.refused_tokens += 1;
    Err(problem(StatusCode::UNAUTHORIZED, "Unauthenticated"))
}

fn known(book: &mut Book, session: Uuid, headers: &HeaderMap) -> Result<(), Response> {
    authorized(book, headers)?;
    if book.closed || book.sessions.last() != Some(&session) {
        return Err(problem(StatusCode::CONFLICT, "SessionClosed"));
    }
    Ok(())
}

async fn open(State(ledger): State<Ledger>, headers: HeaderMap, Json(_): Json<OpenSession>) -> Answer {
    let session = Uuid::new_v4();
    let mut book = ledger.book();
    authorized(&mut book, &headers)?;
    book.sessions.push(session);
    book.closed = false;
    drop(book);
    ledger.changed.notify_waiters();
    // A tenth of the real times, rounded up to what the protocol can say.
    let (ttl_seconds, heartbeat_seconds, self_stop_seconds) = (3, 1, 2);
    let now = Timestamp::now();
    let answer = SessionOpened {
        session,
        ttl_seconds,
        heartbeat_seconds,
        self_stop_seconds,
        now,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn close(State(ledger): State<Ledger>, headers: HeaderMap, Path(session): Path<Uuid>) -> Answer {
    known(&mut ledger.book(), session, &headers)?;
    ledger.change(|book| book.goodbyes.push(session));
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn lease(
    State(ledger): State<Ledger>,
    headers: HeaderMap,
    Json(request): Json<LeaseRequest>,
) -> Answer {
    ledger.change(|book| book.leases.push(request.clone()));
    let until = Instant::now() + Duration::from_millis(500);
    loop {
        {
            let mut book = ledger.book();
            known(&mut book, request.session, &headers)?;
            let inbox = std::mem::take(&mut book.whispers);
            let free = book.offered.len().min(request.free as usize);
            if free > 0 || !inbox.is_empty() {
                let runs = book.offered.drain(..free).collect();
                return Ok(Json(Leased { runs, inbox }).into_response());
            }
        }
        if Instant::now() >= until {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn heartbeat(State(ledger): State<Ledger>, headers: HeaderMap, Json(beat): Json<Heartbeat>) -> Answer {
    let session = beat.session;
    ledger.change(|book| book.beats.push(beat));
    let mut book = ledger.book();
    if book.deaf {
        return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "Unavailable"));
    }
    known(&mut book, session, &headers)?;
    let now = Timestamp::now();
    let (lost, inbox) = (std::mem::take(&mut book.lost), book.messages.clone());
    Ok(Json(HeartbeatAnswer {
        now,
        expires_at: now,
        lost,
        inbox,
    })
    .into_response())
}

async fn commit(
    State(ledger): State<Ledger>,
    headers: HeaderMap,
    Json(request): Json<CommitRequest>,
) -> Answer {
    let mut book = ledger.book();
    book.commits.push((Instant::now(), request.clone()));
    let answer = store(&mut book, &headers, &request);
    drop(book);
    ledger.changed.notify_waiters();
    answer
}

fn store(book: &mut Book, headers: &HeaderMap, request: &CommitRequest) -> Answer {
    known(book, request.session, headers)?;
    if request.items.iter().any(|item| Some(item.run) == book.poison) {
        return Err(problem(StatusCode::UNPROCESSABLE_ENTITY, "InvalidCommit"));
    }
    let fault = book.faults.pop_front();
    match fault {
        Some(Fault::Away) => {
            let problem = problem(StatusCode::SERVICE_UNAVAILABLE, "Unavailable");
            return Err(([("retry-after", "1")], problem).into_response());
        }
        Some(Fault::Closed) => {
            book.closed = true;
            return Err(problem(StatusCode::CONFLICT, "SessionClosed"));
        }
        Some(Fault::AnswerLost) | None => {}
    }
    let results = request.items.iter().map(|item| {
        let result = store_item(book, item);
        CommitResult {
            run: item.run,
            result,
            inbox: Vec::new(),
        }
    });
    let results = results.collect();
    match fault {
        Some(_) => Err(problem(StatusCode::BAD_GATEWAY, "Unavailable")),
        None => Ok(Json(Committed { results }).into_response()),
    }
}

fn store_item(book: &mut Book, item: &CommitItem) -> CommitStatus {
    let entry = book.runs.get_mut(&item.run).unwrap();
    let seq = usize::try_from(item.seq).unwrap();
    if entry.epoch != item.epoch {
        CommitStatus::Fenced
    } else if seq == entry.events.len() {
        entry.events.extend(item.events.iter().cloned());
        entry.thens.push(item.then.clone());
        CommitStatus::Ok
    } else if entry.events.get(seq..) == Some(&item.events[..]) {
        CommitStatus::Dup
    } else {
        CommitStatus::Gap
    }
}

pub(crate) fn cancel(run: Uuid) -> RunInbox {
    let body = InboxBody::CancelRequested { by: "ada".to_owned() };
    RunInbox {
        run,
        messages: vec![InboxMessage { seq: 1, body }],
    }
}
