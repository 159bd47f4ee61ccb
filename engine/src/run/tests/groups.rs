use super::world::{World, fails, gives, mocks};
use crate::journal::RunOutcome;
use serde_json::json;

const LOG: &str = "uses: core/log@1, with: {message: x}";
const POST: &str = "uses: core/http@1, with: {url: \"http://x.test\", method: POST}";

#[test]
fn a_group_is_a_scope_for_failure_and_its_steps_can_be_read_after_it() {
    let steps = format!(
        "
steps:
- {{id: before, {LOG}}}
- {{id: box, needs: [before], group: {{result: $(steps.b.output.x + 1)}}}}
- {{id: a, in: box, {LOG}}}
- {{id: b, in: box, needs: [a], set: {{x: 1}}}}
- {{id: after, needs: [box], set: {{x: $(steps.b.output.x), r: $(steps.box.output)}}}}
outputs: {{after: $(steps.after.output)}}"
    );
    let world = World::new(&steps, mocks([("before", vec![gives(json!({})).after(7)])])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 7));
    assert_eq!(json!(world.outputs()), json!({"after": {"x": 1, "r": 2}}));
    assert_eq!(world.calls(), ["before", "a"]);
}

#[test]
fn a_failure_inside_fails_the_group_with_the_error_of_the_step_and_can_be_handled_outside() {
    let steps = format!(
        "
steps:
- {{id: box, group: {{}}}}
- {{id: inner, in: box, group: {{}}}}
- {{id: a, in: inner, {LOG}}}
- {{id: slow, in: box, wait: {{duration: 1h}}}}
- {{id: never, in: box, needs: [slow], {LOG}}}
- {{id: close, in: box, needs: [slow.done], {LOG}}}
- {{id: tell, needs: [box.failed], set: {{step: $(steps.box.error.step), code: $(steps.box.error.code)}}}}
outputs: {{tell: $(steps.tell.output)}}"
    );
    let world = World::new(&steps, mocks([("a", vec![fails("Bad").after(3)])])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 3));
    assert_eq!(world.outputs()["tell"], json!({"step": "a", "code": "Bad"}));
    let ends = ["a", "inner", "box", "slow", "never", "close"].map(|step| world.ended(step));
    assert_eq!(
        ends,
        [
            "failed:Bad",
            "failed:Bad",
            "failed:Bad",
            "cancelled",
            "skipped:cancelled",
            "succeeded"
        ]
    );
}

#[test]
fn the_steps_of_a_skipped_group_are_skipped_with_its_reason() {
    let steps = format!(
        "
- {{id: box, when: 'false', group: {{}}}}
- {{id: inner, in: box, group: {{}}}}
- {{id: a, in: inner, {LOG}}}
- {{id: each, in: box, forEach: {{items: [1]}}}}
- {{id: b, in: each, {LOG}}}
- {{id: after, needs: [box], set: {{x: $(steps.a.outcome)}}}}"
    );
    let world = World::new(&steps, mocks([])).finish();
    assert_eq!(world.outcome(), RunOutcome::Succeeded);
    for step in ["box", "inner", "a", "each"] {
        assert_eq!(world.ended(step), "skipped:condition", "{step}");
    }
    assert_eq!(world.ended("after"), "succeeded");
    assert!(world.calls().is_empty());
}

#[test]
fn retry_of_a_group_undoes_the_attempt_and_runs_all_of_it_again() {
    let steps = format!(
        "
- {{id: box, group: {{}}, retry: {{attempts: 3, backoff: 1s}}}}
- {{id: book, in: box, {POST}, undo: {{uses: core/log@1, with: {{message: cancel}}}}}}
- {{id: pay, in: box, needs: [book], {LOG}}}
- {{id: done, needs: [box], {LOG}}}"
    );
    let answers = || {
        mocks([(
            "pay",
            vec![fails("Unavailable"), fails("Unavailable"), gives(json!({}))],
        )])
    };
    let world = World::new(&steps, answers()).finish();
    assert_eq!(world.outcome(), RunOutcome::Succeeded);
    assert_eq!(
        world.calls(),
        [
            "book",
            "pay",
            "book.undo",
            "book",
            "pay",
            "book.undo",
            "book",
            "pay",
            "done"
        ]
    );
    assert_eq!(world.of_step("box").attempts, 3);
    let keys: std::collections::BTreeSet<&str> = world
        .performed
        .iter()
        .map(|perform| perform.idempotency_key.as_str())
        .collect();
    // What was taken back happens anew; what never happened keeps its key.
    assert_eq!(keys.len(), 3 + 2 + 1 + 1, "{keys:?}");

    let exhausted = World::new(&steps, mocks([("pay", vec![fails("Unavailable")])])).finish();
    assert_eq!(
        (exhausted.outcome(), exhausted.error().code.as_str()),
        (RunOutcome::Failed, "Unavailable")
    );
    assert_eq!(exhausted.of_step("box").attempts, 3);
    let bad = World::new(&steps, mocks([("pay", vec![fails("BadRequest")])])).finish();
    assert_eq!(bad.of_step("box").attempts, 1);
}

#[test]
fn the_timeout_of_a_group_covers_one_attempt() {
    let steps = format!(
        "
- {{id: box, group: {{}}, timeout: 10s, retry: {{attempts: 2, backoff: 1s, codes: [Timeout]}}}}
- {{id: slow, in: box, {LOG}}}
- {{id: close, in: box, needs: [slow.done], {LOG}}}
- {{id: tell, needs: [box.failed], set: {{step: $(steps.box.error.step), code: $(steps.box.error.code)}}}}"
    );
    let slow = gives(json!({})).after(60);
    let world = World::new(
        &steps,
        mocks([("slow", vec![slow.clone(), gives(json!({})).after(5)])]),
    )
    .finish();
    assert_eq!(world.outcome(), RunOutcome::Succeeded);
    assert_eq!(world.calls(), ["slow", "close", "slow", "close"]);
    assert_eq!(
        (world.ended("tell").as_str(), world.of_step("box").attempts),
        ("skipped:nottaken", 2)
    );
    let world = World::new(&steps, mocks([("slow", vec![slow])])).finish();
    assert_eq!(world.ended("tell"), "succeeded");
    assert_eq!(world.of_step("box").error.unwrap().step.as_deref(), Some("box"));
}

#[test]
fn a_race_ends_with_its_first_winner_and_cancels_the_rest() {
    let steps = format!(
        "
- {{id: box, group: {{race: true, result: $(steps.b.?output.x.orValue('none'))}}}}
- {{id: a, in: box, {LOG}}}
- {{id: a2, in: box, needs: [a], wait: {{duration: 1h}}}}
- {{id: b, in: box, uses: core/http@1, with: {{url: x}}}}
- {{id: close, in: box, needs: [a2.done], {LOG}}}
- {{id: after, needs: [box], {LOG}}}"
    );
    let world = World::new(&steps, mocks([("b", vec![gives(json!({"x": "won"})).after(4)])])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 4));
    assert_eq!(
        (world.ended("a2").as_str(), world.ended("close").as_str()),
        ("cancelled", "succeeded")
    );

    // A failure ends only its own branch.
    let world = World::new(&steps, mocks([("b", vec![fails("Bad").after(4)])])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 3600));
    // When nobody can win any more, the first failure is that of the group.
    let both = mocks([
        ("a", vec![fails("First").after(1)]),
        ("b", vec![fails("Second").after(4)]),
    ]);
    let world = World::new(&steps, both).finish();
    assert_eq!(
        (world.outcome(), world.error().code.as_str()),
        (RunOutcome::Failed, "First")
    );
    assert_eq!(world.seconds(), 4);
}

#[test]
fn a_race_in_which_nobody_fails_and_nobody_wins_succeeds() {
    let steps = format!(
        "
- {{id: box, group: {{race: true}}}}
- {{id: a, in: box, when: 'false', {LOG}}}
- {{id: b, in: box, when: 'false', {LOG}}}
- {{id: after, needs: [box], {LOG}}}"
    );
    let world = World::new(&steps, mocks([])).finish();
    assert_eq!(
        (world.outcome(), world.calls()),
        (RunOutcome::Succeeded, vec!["after"])
    );
}

#[test]
fn a_result_that_fails_fails_the_group_and_undoes_it() {
    let steps = format!(
        "
- {{id: box, group: {{result: $(steps.a.output.nothing)}}}}
- {{id: a, in: box, {LOG}, undo: {{uses: core/log@1, with: {{message: x}}}}}}
- {{id: tell, needs: [box.failed], set: {{code: $(steps.box.error.code), step: $(steps.box.error.step)}}}}"
    );
    let world = World::new(&steps, mocks([])).finish();
    assert_eq!(world.calls(), ["a", "a.undo"]);
    assert_eq!(
        (world.outcome(), world.of_step("box").error.unwrap().code.as_str()),
        (RunOutcome::Succeeded, "ExpressionError")
    );
}

#[test]
fn stop_inside_a_block_ends_the_run() {
    let steps = |status: &str| {
        format!(
            "
- {{id: box, group: {{}}}}
- {{id: a, in: box, {POST}, undo: {{uses: core/log@1, with: {{message: x}}}}}}
- {{id: halt, in: box, needs: [a], stop: {{status: {status}, message: enough}}}}
- {{id: other, wait: {{duration: 1h}}}}
- {{id: later, needs: [other], {LOG}}}
- {{id: close, needs: [box.done], {LOG}}}"
        )
    };
    let world = World::new(&steps("Succeeded"), mocks([])).finish();
    assert_eq!(
        (world.outcome(), world.calls()),
        (RunOutcome::Succeeded, vec!["a", "close"])
    );
    assert_eq!(
        (world.ended("box").as_str(), world.ended("other").as_str()),
        ("cancelled", "cancelled")
    );
    assert_eq!(world.view().message.as_deref(), Some("enough"));
    let world = World::new(&steps("Failed"), mocks([])).finish();
    assert_eq!(world.calls(), ["a", "a.undo", "close"]);
    assert_eq!(
        (world.outcome(), world.error().code.as_str()),
        (RunOutcome::Failed, "Stopped")
    );
    assert_eq!(world.error().step.as_deref(), Some("halt"));
}

/// "Errors in an expression fail the step": of a group before any of its steps began.
#[test]
fn a_group_whose_condition_cannot_be_judged_starts_none_of_its_steps() {
    let steps = format!(
        "
- {{id: box, when: 1 / (size(run.id) - 36) == 1, group: {{}}}}
- {{id: a, in: box, {LOG}}}
- {{id: inner, in: box, needs: [a], group: {{}}}}
- {{id: b, in: inner, {LOG}}}
- {{id: rescue, needs: [box.failed], set: {{x: 1}}}}"
    );
    let world = World::new(&steps, mocks([])).finish();
    assert_eq!(world.end("box"), "failed:ExpressionError");
    for step in ["a", "inner", "b"] {
        assert_eq!(world.end(step), "skipped:Cancelled", "{step}");
    }
    assert_eq!((world.outcome(), world.calls().len()), (RunOutcome::Succeeded, 0));
}
