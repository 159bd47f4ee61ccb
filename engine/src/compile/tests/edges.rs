//! Edges: what `needs` may name.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[    (
        "[{id: charge, set: {x: 1}}, {id: mail, needs: [chagre], set: {x: 1}}]",
        &["UnknownStep steps[1].needs[0] -> charge"],
    ),
    (
        "[{id: charge, set: {x: 1}}, {id: mail, needs: [chagre.failed], set: {x: 1}}]",
        &["UnknownStep steps[1].needs[0] -> charge.failed"],
    ),
    (
        "[{id: a, set: {x: 1}}, {id: b, needs: [a.faild], set: {x: 1}}]",
        &["UnknownOutcome steps[1].needs[0] -> a.failed"],
    ),
    (
        "[{id: a, set: {x: 1}}, {id: b, needs: [a.skipped], set: {x: 1}}]",
        &["UnknownOutcome steps[1].needs[0]"],
    ),
    (
        "[{id: a, set: {x: 1}}, {id: b, needs: [a, a.succeeded], set: {x: 1}}]",
        &["DuplicateNeed steps[1].needs[1]"],
    ),
    ("[{id: a, needs: [a], set: {x: 1}}]", &["Cycle steps[0].needs[0]"]),
    (
        "[{id: z, needs: [c], set: {x: 1}}, {id: a, needs: [z, b], set: {x: 1}}, {id: b, needs: [c], set: {x: 1}}, {id: c, needs: [a], set: {x: 1}}]",
        &["Cycle steps[0].needs[0]"],
    ),
    ]);
}
