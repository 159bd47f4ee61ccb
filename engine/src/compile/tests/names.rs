//! Names: what may be one, and that each stands once.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[
        (
            "[{id: a, set: {x: 1}}, {id: a, set: {x: 1}}]",
            &["DuplicateStep steps[1].id"],
        ),
        ("[{id: 2a, set: {x: 1}}]", &["InvalidIdentifier steps[0].id"]),
        ("[{id: loop, set: {x: 1}}]", &["ReservedName steps[0].id"]),
        (
            "{inputs: [{name: a, type: string}, {name: a, type: string}, {name: in, type: string}], steps: [{id: a, set: {x: 1}}]}",
            &["DuplicateName inputs[1].name", "ReservedName inputs[2].name"],
        ),
        (
            "{variables: {a-b: 1}, steps: [{id: a, set: {x: 1}}]}",
            &["InvalidIdentifier variables.a-b"],
        ),
        (
            "{variables: {a: [\"$(1)\"]}, steps: [{id: a, set: {x: 1}}]}",
            &["NotLiteral variables.a[0]"],
        ),
    ]);
}
