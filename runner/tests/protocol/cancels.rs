//! A cancel reaches the run, by whatever call is open.

use uuid::Uuid;

use super::ledger::{Ledger, Runner, cancel};
use super::{RunOutcome, json, never, outcome, server};

/// A run whose only request is never answered.
async fn running() -> (Ledger, Uuid, Runner) {
    let ledger = Ledger::new().await;
    let (port, _) = server().await;
    let run = ledger.offer(json!({"steps": [never(port)]}));
    let runner = ledger.runner(&[port]);
    ledger
        .until("it runs", |book| (book.runs[&run].events.len() > 1).then_some(()))
        .await;
    (ledger, run, runner)
}

#[tokio::test]
async fn a_cancel_ends_what_reads_and_is_told_once() {
    let (ledger, run, runner) = running().await;
    // It comes with every heartbeat until a commit says that it was seen.
    ledger.change(|book| book.messages.push(cancel(run)));
    assert_eq!(outcome(&ledger.closed(run).await), RunOutcome::Cancelled);
    assert_eq!(
        ledger.names(run),
        [
            "RunStarted",
            "StepStarted get",
            "CancelRequested",
            "StepCancelled get",
            "RunFinished"
        ]
    );
    let seen = ledger
        .book()
        .commits
        .iter()
        .map(|(_, commit)| commit.items[0].inbox_seen)
        .max();
    assert_eq!(seen, Some(1));
    runner.stop().await;
}

#[tokio::test]
async fn a_cancel_comes_with_the_poll_that_waits() {
    let (ledger, run, runner) = running().await;
    // No heartbeat tells it.
    ledger.change(|book| book.whispers.push(cancel(run)));
    assert_eq!(outcome(&ledger.closed(run).await), RunOutcome::Cancelled);
    runner.stop().await;
}
