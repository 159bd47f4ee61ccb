//! What a step may read of others.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[
        (
            "[{id: one, set: {v: 1}}, {id: two, set: {x: $(steps.one.output.v)}}]",
            &["NotAnAncestor steps[1].set.x -> needs: [one]"],
        ),
        (
            "[{id: one, set: {x: $(steps.one.output)}}]",
            &["NotAnAncestor steps[0].set.x"],
        ),
        (
            "[{id: one, set: {v: 1}}, {id: two, needs: [one], set: {x: $(steps.oen.output)}}]",
            &["UnknownStep steps[1].set.x -> steps.one"],
        ),
        (
            "[{id: one, set: {v: 1}}, {id: two, needs: [one], set: {x: $(steps.one.ouput)}}]",
            &["UnknownName steps[1].set.x -> steps.one.output"],
        ),
        (
            "[{id: one, set: {value: 1}}, {id: two, needs: [one], set: {x: $(steps.one.output.vlaue)}}]",
            &["UnknownField steps[1].set.x -> steps.one.output.value"],
        ),
        (
            "[{id: one, uses: core/http@1, with: {url: x}}, {id: two, needs: [one], set: {x: $(steps.one.output.?statsu)}}]",
            &["UnknownField steps[1].set.x -> steps.one.output.status"],
        ),
        (
            "[{id: one, set: {v: 1}}, {id: two, needs: [one], set: {x: $(steps)}}]",
            &["UnknownName steps[1].set.x"],
        ),
        (
            "{inputs: [{name: o, type: object, required: true, schema: {properties: {name: {type: string}}}}], steps: [{id: a, set: {x: $(inputs.o.nam)}}]}",
            &["UnknownField steps[0].set.x -> inputs.o.name"],
        ),
    ]);
}
