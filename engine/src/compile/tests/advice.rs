//! What is allowed and probably not meant.

use super::{Context, agree, compile, spec};

#[test]
fn keys_that_yaml_reads_as_true_are_warned_of() {
    agree(&[
        (
            "[{id: a, set: {x: {\"true\": 1}}}, {id: b, uses: core/log@1, with: {message: x, data: [{\"false\": 1}]}}]",
            &[
                "BooleanKey? steps[0].set.x.true",
                "BooleanKey? steps[1].with.data[0].false",
            ],
        ),
        (
            "{variables: {x: {\"true\": 1}}, steps: [{id: a, set: {x: 1}}], outputs: {\"false\": 1}}",
            &["BooleanKey? variables.x.true", "BooleanKey? outputs.false"],
        ),
    ]);
}

#[test]
fn clean_up_in_the_main_flow_is_advised_against() {
    agree(&[
        (
            "[{id: a, set: {x: 1}}, {id: b, needs: [a.done], set: {x: 1}}, {id: c, needs: [b], set: {x: 1}}]",
            &[
                "CleanUpFollowed? steps[1].needs[0]",
                "CleanUpFollowed? steps[2].needs[0]",
            ],
        ),
        (
            "[{id: a, set: {x: 1}}, {id: b, needs: [a.done], set: {x: 1}}, {id: c, needs: [b.done], set: {x: 1}}]",
            &[],
        ),
        (
            "[{id: a, set: {x: 1}}, {id: b, needs: [a, a.failed], set: {x: 1}}, {id: c, needs: [b], set: {x: 1}}]",
            &[],
        ),
        (
            "[{id: q, switch: {cases: [{name: bad, when: 'true'}], default: good}}, {id: end, needs: [q.bad], stop: {status: Succeeded}}, {id: go, needs: [q.good], set: {x: 1}}, {id: log, needs: [end.done, go.done], set: {x: 1}}]",
            &["CleanUpBehindStop? steps[3].needs[0]"],
        ),
    ]);
}

#[test]
fn unused_output_and_writes_without_end_are_advice_for_lint() {
    let text = "[{id: a, set: {x: 1}}, {id: b, set: {x: text}}, {id: c, needs: [b], uses: core/http@1, with: {url: x, method: POST, text: $(steps.b.output.x)}}, {id: d, group: {}, timeout: 5s}, {id: e, in: d, uses: core/http@1, with: {url: x, method: POST}}, {id: f, uses: core/log@1, with: {message: x}}, {id: g, uses: core/http@1, with: {url: x}}]";
    let advice = compile(&spec(text), &Context::default()).unwrap().advice;
    let found: Vec<String> = advice
        .iter()
        .map(|problem| format!("{} {}", problem.code, problem.path))
        .collect();
    assert_eq!(
        found,
        [
            "UnusedOutput spec.steps[0]",
            "NoTimeout spec.steps[2]",
            "UnusedOutput spec.steps[6]"
        ]
    );
}
