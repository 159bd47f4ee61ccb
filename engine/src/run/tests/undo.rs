use super::world::{World, fails, gives, mocks};
use crate::journal::RunOutcome;
use crate::run::UndoState;
use serde_json::json;

const LOG: &str = "uses: core/log@1, with: {message: x}";

fn undo(id: &str) -> String {
    format!(
        "uses: core/log@1, with: {{message: {id}}}, undo: {{uses: core/log@1, with: {{message: \"back {id}\"}}}}"
    )
}

#[test]
fn a_failed_run_takes_back_what_it_completed_in_reverse_order_of_completion() {
    let text = format!(
        "
- {{id: a, {}}}
- {{id: b, {}}}
- {{id: box, needs: [b], group: {{}}}}
- {{id: c, in: box, {}}}
- {{id: close, needs: [bad.done], {LOG}}}
- {{id: bad, needs: [box], {LOG}}}",
        undo("a"),
        undo("b"),
        undo("c")
    );
    let answers = mocks([
        ("a", vec![gives(json!({})).after(9)]),
        ("bad", vec![fails("X").after(20)]),
        (
            "c.undo",
            vec![fails("BadRequest"), fails("Unavailable"), gives(json!({}))],
        ),
        ("a.undo", vec![fails("No")]),
    ]);
    let world = World::new(&text, answers).finish();
    assert_eq!(
        (world.outcome(), world.error().code.as_str()),
        (RunOutcome::Failed, "X")
    );
    assert_eq!(
        world.calls(),
        [
            "a", "b", "c", "bad", "close", "a.undo", "a.undo", "a.undo", "c.undo", "c.undo", "c.undo",
            "b.undo"
        ]
    );
    assert_eq!(world.view().undo, UndoState::Incomplete);
    assert!(
        world
            .performed
            .iter()
            .all(|perform| perform.undo == perform.step.contains(".undo"))
    );
    let first = world.performed.iter().position(|perform| perform.undo).unwrap();
    assert_eq!(world.with(first)["message"], "back a");
}

#[test]
fn a_block_that_fails_takes_back_its_own_before_its_end_is_known_and_a_handled_failure_nothing() {
    let text = format!(
        "
- {{id: outside, {}}}
- {{id: box, needs: [outside], group: {{}}}}
- {{id: a, in: box, {}}}
- {{id: risky, in: box, needs: [a], {LOG}}}
- {{id: rescue, in: box, needs: [risky.failed], {LOG}}}
- {{id: bad, in: box, needs: [rescue], {LOG}}}
- {{id: tell, needs: [box.failed], {LOG}}}",
        undo("outside"),
        undo("a")
    );
    let world = World::new(
        &text,
        mocks([("risky", vec![fails("X")]), ("bad", vec![fails("Y").after(1)])]),
    )
    .finish();
    assert_eq!(world.outcome(), RunOutcome::Succeeded);
    assert_eq!(
        world.calls(),
        ["outside", "a", "risky", "rescue", "bad", "a.undo", "tell"]
    );
    assert_eq!(world.view().undo, UndoState::Complete);
}

#[test]
fn items_are_taken_back_alone_or_with_all_the_others() {
    let text = |fields: &str| {
        format!(
            "
- {{id: each, forEach: {{items: [1, 2, 3], {fields}}}}}
- {{id: a, in: each, uses: core/log@1, with: {{message: x}}, undo: {{uses: core/log@1, with: {{message: \"back $(item)\"}}}}}}
- {{id: b, in: each, needs: [a], {LOG}}}
- {{id: end, needs: [each], {LOG}}}"
        )
    };
    let fail = |step: &str, also: &str| {
        let mut answers = mocks([]);
        answers.0.insert(step.to_owned(), vec![fails("X")]);
        answers.0.insert(also.to_owned(), vec![fails("Y")]);
        answers
    };
    let world = World::new(&text("maxItems: 9"), fail("each[1].b", "")).finish();
    assert_eq!(
        world.calls(),
        [
            "each[0].a",
            "each[0].b",
            "each[1].a",
            "each[1].b",
            "each[1].a.undo",
            "each[0].a.undo"
        ]
    );
    assert_eq!(world.with(4)["message"], "back 2");
    let world = World::new(&text("onItemError: Collect"), fail("each[1].b", "end")).finish();
    let undone: Vec<&str> = world
        .calls()
        .into_iter()
        .filter(|call| call.ends_with("undo") || *call == "end")
        .collect();
    assert_eq!(
        undone,
        ["each[1].a.undo", "end", "each[2].a.undo", "each[0].a.undo"]
    );
}

#[test]
fn a_write_that_ends_while_the_run_is_cancelled_is_taken_back_and_undo_is_not_cancellable() {
    let text = "
- {id: a, uses: core/http@1, with: {url: x, method: POST}, undo: {uses: core/log@1, with: {message: x}}}
- {id: b, needs: [a], uses: core/log@1, with: {message: x}}";
    let answers = mocks([
        ("a", vec![gives(json!({})).after(30)]),
        ("a.undo", vec![gives(json!({})).after(40)]),
    ]);
    let world = World::new(text, answers).cancel_at(10).cancel_at(50).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Cancelled, 70));
    assert_eq!(world.calls(), ["a", "a.undo"]);
    assert_eq!(world.view().undo, UndoState::Complete);
}

#[test]
fn undo_has_an_hour() {
    let text = format!("[{{id: a, {}}}, {{id: b, needs: [a], {LOG}}}]", undo("a"));
    let answers = mocks([
        ("b", vec![fails("X")]),
        ("a.undo", vec![gives(json!({})).after(9000)]),
    ]);
    let world = World::new(&format!("steps: {text}"), answers).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Failed, 3600));
    assert_eq!(
        (world.view().undo, world.aborted),
        (UndoState::Incomplete, vec!["a.undo".to_owned()])
    );
}

#[test]
fn outputs_that_fail_undo_nothing() {
    let text = format!(
        "steps: [{{id: a, {}}}]\noutputs: {{x: $(steps.a.output.nothing)}}",
        undo("a")
    );
    let world = World::new(&text, mocks([])).finish();
    assert_eq!(
        (world.error().code.as_str(), world.calls()),
        ("OutputError", vec!["a"])
    );
}
