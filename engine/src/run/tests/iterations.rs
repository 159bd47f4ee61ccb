use super::world::{World, fails, gives, mocks, plan};
use crate::journal::{Event, RunOutcome};
use serde_json::{Value, json};

const LOG: &str = "uses: core/log@1, with: {message: x}";

fn each(fields: &str, step: &str) -> String {
    format!(
        "
inputs: [{{name: ns, type: array, default: [10, 20, 30, 40]}}]
steps:
- {{id: each, forEach: {{items: $(inputs.ns), {fields}}}}}
- {{id: work, in: each, {step}}}
outputs: {{all: $(steps.?each.?output.orValue('none'))}}"
    )
}

const GET: &str = "uses: test/get@1, with: {query: {n: $(item), i: $(index)}}";

#[test]
fn results_are_in_item_order_and_at_most_so_many_run_at_once() {
    let steps = each("maxParallel: 2, result: $(steps.work.output.v)", GET);
    let answer = |v: &str, seconds| gives(json!({"v": v})).after(seconds);
    let answers = mocks([
        ("each[0].work", vec![answer("a", 10)]),
        ("each[1].work", vec![answer("b", 2)]),
        ("each[2].work", vec![answer("c", 3)]),
        ("each[3].work", vec![answer("d", 1)]),
    ]);
    let world = World::new(&steps, answers).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 10));
    assert_eq!(world.outputs()["all"], json!(["a", "b", "c", "d"]));
    let starts = world.journal.iter().filter_map(|event| match event {
        Event::StepStarted { step, at, .. } if step.ends_with("work") => Some(at.as_second()),
        _ => None,
    });
    let starts: Vec<i64> = starts.collect();
    assert_eq!(starts, [0, 0, 2, 5]);
    assert_eq!(world.with(2)["query"], json!({"n": 30, "i": 2}));
}

#[test]
fn a_failed_item_stops_the_others() {
    let steps = each("maxParallel: 2", GET);
    let answers = mocks([
        ("each[0].work", vec![gives(json!({})).after(50)]),
        ("each[1].work", vec![fails("Bad").after(2)]),
    ]);
    let world = World::new(&steps, answers).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Failed, 2));
    assert_eq!(world.error().step.as_deref(), Some("each[1].work"));
    assert_eq!(world.ended("each[0].work"), "cancelled");
    assert_eq!(world.ended("each[2].work"), "nothing");
}

#[test]
fn failed_items_can_be_collected() {
    let steps = each("onItemError: Collect, result: $(steps.work.output.v)", GET).replace(
        "outputs:",
        "- {id: partial, needs: [each.partial], set: {f: $(steps.each.failures), o: $(steps.each.outcome)}}
outputs: {partial: $(steps.partial.output)}
#",
    );
    let answers = mocks([
        ("each[0].work", vec![gives(json!({"v": 1}))]),
        ("each[1].work", vec![fails("Bad")]),
        ("each[2].work", vec![gives(json!({"v": 3}))]),
        ("each[3].work", vec![gives(json!({}))]),
    ]);
    let world = World::new(&steps, answers).finish();
    assert_eq!(world.outcome(), RunOutcome::Succeeded, "{:?}", world.view());
    let failures = &world.outputs()["partial"]["f"];
    assert_eq!(failures[0]["index"], 1);
    assert_eq!(failures[0]["error"]["step"], "each[1].work");
    assert_eq!(
        failures[1]["error"]["code"], "ExpressionError",
        "a result that fails, fails its item"
    );
    assert_eq!(failures[1]["error"]["step"], "each");
    assert_eq!(world.outputs()["partial"]["o"], "partial");
    let output = world.journal.iter().find_map(|event| match event {
        Event::StepSucceeded { step, output, .. } if step == "each" => output.clone(),
        _ => None,
    });
    assert_eq!(output, Some(json!([1, 3])));
}

#[test]
fn no_items_wrong_items_and_too_many() {
    let of = |items: Value, fields: &str| {
        let text = format!(
            "
steps:
- {{id: list, uses: test/list@1}}
- {{id: each, needs: [list], forEach: {{items: $(steps.list.output.items), {fields}}}}}
- {{id: work, in: each, {LOG}}}
outputs: {{all: $(steps.?each.?output.orValue('none'))}}"
        );
        World::new(&text, mocks([("list", vec![gives(json!({"items": items}))])])).finish()
    };
    let world = of(json!([]), "result: $(item)");
    assert_eq!(
        (world.outcome(), &world.outputs()["all"]),
        (RunOutcome::Succeeded, &json!([]))
    );
    let world = of(json!([1]), "maxItems: 5");
    assert_eq!(
        (world.outcome(), &world.outputs()["all"]),
        (RunOutcome::Succeeded, &json!("none"))
    );
    assert_eq!(of(json!({"a": 1}), "maxItems: 5").error().code, "ExpressionError");
    assert_eq!(of(json!([1, 2, 3]), "maxItems: 2").error().code, "LimitExceeded");
}

#[test]
fn blocks_in_blocks_have_paths_and_see_the_items_around() {
    let text = "
inputs: [{name: orders, type: array, default: [{id: o1, lines: [x, w]}, {id: o2, lines: []}, {id: o3, lines: [z]}]}]
steps:
- {id: orders, forEach: {items: $(inputs.orders), result: $(steps.lines.output)}}
- {id: box, in: orders, group: {}}
- {id: lines, in: box, forEach: {items: $(item.lines), result: $(steps.pack.output)}}
- {id: pack, in: lines, set: {order: $(blocks.orders.item.id), line: $(item), num: \"$(blocks.orders.index).$(index)\"}}
outputs: {all: $(steps.orders.output)}";
    let world = World::new(text, mocks([])).finish();
    let packed = |order: &str, line: &str, num: &str| json!({"order": order, "line": line, "num": num});
    let expected = json!([
        [packed("o1", "x", "0.0"), packed("o1", "w", "0.1")],
        [],
        [packed("o3", "z", "2.0")]
    ]);
    assert_eq!(world.outputs()["all"], expected);
    assert_eq!(world.ended("orders[0].lines[1].pack"), "succeeded");
}

#[test]
fn next_is_computed_at_once_from_the_old_values() {
    let text = "
steps:
- id: fib
  loop: {while: turn.num < 6, maxIterations: 20, init: {a: 0, b: 1, num: 0}, next: {a: $(turn.b), b: $(turn.a + turn.b), num: $(turn.num + 1)}}
- {id: show, in: fib, uses: core/log@1, with: {message: \"$(turn.index): $(turn.a) $(turn.b)\"}}
outputs: {last: $(steps.fib.output)}";
    let world = World::new(text, mocks([])).finish();
    let said: Vec<Value> = (0..world.performed.len())
        .map(|call| world.with(call)["message"].clone())
        .collect();
    assert_eq!(said, ["0: 0 1", "1: 1 1", "2: 1 2", "3: 2 3", "4: 3 5", "5: 5 8"]);
    assert_eq!(world.outputs()["last"], json!({"a": 8, "b": 13, "num": 6}));
    assert_eq!(world.ended("fib[5].show"), "succeeded");
}

#[test]
fn until_sees_the_steps_of_the_turn_and_delay_comes_between_turns() {
    let text = "
- {id: poll, loop: {until: steps.get.output.status == 200, maxIterations: 5, delay: 10s, init: {n: 0}, next: {n: $(turn.n + 1)}}}
- {id: get, in: poll, uses: core/http@1, with: {url: x}}
- {id: late, needs: [poll.failed], set: {code: $(steps.poll.error.code)}}";
    let (not_yet, there) = (gives(json!({"status": 404})), gives(json!({"status": 200})));
    let two = mocks([
        ("poll[0].get", vec![not_yet.clone()]),
        ("poll[1].get", vec![not_yet.clone()]),
        ("poll[2].get", vec![there]),
    ]);
    let world = World::new(text, two).finish();
    assert_eq!(
        (world.outcome(), world.seconds(), world.calls().len()),
        (RunOutcome::Succeeded, 20, 3)
    );
    assert_eq!(world.ended("late"), "skipped:nottaken");

    let mut never = mocks([]);
    for turn in 0..5 {
        never.0.insert(format!("poll[{turn}].get"), vec![not_yet.clone()]);
    }
    let world = World::new(text, never).finish();
    assert_eq!(
        (world.ended("poll").as_str(), world.calls().len()),
        ("failed:MaxIterations", 5)
    );
    assert_eq!((world.ended("late").as_str(), world.seconds()), ("succeeded", 40));
}

#[test]
fn while_false_at_once_makes_no_turn() {
    let text = "
- {id: again, loop: {while: 'false', init: {n: 7}}}
- {id: work, in: again, uses: core/log@1, with: {message: x}}
- {id: after, needs: [again], set: {n: $(steps.again.output.n)}}";
    let world = World::new(text, mocks([])).finish();
    assert_eq!((world.outcome(), world.calls().len()), (RunOutcome::Succeeded, 0));
}

#[test]
fn a_loop_is_cancelled_in_its_pause_and_times_out_as_a_whole() {
    let text = "
- {id: again, loop: {while: 'true', delay: 1h}, timeout: 90m}
- {id: work, in: again, uses: core/log@1, with: {message: x}}";
    let world = World::new(text, mocks([])).cancel_at(100).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Cancelled, 100));
    assert_eq!(world.ended("again"), "cancelled");
    let world = World::new(text, mocks([])).finish();
    assert_eq!((world.error().code.as_str(), world.seconds()), ("Timeout", 5400));
    assert_eq!(world.error().step.as_deref(), Some("again"));
}

#[test]
fn ten_thousand_items_leave_little_behind_and_cost_each_the_same() {
    let folded = |count: usize| {
        let text = format!(
            "
steps:
- {{id: each, forEach: {{items: $(lists.range({count})), maxParallel: 3, maxItems: 10000, result: $(steps.b.output.x)}}}}
- {{id: a, in: each, {LOG}}}
- {{id: b, in: each, needs: [a], set: {{x: $(item * 2)}}}}
outputs: {{size: $(size(steps.each.output)), last: \"$(steps.each.output[{}])\"}}",
            count - 1
        );
        let mut world = World::of(plan(&text), json!({}), mocks([]));
        let mut most = 0;
        while world.step() {
            most = most.max(world.run.live_frames());
        }
        assert_eq!(world.outcome(), RunOutcome::Succeeded, "{:?}", world.view().error);
        assert_eq!(world.outputs()["last"], json!(2 * (count - 1)));
        assert!(most <= 2 + 3, "{most} frames");
        world.journal.len()
    };
    let (few, many) = (folded(100), folded(1000));
    assert!(many <= 10 * few, "{few} {many}");
}

#[test]
fn too_many_events_end_the_run() {
    let text = format!(
        "
- {{id: again, loop: {{while: 'true', maxIterations: 10000}}}}
- {{id: a, in: again, set: {{x: 1}}}}
- {{id: close, needs: [again.done], {LOG}}}"
    );
    let world = World::new(&text, mocks([])).finish();
    assert_eq!(
        (world.outcome(), world.error().code.as_str()),
        (RunOutcome::Failed, "LimitExceeded")
    );
    assert_eq!(world.ended("close"), "succeeded");
}
