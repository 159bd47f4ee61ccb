#![expect(clippy::format_collect, reason = "manifests are put together here, once")]

use super::world::{World, fails, gives, mocks};
use crate::journal::{Event, RunOutcome};
use serde_json::json;

const LOG: &str = "uses: core/log@1, with: {message: x}";
const POST: &str = "uses: core/http@1, with: {url: \"http://x.test\", method: POST}";

#[test]
fn done_is_finally_and_handles_nothing() {
    let steps = format!(
        "
- {{id: open, {LOG}}}
- {{id: work, needs: [open], {LOG}}}
- {{id: close, needs: [work.done], {LOG}}}
- {{id: after, needs: [close], {LOG}}}
- {{id: other, needs: [open], wait: {{duration: 1h}}}}"
    );
    let world = World::new(&steps, mocks([("work", vec![fails("BadRequest").after(2)])])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Failed, 2));
    assert_eq!(world.end("close"), "succeeded");
    assert_eq!(world.end("other"), "cancelled");
    assert_eq!(
        world.end("after"),
        "skipped:Cancelled",
        "what merely follows clean-up does not run"
    );
    assert_eq!(world.error().code, "BadRequest");
}

#[test]
fn a_failing_run_ends_reads_at_once_and_leaves_writes_to_finish() {
    let steps =
        format!("[{{id: bad, {LOG}}}, {{id: read, {LOG}}}, {{id: write, {POST}}}, {{id: stuck, {POST}}}]");
    let steps = format!("steps: {steps}");
    let answers = mocks([
        ("bad", vec![fails("X").after(1)]),
        ("read", vec![gives(json!({})).after(1000)]),
        (
            "write",
            vec![gives(json!({"status": 201, "headers": {}})).after(30)],
        ),
        ("stuck", vec![gives(json!({})).after(1000)]),
    ]);
    let world = World::new(&steps, answers).finish();
    assert_eq!(world.end("read"), "cancelled");
    assert_eq!(world.of_step("read").ended_at.unwrap().as_second(), 1);
    assert_eq!(world.end("write"), "succeeded", "its answer is known");
    assert_eq!(world.end("stuck"), "cancelled");
    assert_eq!(
        world.seconds(),
        61,
        "a Write is left to finish for a minute, and no longer"
    );
    assert_eq!(world.aborted, ["read", "stuck"]);
}

#[test]
fn what_really_failed_while_the_run_ended_is_nobodys_failure() {
    let steps = format!("steps: [{{id: write, {POST}, retry: {{attempts: 5}}}}]");
    let world = World::new(&steps, mocks([("write", vec![fails("Unavailable").after(5)])]))
        .cancel_at(1)
        .finish();
    assert_eq!(
        (world.outcome(), world.end("write").as_str()),
        (RunOutcome::Cancelled, "failed:Unavailable")
    );
    assert_eq!(world.performed.len(), 1, "a run that ends tries nothing again");
    assert_eq!(world.view().error, None);
}

#[test]
fn cancel_ends_what_runs_runs_clean_up_and_skips_the_rest() {
    let steps = format!(
        "
- {{id: nap, wait: {{duration: 10h}}}}
- {{id: work, {LOG}}}
- {{id: next, needs: [work], {LOG}}}
- {{id: close, needs: [work.done], {LOG}}}"
    );
    let answers = || mocks([("work", vec![gives(json!({})).after(100)])]);
    let world = World::new(&steps, answers()).cancel_at(3).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Cancelled, 3));
    for (step, end) in [
        ("nap", "cancelled"),
        ("work", "cancelled"),
        ("next", "skipped:Cancelled"),
        ("close", "succeeded"),
    ] {
        assert_eq!(world.end(step), end, "{step}");
    }
    let world = World::new(&steps, answers()).cancel_at(3).cancel_at(3).finish();
    assert_eq!(
        world.outcome(),
        RunOutcome::Cancelled,
        "cancelling twice changes nothing"
    );
}

#[test]
fn the_timeout_of_the_run_is_a_failure_and_runs_clean_up() {
    let steps = format!(
        "
timeout: 1m
steps:
- {{id: nap, wait: {{duration: 1h}}}}
- {{id: close, needs: [nap.done], {LOG}}}"
    );
    let world = World::new(&steps, mocks([])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Failed, 60));
    assert_eq!(
        (world.error().code.as_str(), world.end("close").as_str()),
        ("Timeout", "succeeded")
    );
    let by = world.journal.iter().find_map(|event| match event {
        Event::CancelRequested { by, .. } => Some(by.clone()),
        _ => None,
    });
    assert_eq!(by.as_deref(), Some("timeout"));
}

#[test]
fn somebody_called_timeout_cancels_like_anybody() {
    let mut world = World::new("- {id: nap, wait: {duration: 1h}}", mocks([]));
    world.step();
    world
        .run
        .apply(&Event::CancelRequested {
            at: world.now,
            by: "timeout".to_owned(),
        })
        .unwrap();
    assert_eq!(world.finish().outcome(), RunOutcome::Cancelled);
}

#[test]
fn clean_up_that_never_ends_is_ended() {
    let steps = format!("- {{id: a, {LOG}}}\n- {{id: close, needs: [a.done], wait: {{duration: 100h}}}}\n");
    let world = World::new(
        &format!("timeout: 1m\nsteps:\n{steps}"),
        mocks([("a", vec![fails("X")])]),
    )
    .finish();
    assert_eq!(
        (world.outcome(), world.end("close").as_str()),
        (RunOutcome::Failed, "cancelled")
    );
    assert_eq!((world.seconds(), world.error().code.as_str()), (3600, "X"));
}

#[test]
fn clean_up_that_fails_stops_no_other_and_is_the_error_only_if_there_is_none() {
    let steps = format!(
        "
- {{id: a, {LOG}}}
- {{id: one, needs: [a.done], {LOG}}}
- {{id: two, needs: [a.done], {LOG}}}
- {{id: end, needs: [a], stop: {{status: Succeeded}}}}"
    );
    let world = World::new(
        &steps,
        mocks([("a", vec![fails("First")]), ("one", vec![fails("Second")])]),
    )
    .finish();
    assert_eq!(
        (world.error().code.as_str(), world.end("two").as_str()),
        ("First", "succeeded")
    );
}

#[test]
fn stop_ends_the_run_early() {
    let steps = |status: &str| {
        format!(
            "
steps:
- {{id: nap, wait: {{duration: 1h}}}}
- {{id: check, {LOG}}}
- {{id: halt, needs: [check], when: 'true', stop: {{status: {status}, message: \"$(1 + 1) enough\"}}}}
- {{id: after, needs: [halt], {LOG}}}
- {{id: close, needs: [nap.done], {LOG}}}
outputs: {{done: \"$(steps.check.outcome)\"}}"
        )
    };
    let world = World::new(&steps("Succeeded"), mocks([])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 0));
    assert_eq!(world.view().message.as_deref(), Some("2 enough"));
    assert_eq!(world.outputs()["done"], "succeeded");
    for (step, end) in [
        ("nap", "cancelled"),
        ("halt", "succeeded"),
        ("after", "skipped:Cancelled"),
        ("close", "succeeded"),
    ] {
        assert_eq!(world.end(step), end, "{step}");
    }
    let world = World::new(&steps("Failed"), mocks([])).finish();
    let error = world.error();
    assert_eq!(
        (world.outcome(), error.code.as_str(), error.message.as_str()),
        (RunOutcome::Failed, "Stopped", "2 enough")
    );
    let world = World::new(&steps("Succeeded"), mocks([("close", vec![fails("Leak")])])).finish();
    assert_eq!(
        (world.outcome(), world.error().code.as_str()),
        (RunOutcome::Failed, "Leak")
    );
}

#[test]
fn fail_fails_with_its_code_and_can_be_handled() {
    let steps = "
- {id: no, fail: {code: OutOfStock, message: \"only $(2 - 2) left\"}}
- {id: tell, needs: [no.failed], set: {why: \"$(steps.no.error.code): $(steps.no.error.message)\"}}";
    let world = World::new(steps, mocks([])).finish();
    assert_eq!(world.outcome(), RunOutcome::Succeeded);
    let told = world.journal.iter().find_map(|event| match event {
        Event::StepSucceeded { step, output, .. } if step == "tell" => output.clone(),
        _ => None,
    });
    assert_eq!(told.unwrap()["why"], "OutOfStock: only 0 left");
}

#[test]
fn a_run_with_too_many_events_fails_and_ends() {
    let steps: String = (0..120)
        .map(|number| format!("- {{id: s{number}, {LOG}, retry: {{attempts: 100, backoff: 1ms}}}}\n"))
        .collect();
    let mut answers = mocks([]);
    for number in 0..120 {
        answers.0.insert(format!("s{number}"), vec![fails("Unavailable")]);
    }
    let world = World::new(&steps, answers).finish();
    assert_eq!(
        (world.outcome(), world.error().code.as_str()),
        (RunOutcome::Failed, "LimitExceeded")
    );
    assert!(world.journal.len() < 10_500, "{}", world.journal.len());
}
