//! Expressions, and what they may name.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[
        (
            "[{id: a, set: {x: $(1 +)}}]",
            &["InvalidExpression steps[0].set.x"],
        ),
        (
            "[{id: a, set: {x: [ok, {y: \"$(1\"}]}}]",
            &["InvalidExpression steps[0].set.x[1].y"],
        ),
        (
            "[{id: a, when: $(true), set: {x: 1}}]",
            &["InvalidExpression steps[0].when"],
        ),
        (
            "[{id: a, when: nope > 1, set: {x: 1}}]",
            &["UnknownName steps[0].when"],
        ),
        (
            "[{id: a, set: {x: $(input.y)}}]",
            &["UnknownName steps[0].set.x -> inputs"],
        ),
        (
            "[{id: a, set: {x: $(trigger.body)}}]",
            &["UnknownName steps[0].set.x"],
        ),
        (
            "[{id: a, set: {x: $(run.name)}}]",
            &["UnknownName steps[0].set.x"],
        ),
        (
            "[{id: a, set: {x: $(workflow.nam)}}]",
            &["UnknownName steps[0].set.x -> workflow.name"],
        ),
        (
            "{inputs: [{name: letter, type: string, required: true}], steps: [{id: a, set: {x: $(inputs.lettre)}}]}",
            &["UnknownInput steps[0].set.x -> inputs.letter"],
        ),
        (
            "{variables: {limit: 1}, steps: [{id: a, set: {x: $(vars.limt)}}]}",
            &["UnknownVariable? steps[0].set.x -> vars.limit"],
        ),
    ]);
}
