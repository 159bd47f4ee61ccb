//! Blocks: what is in them, what they lend, and who sees what.

use super::agree;

#[test]
fn blocks_exist_end_and_nest_five_deep() {
    agree(&[
        (
            "[{id: box, group: {}}, {id: a, in: bxo, set: {x: 1}}]",
            &["EmptyBlock steps[0]", "UnknownBlock steps[1].in -> box"],
        ),
        (
            "[{id: one, set: {x: 1}}, {id: a, in: one, set: {x: 1}}]",
            &["NotABlock steps[1].in"],
        ),
        ("[{id: box, group: {}}]", &["EmptyBlock steps[0]"]),
        (
            "[{id: a, in: b, group: {}}, {id: b, in: a, group: {}}]",
            &["BlockCycle steps[0].in"],
        ),
        ("[{id: a, in: a, group: {}}]", &["BlockCycle steps[0].in"]),
        (
            "[{id: a, group: {}}, {id: b, in: a, group: {}}, {id: c, in: b, group: {}}, {id: d, in: c, group: {}}, {id: e, in: d, group: {}}, {id: x, in: e, set: {x: 1}}]",
            &[],
        ),
        (
            "[{id: a, group: {}}, {id: b, in: a, group: {}}, {id: c, in: b, group: {}}, {id: d, in: c, group: {}}, {id: e, in: d, group: {}}, {id: f, in: e, group: {}}, {id: x, in: f, set: {x: 1}}]",
            &["LimitExceeded steps[5].in"],
        ),
    ]);
}

#[test]
fn needs_stay_within_one_block() {
    agree(&[
        (
            "[{id: box, group: {}}, {id: inner, in: box, set: {x: 1}}, {id: after, needs: [inner], set: {x: 1}}]",
            &["OtherBlock steps[2].needs[0] -> box"],
        ),
        (
            "[{id: first, set: {x: 1}}, {id: box, group: {}}, {id: inner, in: box, needs: [first], set: {x: 1}}]",
            &["OtherBlock steps[2].needs[0]"],
        ),
        (
            "[{id: box, group: {}}, {id: inner, in: box, needs: [box], set: {x: 1}}]",
            &["OtherBlock steps[1].needs[0]"],
        ),
        (
            "[{id: box, group: {}}, {id: a, in: box, needs: [b], set: {x: 1}}, {id: b, in: box, needs: [a], set: {x: 1}}]",
            &["Cycle steps[1].needs[0]"],
        ),
    ]);
}

#[test]
fn steps_inside_see_what_comes_before_their_block() {
    agree(&[
        (
            "[{id: z, set: {v: 1}}, {id: box, needs: [z], group: {}}, {id: a, in: box, set: {x: $(steps.z.output.v)}}]",
            &[],
        ),
        (
            "[{id: z, set: {v: 1}}, {id: box, group: {}}, {id: a, in: box, set: {x: $(steps.z.output.v)}}]",
            &["NotAnAncestor steps[2].set.x"],
        ),
        (
            "[{id: box, group: {result: 1}}, {id: a, in: box, set: {x: $(steps.box.output)}}]",
            &["NotAnAncestor steps[1].set.x"],
        ),
    ]);
}

#[test]
fn after_a_group_its_steps_can_be_read_and_after_other_blocks_not() {
    agree(&[
        (
            "[{id: box, group: {}}, {id: a, in: box, set: {v: 1}}, {id: b, needs: [box], set: {x: $(steps.a.output.v)}}]",
            &[],
        ),
        (
            "{steps: [{id: box, group: {}}, {id: deep, in: box, group: {}}, {id: a, in: deep, set: {v: 1}}], outputs: {x: $(steps.a.output.v)}}",
            &[],
        ),
        (
            "[{id: each, forEach: {items: [1]}}, {id: a, in: each, set: {v: 1}}, {id: b, needs: [each], set: {x: $(steps.a.output.v)}}]",
            &["NotAnAncestor steps[2].set.x -> steps.each.output"],
        ),
        (
            "{steps: [{id: each, loop: {until: 'true'}}, {id: a, in: each, set: {v: 1}}], outputs: {x: $(steps.a.output.v)}}",
            &["NotAnAncestor outputs.x -> steps.each.output"],
        ),
        (
            // A group that may have failed.
            "[{id: box, group: {}}, {id: a, in: box, set: {v: 1}}, {id: b, needs: [box.done], set: {x: $(steps.a.output.v)}}, {id: c, needs: [box.failed], set: {x: $(steps.a.?output.v)}}]",
            &["MayBeAbsent? steps[2].set.x -> steps.a.?output"],
        ),
    ]);
}

#[test]
fn results_read_the_steps_of_their_block() {
    agree(&[
        (
            "[{id: box, group: {result: $(steps.a.output.v)}}, {id: a, in: box, set: {v: 1}}, {id: b, needs: [box], set: {x: $(steps.box.output)}}]",
            &[],
        ),
        (
            "[{id: box, group: {result: $(steps.b.output.v)}}, {id: a, in: box, set: {v: 1}}, {id: b, needs: [box], set: {v: 1}}]",
            &["NotAnAncestor steps[0].group.result"],
        ),
        (
            "[{id: box, group: {}}, {id: a, in: box, set: {v: 1}}, {id: b, needs: [box], set: {x: $(steps.box.output)}}]",
            &["MayBeAbsent steps[2].set.x"],
        ),
        (
            "[{id: each, forEach: {items: [1], result: $(steps.a.output.v + item + index)}}, {id: a, in: each, set: {v: $(item)}}, {id: b, needs: [each], set: {x: \"$(steps.each.output[0] + 1)\"}}]",
            &[],
        ),
        (
            "[{id: each, forEach: {items: [1]}}, {id: a, in: each, set: {v: $(item)}}, {id: b, needs: [each], set: {x: $(steps.each.output), y: $(steps.each.failures), z: $(steps.each.?failures)}}]",
            &[
                "MayBeAbsent steps[2].set.x",
                "MayBeAbsent steps[2].set.y",
                "MayBeAbsent? steps[2].set.z",
            ],
        ),
        (
            "[{id: each, forEach: {items: [1], onItemError: Collect}}, {id: a, in: each, set: {v: $(item)}}, {id: b, needs: [each], set: {y: \"$(steps.each.failures.map(f, f.error.code))\"}}]",
            &[],
        ),
    ]);
}

#[test]
fn items_and_carried_values_are_read_where_they_are() {
    agree(&[
        (
            "[{id: each, forEach: {items: [1]}}, {id: in1, in: each, group: {}}, {id: a, in: in1, set: {x: \"$(item + index + blocks.each.item + blocks.each.index)\"}}]",
            &[],
        ),
        (
            "[{id: a, set: {x: $(item), y: $(index), z: $(turn.a), w: $(blocks.a.item)}}]",
            &[
                "UnknownName steps[0].set.x",
                "UnknownName steps[0].set.y",
                "UnknownName steps[0].set.z",
                "UnknownName steps[0].set.w",
            ],
        ),
        (
            "[{id: each, forEach: {items: $(item)}}, {id: a, in: each, set: {x: 1}}]",
            &["UnknownName steps[0].forEach.items"],
        ),
        (
            "[{id: each, forEach: {items: [1]}}, {id: a, in: each, set: {x: $(blocks.eahc.item), y: $(blocks.each.itme), z: $(blocks.a.item)}}]",
            &[
                "UnknownBlock steps[1].set.x -> blocks.each",
                "UnknownName steps[1].set.y -> blocks.each.item",
                "UnknownBlock steps[1].set.z",
            ],
        ),
        (
            "[{id: l, loop: {while: turn.count < 3 && turn.index < 9, init: {count: 0}, next: {count: \"$(turn.count + 1)\"}, delay: \"$(turn.count > 1 ? '1s' : '2s')\"}}, {id: a, in: l, set: {x: $(turn.coutn), y: $(blocks.l.count + turn.index)}}]",
            &["UnknownName steps[1].set.x -> turn.count"],
        ),
        (
            "[{id: l, loop: {until: turn.done, next: {done: $(steps.a.output.ok)}}}, {id: a, in: l, set: {ok: true, x: $(turn.?done.orValue(false)), y: $(turn.done)}}]",
            &["MayBeAbsent? steps[1].set.y -> turn.?done"],
        ),
        (
            "[{id: l, loop: {until: steps.a.output.ok}}, {id: a, in: l, set: {ok: true}}]",
            &[],
        ),
        (
            "[{id: l, loop: {while: steps.a.output.ok}}, {id: a, in: l, set: {ok: true}}]",
            &["NotAnAncestor steps[0].loop.while"],
        ),
        (
            "[{id: l, loop: {until: 'true', init: {index: 1, a-b: 2}, next: {in: 3}}}, {id: a, in: l, set: {ok: true}}]",
            &[
                "ReservedName steps[0].loop.init.index",
                "InvalidIdentifier steps[0].loop.init.a-b",
                "ReservedName steps[0].loop.next.in",
            ],
        ),
        (
            // What a turn carries on may be of another type than the first value.
            "[{id: l, loop: {until: turn.cursor == '', init: {cursor: null}, next: {cursor: $(steps.get.output.next)}}}, {id: get, in: l, uses: x/y@1, with: {at: $(turn.cursor)}}, {id: z, needs: [l], set: {x: $(steps.l.output.cursor), y: $(steps.l.output.crusor)}}]",
            &[
                "UnknownAction? steps[1].uses",
                "UnknownField steps[2].set.y -> steps.l.output.cursor",
            ],
        ),
    ]);
}
