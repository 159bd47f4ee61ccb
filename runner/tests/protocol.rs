//! The runner against the edges of its protocol: lost answers, fences, closed sessions, silence, signals.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::result_large_err,
    reason = "helpers of tests are tests"
)]

#[path = "protocol/cancels.rs"]
mod cancels;
#[path = "protocol/ledger.rs"]
mod ledger;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::any;
use flowpilot_engine::journal::{Event, RunOutcome};
use flowpilot_engine::protocol::runner::Then;
use flowpilot_runner::{Config, TokenSource};
use jiff::Timestamp;
use ledger::{Fault, Ledger, Runner};
use serde_json::{Value, json};
use tokio::net::TcpListener;

fn pure() -> Value {
    json!({"steps": [
        {"id": "a", "set": {"x": 1}},
        {"id": "b", "needs": ["a"], "set": {"y": "$(steps.a.output.x + 1)"}},
        {"id": "c", "needs": ["b"], "uses": "core/log@1", "with": {"message": "y is $(steps.b.output.y)"}}],
        "outputs": {"y": "$(steps.b.output.y)"}})
}

fn post(port: u16, path: &str) -> Value {
    json!({"id": "post", "uses": "core/http@1",
        "with": {"method": "POST", "url": format!("http://127.0.0.1:{port}{path}"), "json": {}}})
}

/// Reads what is never answered.
fn never(port: u16) -> Value {
    json!({"id": "get", "uses": "core/http@1", "with": {"url": format!("http://127.0.0.1:{port}/never")}})
}

fn outcome(then: &Then) -> RunOutcome {
    match then {
        Then::Finish { outcome, .. } => *outcome,
        other => panic!("the run is not finished: {other:?}"),
    }
}

/// A server that counts its requests: `/slow` answers after a second, `/never` not at all.
async fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let answer = async move |uri: axum::http::Uri| {
        counter.fetch_add(1, Ordering::SeqCst);
        match uri.path() {
            "/slow" => tokio::time::sleep(Duration::from_secs(1)).await,
            "/never" => std::future::pending().await,
            _ => {}
        }
        "ok"
    };
    let routes = Router::new().fallback(any(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (port, count)
}

#[tokio::test]
async fn a_short_run_is_one_commit() {
    let ledger = Ledger::new().await;
    let run = ledger.offer(pure());
    let runner = ledger.runner(&[]);
    match ledger.closed(run).await {
        Then::Finish {
            outcome,
            outputs,
            error,
        } => {
            assert_eq!((outcome, error), (RunOutcome::Succeeded, None));
            assert_eq!(Value::Object(outputs.unwrap()), json!({"y": 2}));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ledger.book().commits.len(), 1);
    assert_eq!(
        ledger.names(run),
        [
            "RunStarted",
            "StepStarted a",
            "StepSucceeded a",
            "StepStarted b",
            "StepSucceeded b",
            "StepStarted c",
            "StepSucceeded c",
            "RunFinished"
        ]
    );
    runner.stop().await;
}

#[tokio::test]
async fn a_lost_answer_stores_nothing_twice() {
    let ledger = Ledger::new().await;
    ledger.change(|book| book.faults.extend([Fault::AnswerLost, Fault::AnswerLost]));
    let run = ledger.offer(pure());
    let runner = ledger.runner(&[]);
    ledger.closed(run).await;
    ledger
        .until("the answer comes", |book| (book.commits.len() == 3).then_some(()))
        .await;
    let commits = ledger
        .book()
        .commits
        .iter()
        .map(|(_, commit)| json!(commit))
        .collect::<Vec<_>>();
    assert!(
        commits.iter().all(|commit| *commit == commits[0]),
        "the same commit was sent again"
    );
    assert_eq!(ledger.names(run).len(), 8);
    // It is over: the next lease has all its places again.
    ledger
        .until("all places are free", |book| {
            (book.leases.last()?.held.is_empty()).then_some(())
        })
        .await;
    runner.stop().await;
}

#[tokio::test]
async fn results_wait_while_the_api_server_is_away() {
    let ledger = Ledger::new().await;
    let run = ledger.offer(pure());
    ledger.change(|book| book.faults.extend([Fault::Away]));
    let runner = ledger.runner(&[]);
    assert_eq!(outcome(&ledger.closed(run).await), RunOutcome::Succeeded);
    let waited = ledger
        .until("the second commit", |book| {
            Some(book.commits.get(1)?.0 - book.commits[0].0)
        })
        .await;
    assert!(
        waited >= Duration::from_millis(950),
        "Retry-After was one second, it came after {waited:?}"
    );
    runner.stop().await;
}

#[tokio::test]
async fn a_write_starts_after_its_beginning_is_stored() {
    let ledger = Ledger::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stored = ledger.clone();
    let answer = async move || {
        let book = stored.book();
        book.runs
            .values()
            .next()
            .unwrap()
            .events
            .iter()
            .map(ledger::name)
            .collect::<Vec<_>>()
            .join(",")
    };
    let routes = Router::new().fallback(any(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    // The first commit does not come through at once, and the write still waits for it.
    ledger.change(|book| book.faults.extend([Fault::Away]));
    let steps = json!([{"id": "a", "set": {"x": 1}}, post(port, "/")]);
    let run = ledger.offer(json!({"steps": steps, "outputs": {"seen": "$(steps.post.output.body)"}}));
    let runner = ledger.runner(&[port]);
    match ledger.closed(run).await {
        Then::Finish { outputs, .. } => {
            let seen = outputs.unwrap()["seen"].as_str().unwrap().to_owned();
            assert!(seen.contains("StepStarted post"), "{seen}");
        }
        other => panic!("{other:?}"),
    }
    runner.stop().await;
}

#[tokio::test]
async fn a_fenced_run_is_dropped_and_its_place_is_free() {
    let ledger = Ledger::new().await;
    let (port, count) = server().await;
    let run = ledger.offer(json!({"steps": [post(port, "/")]}));
    ledger.change(|book| book.runs.get_mut(&run).unwrap().epoch = 2);
    let runner = ledger.runner(&[port]);
    ledger
        .until("its commit is fenced", |book| {
            (!book.commits.is_empty()).then_some(())
        })
        .await;
    ledger
        .until("its place is free", |book| {
            (book.leases.len() > 2 && book.leases.last()?.held.is_empty()).then_some(())
        })
        .await;
    assert_eq!(ledger.book().commits.len(), 1, "nothing more was said about it");
    assert_eq!(count.load(Ordering::SeqCst), 0, "and nothing was done for it");
    // Another run goes on.
    let other = ledger.offer(pure());
    assert_eq!(outcome(&ledger.closed(other).await), RunOutcome::Succeeded);
    runner.stop().await;
}

#[tokio::test]
async fn one_run_that_is_refused_does_not_hold_up_the_others() {
    let ledger = Ledger::new().await;
    let (bad, good) = (ledger.offer(pure()), ledger.offer(pure()));
    ledger.change(|book| book.poison = Some(bad));
    let runner = ledger.runner(&[]);
    assert_eq!(outcome(&ledger.closed(good).await), RunOutcome::Succeeded);
    ledger
        .until("both places are free", |book| {
            (book.leases.len() > 1 && book.leases.last()?.free == 4).then_some(())
        })
        .await;
    assert_eq!(ledger.names(bad), ["RunStarted"]);
    runner.stop().await;
}

#[tokio::test]
async fn a_run_lost_by_heartbeat_is_stopped() {
    let ledger = Ledger::new().await;
    let (port, count) = server().await;
    let run = ledger.offer(json!({"steps": [never(port)]}));
    let runner = ledger.runner(&[port]);
    ledger
        .until("it is committed", |book| (!book.commits.is_empty()).then_some(()))
        .await;
    ledger.change(|book| book.lost.push(run));
    ledger
        .until("its place is free", |book| {
            (book.beats.last()?.held.is_empty()).then_some(())
        })
        .await;
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(ledger.book().commits.len(), 1);
    runner.stop().await;
}

#[tokio::test]
async fn a_closed_session_drops_everything_and_a_new_one_is_opened() {
    let ledger = Ledger::new().await;
    ledger.change(|book| book.faults.extend([Fault::Closed]));
    let lost = ledger.offer(pure());
    let runner = ledger.runner(&[]);
    ledger
        .until("a second session", |book| {
            (book.sessions.len() == 2).then_some(())
        })
        .await;
    assert_eq!(ledger.names(lost), ["RunStarted"]);
    ledger.offer_again(lost, 2, pure(), Vec::new());
    assert_eq!(outcome(&ledger.closed(lost).await), RunOutcome::Succeeded);
    runner.stop().await;
}

#[tokio::test]
async fn nothing_starts_in_silence() {
    let ledger = Ledger::new().await;
    let (port, count) = server().await;
    let runner = ledger.runner(&[port]);
    ledger
        .until("a session", |book| (!book.sessions.is_empty()).then_some(()))
        .await;
    ledger.change(|book| book.deaf = true);
    // Two seconds without an answer; the lease still works, as it may behind a half-broken network.
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    let run = ledger.offer(json!({"steps": [post(port, "/")]}));
    ledger
        .until("its beginning is stored", |book| {
            (book.runs[&run].events.len() == 2).then_some(())
        })
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(count.load(Ordering::SeqCst), 0, "somebody else may have the run");
    ledger.change(|book| book.deaf = false);
    assert_eq!(outcome(&ledger.closed(run).await), RunOutcome::Succeeded);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    runner.stop().await;
}

#[tokio::test]
async fn a_waiting_run_is_parked_until_its_timer() {
    let ledger = Ledger::new().await;
    let run = ledger.offer(json!({"steps": [{"id": "w", "wait": {"duration": "1h"}}]}));
    let runner = ledger.runner(&[]);
    match ledger.closed(run).await {
        Then::Park { wake_at: Some(at) } => {
            let minutes = at.duration_since(Timestamp::now()).as_mins();
            assert!((58..=60).contains(&minutes), "in {minutes} minutes");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        ledger.names(run),
        ["RunStarted", "StepStarted w", "WaitStarted w"]
    );
    assert_eq!(ledger.book().commits.len(), 1);
    // A short wait stays here.
    let short = ledger.offer(json!({"steps": [{"id": "w", "wait": {"duration": "1s"}}]}));
    assert_eq!(outcome(&ledger.closed(short).await), RunOutcome::Succeeded);
    runner.stop().await;
}

#[tokio::test]
async fn runs_are_handed_back_within_two_seconds() {
    let ledger = Ledger::new().await;
    let (port, count) = server().await;
    let reading = ledger.offer(json!({"steps": [never(port)]}));
    let writing = ledger.offer(json!({"steps": [post(port, "/slow")]}));
    let stuck = ledger.offer(json!({"steps": [post(port, "/never")]}));
    let runner = ledger.runner(&[port]);
    while count.load(Ordering::SeqCst) < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    runner.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for run in [reading, writing, stuck] {
        assert_eq!(ledger.book().runs[&run].thens.last(), Some(&Then::Yield));
    }
    // What reads begins again elsewhere; of a write that was quick enough the end is known.
    assert_eq!(ledger.names(reading), ["RunStarted", "StepStarted get"]);
    assert_eq!(
        ledger.names(writing),
        ["RunStarted", "StepStarted post", "StepSucceeded post"]
    );
    assert_eq!(ledger.names(stuck), ["RunStarted", "StepStarted post"]);
    let book = ledger.book();
    assert_eq!(book.goodbyes, book.sessions);
}

#[tokio::test]
async fn an_attempt_that_began_elsewhere_is_made_again_with_its_key() {
    let ledger = Ledger::new().await;
    let (port, count) = server().await;
    let begun = Event::StepStarted {
        step: "post".to_owned(),
        at: Timestamp::now(),
        attempt: 1,
    };
    let run = ledger.offer_from(json!({"steps": [post(port, "/")]}), vec![begun]);
    let runner = ledger.runner(&[port]);
    assert_eq!(outcome(&ledger.closed(run).await), RunOutcome::Succeeded);
    assert_eq!(
        ledger.names(run),
        [
            "RunStarted",
            "StepStarted post",
            "StepSucceeded post",
            "RunFinished"
        ]
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
    runner.stop().await;
}

#[tokio::test]
async fn a_journal_that_does_not_fit_fails_the_run() {
    let ledger = Ledger::new().await;
    let begun = Event::StepStarted {
        step: "nobody".to_owned(),
        at: Timestamp::now(),
        attempt: 1,
    };
    let run = ledger.offer_from(pure(), vec![begun]);
    let runner = ledger.runner(&[]);
    match ledger.closed(run).await {
        Then::Finish {
            outcome: RunOutcome::Failed,
            error: Some(error),
            ..
        } => {
            assert_eq!(error.code, "Internal");
            assert!(error.message.contains("nobody"), "{}", error.message);
        }
        other => panic!("{other:?}"),
    }
    runner.stop().await;
}

#[tokio::test]
async fn a_renewed_token_is_read_and_the_session_lives_on() {
    let ledger = Ledger::new().await;
    let path = std::env::temp_dir().join(format!("flowpilot-runner-token-{}", std::process::id()));
    std::fs::write(&path, "good").unwrap();
    let runner = Runner::start(Config::new(
        ledger.address.parse().unwrap(),
        TokenSource::File(path.clone()),
    ));
    ledger
        .until("a session", |book| (!book.sessions.is_empty()).then_some(()))
        .await;
    std::fs::write(&path, "better").unwrap();
    ledger.change(|book| book.token = "better".to_owned());
    ledger
        .until("it is refused once", |book| {
            (book.refused_tokens > 0).then_some(())
        })
        .await;
    let run = ledger.offer(pure());
    assert_eq!(outcome(&ledger.closed(run).await), RunOutcome::Succeeded);
    assert_eq!(ledger.book().sessions.len(), 1);
    std::fs::remove_file(&path).unwrap();
    runner.stop().await;
}

#[tokio::test]
async fn a_run_that_needs_what_no_runner_does_fails_and_says_so() {
    let ledger = Ledger::new().await;
    let approval = ledger.offer(json!({"steps": [{"id": "ask", "approval": {}}]}));
    let event = ledger.offer(json!({"steps": [{"id": "hold", "wait": {"event": {"type": "paid"}}}]}));
    let runner = ledger.runner(&[]);
    for (run, what) in [(approval, "approvals"), (event, "events")] {
        let Then::Finish {
            outcome: RunOutcome::Failed,
            error: Some(error),
            ..
        } = ledger.closed(run).await
        else {
            panic!("it did not fail");
        };
        assert!(error.message.contains(what), "{error:?}");
    }
    runner.stop().await;
}
