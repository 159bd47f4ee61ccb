//! Actions and what they are given.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[
        (
            "[{id: a, uses: core/htpp@1, with: {url: x}}]",
            &["UnknownAction steps[0].uses -> core/http@1"],
        ),
        ("[{id: a, uses: ai/extract@1}]", &[]),
        ("[{id: a, uses: ai/nothing@1}]", &["UnknownAction steps[0].uses"]),
        (
            "[{id: a, uses: shop/refund@2, undo: {uses: shop/cancel@2}}]",
            &[
                "UnknownAction? steps[0].uses",
                "UnknownAction? steps[0].undo.uses",
            ],
        ),
        (
            "[{id: a, uses: core/http@1, with: {url: x, metod: GET}}]",
            &["UnknownField steps[0].with.metod -> method"],
        ),
        ("[{id: a, uses: core/http@1}]", &["InvalidInput steps[0].with"]),
        (
            "[{id: a, uses: core/http@1, with: {url: x, method: FETCH}}]",
            &["InvalidInput steps[0].with.method"],
        ),
        (
            "[{id: a, uses: core/http@1, with: {url: x, expect: {status: [1]}}}]",
            &["InvalidInput steps[0].with.expect.status"],
        ),
        (
            "{inputs: [{name: n, type: integer, required: true}], steps: [{id: a, uses: core/http@1, with: {url: x, maxBytes: \"$(inputs.n) bytes\"}}]}",
            &["InvalidInput steps[0].with.maxBytes"],
        ),
        (
            "{inputs: [{name: n, type: integer, required: true}], steps: [{id: a, uses: core/http@1, with: {url: $(inputs.n), method: $(inputs.n), maxBytes: $(inputs.n), expect: {status: [$(inputs.n)]}}}]}",
            &[
                "InvalidInput steps[0].with.url",
                "InvalidInput steps[0].with.method",
            ],
        ),
        (
            "[{id: a, uses: core/table@1, with: {data: x, filter: row.a >, select: {b: rows.c}, aggregate: {n: \"$(1)\", ok: size(rows)}}}]",
            &[
                "InvalidExpression steps[0].with.filter",
                "UnknownName steps[0].with.select.b -> row",
                "InvalidExpression steps[0].with.aggregate.n",
                "InvalidInput steps[0].with.aggregate.n",
            ],
        ),
    ]);
}
