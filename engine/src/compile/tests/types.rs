//! Types: what is wrong whatever the values are.

use super::{Context, agree, agree_in, problems};
use crate::compile::WorkflowInterface;
use crate::plan::PlanInput;
use flowpilot_crds::workflow::InputType;
use serde_json::json;

#[test]
fn fields_of_typed_values_are_known() {
    agree(&[
        (
            "{inputs: [{name: o, type: object, required: true, schema: {properties: {name: {type: string}}}}], steps: [{id: a, set: {x: $(inputs.o.nam), y: $(inputs.o.?nam), z: $(inputs.o.name)}}]}",
            &[
                "UnknownField steps[0].set.x -> inputs.o.name",
                "UnknownField steps[0].set.y -> inputs.o.name",
            ],
        ),
        (
            "{inputs: [{name: o, type: object, required: true, schema: {properties: {a: {type: string}}, additionalProperties: true}}, {name: l, type: array, required: true, schema: {items: {type: object, properties: {id: {type: string}}}}}], steps: [{id: a, set: {x: $(inputs.o.any)}}, {id: e, forEach: {items: $(inputs.l)}}, {id: b, in: e, set: {x: $(item.id), y: $(item.di)}}]}",
            &["UnknownField steps[2].set.y -> item.id"],
        ),
        (
            "{variables: {limits: {high: 1}}, steps: [{id: a, set: {x: $(vars.limits.hihg)}}]}",
            &["UnknownField steps[0].set.x -> vars.limits.high"],
        ),
        (
            "[{id: a, fail: {code: X}}, {id: b, needs: [a.failed], set: {x: $(steps.a.error.mesage), y: $(steps.a.error.details.anything)}}]",
            &["UnknownField steps[1].set.x -> steps.a.error.message"],
        ),
        (
            "[{id: a, approval: {form: [{name: limit, type: integer}]}}, {id: b, needs: [a], set: {x: $(steps.a.output.form.limti), y: \"$(steps.a.output.form.?limit.orValue(1) + 1)\", z: $(steps.a.output.decison)}}]",
            &[
                "UnknownField steps[1].set.x -> steps.a.output.form.limit",
                "UnknownField steps[1].set.z -> steps.a.output.decision",
            ],
        ),
        (
            "[{id: a, wait: {event: {type: x, match: event.dta.id == 1}}}, {id: b, needs: [a], set: {x: $(steps.a.output.data.id), y: $(steps.a.output.dtaa)}}]",
            &[
                "UnknownName steps[0].wait.event.match -> event.data",
                "UnknownField steps[1].set.y -> steps.a.output.data",
            ],
        ),
    ]);
}

#[test]
fn operators_and_places_take_what_they_take() {
    agree(&[
        (
            "{inputs: [{name: s, type: string, required: true}, {name: n, type: integer, required: true}], steps: [{id: a, when: inputs.s, set: {x: $(inputs.s > 1)}}, {id: b, wait: {duration: $(inputs.n)}}, {id: c, wait: {until: $(inputs.n)}}, {id: d, forEach: {items: $(inputs.s)}}, {id: e, in: d, set: {x: 1}}]}",
            &[
                "WrongType steps[0].when",
                "WrongType steps[0].set.x",
                "WrongType steps[1].wait.duration",
                "WrongType steps[2].wait.until",
                "WrongType steps[3].forEach.items",
            ],
        ),
        (
            "[{id: a, loop: {while: turn.n, init: {n: 0}}}, {id: b, in: a, switch: {cases: [{name: x, when: \"'a'\"}]}}]",
            &[
                "WrongType steps[0].loop.while",
                "WrongType steps[1].switch.cases[0].when",
            ],
        ),
    ]);
}

#[test]
fn a_call_is_checked_against_what_the_other_workflow_takes_and_gives() {
    let sku = PlanInput {
        name: "sku".to_owned(),
        type_: InputType::String,
        title: None,
        description: None,
        required: true,
        default: None,
        schema: None,
    };
    let price = WorkflowInterface {
        inputs: vec![sku],
        outputs: json!({"type": "object", "properties": {"cents": {"type": "integer"}}}),
    };
    let context = Context {
        workflows: Some([("price".to_owned(), price)].into()),
        connections: Some(["shop".to_owned()].into()),
        ..Context::default()
    };
    agree_in(
        &[
            (
                "[{id: a, workflow: {name: price, inputs: {sku: x}}}, {id: b, needs: [a], set: {x: $(steps.a.output.cents), y: $(steps.a.output.cent)}}]",
                &["UnknownField? steps[1].set.y -> steps.a.output.cents"],
            ),
            (
                "[{id: a, workflow: {name: price, inputs: {skuu: x}}}, {id: b, workflow: {name: price, inputs: {sku: 1}}}, {id: c, workflow: {name: price, inputs: {sku: $(1 + 1)}, await: false}}, {id: d, needs: [c], set: {x: $(steps.c.output.run), y: $(steps.c.output.cents)}}]",
                &[
                    "UnknownInput? steps[0].workflow.inputs.skuu -> sku",
                    "MissingInput? steps[0].workflow.inputs",
                    "InvalidInput? steps[1].workflow.inputs.sku",
                    "InvalidInput? steps[2].workflow.inputs.sku",
                    "UnknownField steps[3].set.y",
                ],
            ),
            (
                "[{id: a, workflow: {name: prcie}}, {id: b, uses: core/log@1, connection: shpo, with: {message: x}}]",
                &[
                    "UnknownWorkflow? steps[0].workflow.name -> price",
                    "UnknownConnection? steps[1].connection -> shop",
                ],
            ),
        ],
        &context,
    );
    // Where nobody knows, nobody complains.
    assert!(problems("[{id: a, workflow: {name: prcie}}]", &Context::default()).is_empty());
}
