use super::world::{World, fails, gives, mocks};
use crate::journal::RunOutcome;
use serde_json::json;

/// One line per step: `id: needs…`, an action that answers as the mocks say.
fn graph(lines: &str) -> String {
    let step = |line: &str| {
        let (id, needs) = line.trim().split_once(':').unwrap();
        format!(
            "- {{id: {id}, uses: core/log@1, with: {{message: x}}, needs: [{}]}}\n",
            needs.trim()
        )
    };
    lines.trim().lines().map(step).collect()
}

/// Runs a graph in which the named steps fail.
fn run(lines: &str, failing: &[&str]) -> World {
    let mut mocks = mocks([]);
    for step in failing {
        mocks.0.insert((*step).to_owned(), vec![fails("BadRequest")]);
    }
    World::new(&graph(lines), mocks).finish()
}

/// Graph, failing steps, ends of some steps.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

/// The rules of joins, one line per case: graph, failing steps, ends of some steps.
#[test]
fn a_join_runs_when_each_need_is_met_or_excused() {
    let rescue = "card:\ncharge: card\nrescue: card.failed\nmerge: charge, rescue";
    let ship = "payment:\nlabel:\nship: payment, label\ntell: payment.failed";
    let none = "prepare:\na:\nrescue: prepare, a.failed";
    let chain = "a:\nb: a\nc: b\nfix: a.failed\nfix2: fix\nend: c, fix2";
    let both = "a:\nb: a, a.failed";
    let over_done = "a:\nb: a\nc: a.failed\nd: c.done\nend: b, d";
    let last_done = "a:\nb: a\nc: a.failed\nend: b, c.done";
    let cases: &[Case] = &[
        (
            rescue,
            &[],
            &[
                ("charge", "succeeded"),
                ("rescue", "skipped:NotTaken"),
                ("merge", "succeeded"),
            ],
        ),
        (
            rescue,
            &["card"],
            &[
                ("charge", "skipped:UpstreamFailed"),
                ("rescue", "succeeded"),
                ("merge", "succeeded"),
            ],
        ),
        (
            ship,
            &["payment"],
            &[("ship", "skipped:UpstreamFailed"), ("tell", "succeeded")],
        ),
        (ship, &[], &[("ship", "succeeded"), ("tell", "skipped:NotTaken")]),
        (none, &[], &[("rescue", "skipped:NotTaken")]),
        (none, &["a"], &[("rescue", "succeeded")]),
        (
            chain,
            &["a"],
            &[
                ("c", "skipped:UpstreamFailed"),
                ("fix2", "succeeded"),
                ("end", "succeeded"),
            ],
        ),
        (chain, &[], &[("fix2", "skipped:NotTaken"), ("end", "succeeded")]),
        (both, &["a"], &[("b", "succeeded")]),
        (both, &[], &[("b", "succeeded")]),
        // `done` is on no side: neither on the way nor as the last edge.
        (
            over_done,
            &["a"],
            &[("d", "succeeded"), ("end", "skipped:UpstreamFailed")],
        ),
        (
            last_done,
            &["a"],
            &[("c", "succeeded"), ("end", "skipped:UpstreamFailed")],
        ),
    ];
    for (lines, failing, ends) in cases {
        let world = run(lines, failing);
        assert_eq!(world.outcome(), RunOutcome::Succeeded, "{lines}\n{failing:?}");
        for (step, end) in *ends {
            assert_eq!(world.end(step), *end, "{step} of {lines}\nfailing {failing:?}");
        }
    }
}

#[test]
fn a_failure_without_a_handler_fails_the_run_with_its_first_error() {
    let world = run("a:\nb: a\nc:", &["a"]);
    assert_eq!(world.outcome(), RunOutcome::Failed);
    let error = world.error();
    assert_eq!(
        (error.code.as_str(), error.step.as_deref(), error.attempt),
        ("BadRequest", Some("a"), Some(1))
    );
    assert_eq!(world.end("b"), "skipped:UpstreamFailed");
}

#[test]
fn a_handler_that_is_passed_over_handles_nothing() {
    let steps = "
- {id: look, uses: core/log@1, with: {message: x}}
- {id: create, needs: [look.failed], when: \"steps.look.error.code == 'NotFound'\", set: {x: 1}}";
    let world = World::new(steps, mocks([("look", vec![fails("Unauthorized")])])).finish();
    assert_eq!(
        (world.outcome(), world.end("create").as_str()),
        (RunOutcome::Failed, "skipped:Condition")
    );
    let world = World::new(steps, mocks([("look", vec![fails("NotFound")])])).finish();
    assert_eq!(
        (world.outcome(), world.end("create").as_str()),
        (RunOutcome::Succeeded, "succeeded")
    );
}

#[test]
fn a_handler_that_waits_for_somebody_else_still_counts() {
    let steps = "
- {id: a, uses: core/log@1, with: {message: x}}
- {id: slow, uses: core/log@1, with: {message: x}}
- {id: rescue, needs: [slow, a.failed], set: {x: 1}}";
    let answers = || {
        mocks([
            ("a", vec![fails("X")]),
            ("slow", vec![gives(json!({})).after(60)]),
        ])
    };
    let world = World::new(steps, answers()).finish();
    assert_eq!((world.outcome(), world.seconds()), (RunOutcome::Succeeded, 60));
    let answers = mocks([("a", vec![fails("X")]), ("slow", vec![fails("Y").after(60)])]);
    let world = World::new(steps, answers).finish();
    assert_eq!(world.outcome(), RunOutcome::Failed);
}

#[test]
fn a_step_whose_condition_is_false_is_passed_over_and_the_flow_goes_on() {
    let steps = "
inputs: [{name: gift, type: boolean, required: true}]
steps:
- {id: pack, set: {x: 1}}
- {id: wrap, needs: [pack], when: inputs.gift, set: {paper: red}}
- {id: ship, needs: [wrap], set: {paper: \"$(steps.wrap.?output.?paper.orValue('none'))\"}}
- {id: never, needs: [wrap.failed], set: {x: 1}}
outputs: {paper: $(steps.ship.output.paper)}";
    let plan = super::world::plan(steps);
    let world = World::of(plan.clone(), json!({"gift": false}), mocks([])).finish();
    assert_eq!(world.end("wrap"), "skipped:Condition");
    assert_eq!(world.end("never"), "skipped:NotTaken");
    assert_eq!(world.outputs()["paper"], "none");
    let world = World::of(plan, json!({"gift": true}), mocks([])).finish();
    assert_eq!(world.outputs()["paper"], "red");
}

#[test]
fn steps_that_may_start_together_start_in_the_order_of_the_list() {
    let world = run("c:\na:\nb:\nz: b\ny: c", &[]);
    assert_eq!(world.calls(), ["c", "a", "b", "y", "z"]);
}
