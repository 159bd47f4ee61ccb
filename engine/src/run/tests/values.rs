use super::world::{World, gives, mocks, plan};
use crate::journal::{Event, RunOutcome};
use serde_json::json;

#[test]
fn values_flow_from_inputs_over_steps_to_outputs() {
    let plan = plan(
        "
inputs:
- {name: id, type: integer, required: true}
- {name: rate, type: number, default: 2}
- {name: note, type: string}
variables: {limit: 3}
steps:
- {id: get, uses: core/http@1, with: {url: \"http://x.test/$(inputs.id)\"}}
- {id: sum, needs: [get], set: {big: $(inputs.id + 1), half: $(inputs.rate / 4), over: $(steps.get.output.body.n > vars.limit),
   note: \"$(inputs.?note)\", nested: {list: [$(inputs.id), plain, $$(x)]}}}
outputs: {sum: $(steps.sum.output), run: \"$(run.id) $(workflow.name) $(tenant.name)\", none: \"$(inputs.?note)\"}",
    );
    let answer = gives(json!({"status": 200, "headers": {}, "body": {"n": 5}}));
    let world = World::of(
        plan,
        json!({"id": 9_007_199_254_740_993_i64, "note": null}),
        mocks([("get", vec![answer])]),
    )
    .finish();
    let with = world.with(0);
    assert_eq!(with["url"], "http://x.test/9007199254740993");
    let expected = json!({"sum": {"big": 9_007_199_254_740_994_i64, "half": 0.5, "over": true,
        "nested": {"list": [9_007_199_254_740_993_i64, "plain", "$(x)"]}},
        "run": "00000000-0000-0000-0000-000000000007 flow acme"});
    assert_eq!(json!(world.outputs()), expected);
}

#[test]
fn what_an_expression_gives_is_data_and_never_evaluated_again() {
    let plan = plan(
        "
inputs: [{name: evil, type: string, required: true}]
steps:
- {id: a, set: {lone: $(inputs.evil), text: \"you said $(inputs.evil)\"}}
- {id: b, needs: [a], uses: core/log@1, with: {message: $(steps.a.output.lone)}}",
    );
    let world = World::of(plan, json!({"evil": "$(run.id) $(1/0)"}), mocks([])).finish();
    assert_eq!(world.with(0)["message"], "$(run.id) $(1/0)");
}

#[test]
fn an_expression_that_fails_fails_its_step_and_can_be_handled() {
    let steps = "
- {id: idle, when: 'false', set: {v: 1}}
- {id: a, needs: [idle.done], set: {v: $(steps.idle.output)}}
- {id: b, needs: [a.failed], set: {code: $(steps.a.error.code)}}
- {id: c, needs: [b], uses: test/c@1}
- {id: odd, needs: [c], when: steps.c.output.n, set: {x: 1}}
- {id: seen, needs: [odd.failed], set: {x: $(steps.odd.error.message)}}";
    let world = World::new(steps, mocks([("c", vec![gives(json!({"n": 1}))])])).finish();
    assert_eq!(world.outcome(), RunOutcome::Succeeded);
    assert_eq!(
        (world.end("a").as_str(), world.end("odd").as_str()),
        ("failed:ExpressionError", "failed:ExpressionError")
    );
}

#[test]
fn input_of_an_action_is_checked_again_when_it_is_known() {
    let steps = "
- {id: a, set: {method: FETCH}}
- {id: b, needs: [a], uses: core/http@1, with: {url: x, method: $(steps.a.output.method)}}";
    let world = World::new(steps, mocks([])).finish();
    let error = world.error();
    assert_eq!((error.code.as_str(), world.performed.len()), ("InvalidInput", 0));
    assert!(error.message.contains("with.method"), "{}", error.message);
}

#[test]
fn outputs_that_fail_fail_the_run() {
    let steps = "
steps:
- {id: a, when: 'false', set: {v: 1}}
outputs: {v: $(steps.a.output.v)}";
    let world = World::new(steps, mocks([])).finish();
    assert_eq!(
        (world.outcome(), world.error().code.as_str()),
        (RunOutcome::Failed, "OutputError")
    );
}

#[test]
fn a_wait_takes_its_time_and_holds_up_only_what_needs_it() {
    let steps = "
- {id: nap, wait: {duration: \"$(30 * 3)s\"}}
- {id: after, needs: [nap], uses: core/log@1, with: {message: x}}
- {id: beside, uses: core/log@1, with: {message: x}}
- {id: none, wait: {duration: \"$(0)s\"}}
- {id: half, needs: [none], wait: {duration: \"$(duration('1500ms'))\"}}";
    let world = World::new(steps, mocks([])).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 90));
    assert_eq!(world.calls(), ["beside", "after"]);
    assert_eq!(world.of_step("half").ended_at.unwrap().as_millisecond(), 1500);
    for bad in ["$('soon')", "$(-5)s"] {
        let world = World::new(
            &format!("- {{id: nap, wait: {{duration: \"{bad}\"}}}}"),
            mocks([]),
        )
        .finish();
        assert_eq!(world.error().code, "ExpressionError", "{bad}");
    }
}

#[test]
fn chance_and_time_are_the_same_in_every_replay() {
    let steps = "- {id: a, set: {one: $(uuid()), two: $(uuid()), r: $(random()), t: $(now())}}";
    let output = |world: World| {
        world.journal.iter().find_map(|event| match event {
            Event::StepSucceeded { output, .. } => output.clone(),
            _ => None,
        })
    };
    let first = output(World::new(steps, mocks([])).finish()).unwrap();
    assert_eq!(Some(first.clone()), output(World::new(steps, mocks([])).finish()));
    assert_ne!(first["one"], first["two"]);
    assert_eq!(first["t"], "1970-01-01T00:00:00Z");
}

#[test]
fn inputs_are_checked_and_completed() {
    let plan = plan(
        "
inputs:
- {name: name, type: string, required: true, schema: {minLength: 2}}
- {name: count, type: integer, default: 3}
- {name: rate, type: number}
steps: [{id: a, set: {x: 1}}]",
    );
    let check = |given: serde_json::Value| {
        let paths = |problems: Vec<crate::problem::Problem>| -> Vec<String> {
            problems
                .into_iter()
                .map(|problem| format!("{} {}", problem.path, problem.code))
                .collect()
        };
        plan.check_inputs(given.as_object().unwrap())
            .map(|inputs| json!(inputs).to_string())
            .map_err(paths)
    };
    assert_eq!(
        check(json!({"name": "ann", "rate": 1})).unwrap(),
        r#"{"name":"ann","count":3,"rate":1.0}"#
    );
    assert_eq!(
        check(json!({"name": "ann", "count": null, "rate": null})).unwrap(),
        r#"{"name":"ann","count":3}"#
    );
    let problems = check(json!({"nam": "x", "count": "3", "rate": true})).unwrap_err();
    assert_eq!(
        problems,
        [
            "inputs.nam UnknownInput",
            "inputs.name MissingInput",
            "inputs.count InvalidInput",
            "inputs.rate InvalidInput"
        ]
    );
    assert_eq!(
        check(json!({"name": null})).unwrap_err(),
        ["inputs.name InvalidInput"]
    );
    assert_eq!(
        check(json!({"name": "a"})).unwrap_err(),
        ["inputs.name InvalidInput"]
    );
    let large = check(json!({"name": "x".repeat(1024 * 1024)})).unwrap_err();
    assert_eq!(large, ["inputs LimitExceeded"]);
    assert_eq!(plan.input_schema()["required"], json!(["name"]));
}
