//! What is certain to be there, may be, or never is.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[
        (
            "{inputs: [{name: n, type: string}], steps: [{id: a, set: {x: $(inputs.n)}}]}",
            &["MayBeAbsent steps[0].set.x -> inputs.?n.orValue(…)"],
        ),
        (
            "{inputs: [{name: n, type: string}, {name: d, type: string, default: x}], steps: [{id: a, set: {x: $(inputs.?n.orValue('')), y: \"$(has(inputs.n) && inputs.n == 'a')\", z: $(inputs.d)}}]}",
            &[],
        ),
        (
            "[{id: a, set: {v: 1}}, {id: b, needs: [a.failed], set: {x: $(steps.a.output.v)}}]",
            &["MayBeAbsent steps[1].set.x"],
        ),
        (
            "[{id: a, set: {v: 1}}, {id: b, needs: [a], set: {x: $(steps.a.error.code)}}]",
            &["MayBeAbsent steps[1].set.x"],
        ),
        (
            "[{id: a, set: {v: 1}}, {id: b, needs: [a.failed], set: {x: $(steps.a.error.code)}}]",
            &[],
        ),
        (
            "[{id: a, set: {v: 1}}, {id: b, needs: [a.failed], set: {x: $(steps.a.?output.?v)}}]",
            &["MayBeAbsent? steps[1].set.x"],
        ),
        (
            "[{id: a, set: {v: 1}}, {id: b, needs: [a.done], set: {x: $(steps.a.output.v), y: $(steps.a.?output.v)}}]",
            &["MayBeAbsent? steps[1].set.x -> steps.a.?output"],
        ),
        (
            "[{id: a, when: 'true', set: {v: 1}}, {id: b, needs: [a], set: {x: $(steps.a.output.v)}}]",
            &["MayBeAbsent? steps[1].set.x -> steps.a.?output"],
        ),
        (
            "[{id: nap, wait: {duration: 1s}}, {id: b, needs: [nap], set: {x: $(steps.nap.output)}}]",
            &["MayBeAbsent steps[1].set.x"],
        ),
        (
            // A merge: either side is uncertain; what lies before the fork is not.
            "[{id: z, set: {v: 1}}, {id: a, needs: [z], set: {v: 1}}, {id: b, needs: [a], set: {v: 1}}, {id: c, needs: [a.failed], set: {v: 1}}, {id: d, needs: [b, c], set: {z: $(steps.z.output.v), b: $(steps.b.output.v), c: $(steps.c.?output.v)}}]",
            &["MayBeAbsent? steps[4].set.b -> steps.b.?output"],
        ),
        (
            // A diamond with a handler beside it: both sides are certain.
            "[{id: a, set: {v: 1}}, {id: b, needs: [a], set: {v: 1}}, {id: c, needs: [a], set: {v: 1}}, {id: d, needs: [b, c], set: {x: $(steps.b.output.v + steps.c.output.v)}}, {id: h, needs: [a.failed], set: {v: 1}}]",
            &[],
        ),
        (
            "{steps: [{id: a, set: {v: 1}}, {id: b, needs: [a.failed], set: {v: 1}}, {id: c, when: 'true', set: {v: 1}}], outputs: {a: $(steps.a.output.v), c: $(steps.c.output.v), d: $(steps.c.?output.v)}}",
            &[
                "MayBeAbsent? outputs.a -> steps.a.?output",
                "MayBeAbsent? outputs.c -> steps.c.?output",
            ],
        ),
        (
            "{steps: [{id: a, set: {v: 1}}, {id: b, needs: [a.done], set: {v: 1}}], outputs: {a: $(steps.a.output.v), b: $(steps.b.output.v)}}",
            &[],
        ),
        (
            "[{id: a, set: {v: 1}}, {id: b, needs: [a], set: {v: 1}}, {id: c, needs: [b, a.failed], set: {v: 1}}]",
            &[],
        ),
        (
            "[{id: a, set: {v: 1}}, {id: b, needs: [a], set: {v: 1}}, {id: c, needs: [b.failed], set: {v: 1}}, {id: d, needs: [c], set: {x: $(steps.a.output.v)}}]",
            &[],
        ),
        (
            "[{id: no, fail: {code: X}}, {id: b, needs: [no], set: {v: 1}}]",
            &["EdgeNeverMet? steps[1].needs[0]", "NeverRuns? steps[1].needs"],
        ),
    ]);
}
