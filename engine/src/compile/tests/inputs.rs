//! Inputs and variables.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[(
        "{inputs: [{name: a, type: string, schema: {type: integer}}, {name: b, type: string, schema: {pattern: \"(\"}}, {name: c, type: integer, default: x}, {name: d, type: string, required: true, default: x}, {name: e, type: object, schema: {$ref: \"http://x.test\"}}], steps: [{id: a, set: {x: 1}}]}",
        &[
            "InvalidSchema inputs[0].schema.type",
            "InvalidSchema inputs[1].schema",
            "InvalidInput inputs[2].default",
            "FieldNotAllowed inputs[3].default",
            "InvalidSchema inputs[4].schema",
        ],
    )]);
}
