//! Edges: what `needs` may name.

use super::agree;

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    agree(&[
        (
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
            &["UnknownOutcome steps[1].needs[0] -> a.done"],
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

#[test]
fn edges_that_no_end_meets_and_steps_that_no_path_reaches_are_warned_of() {
    agree(&[
        (
            "[{id: e, forEach: {items: [1]}}, {id: i, in: e, set: {x: 1}}, {id: b, needs: [e.partial], set: {x: 1}}, {id: c, needs: [b], set: {x: 1}}]",
            &[
                "EdgeNeverMet? steps[2].needs[0]",
                "NeverRuns? steps[2].needs",
                "NeverRuns? steps[3].needs",
            ],
        ),
        (
            "[{id: e, forEach: {items: [1], onItemError: Collect}}, {id: i, in: e, set: {x: 1}}, {id: b, needs: [e.partial], set: {x: 1}}]",
            &[],
        ),
        (
            "[{id: w, wait: {event: {type: x}}}, {id: b, needs: [w, w.expired], set: {x: 1}}, {id: ask, approval: {}}, {id: c, needs: [ask.rejected, ask.expired], set: {x: 1}}]",
            &[
                "EdgeNeverMet? steps[1].needs[1]",
                "EdgeNeverMet? steps[3].needs[1]",
            ],
        ),
        (
            "[{id: s, stop: {status: Succeeded}}, {id: b, needs: [s], set: {x: 1}}, {id: c, needs: [s.done], set: {x: 1}}, {id: t, when: 'true', stop: {status: Succeeded}}, {id: d, needs: [t], set: {x: 1}}]",
            &[
                "EdgeNeverMet? steps[1].needs[0]",
                "NeverRuns? steps[1].needs",
                "CleanUpBehindStop? steps[2].needs[0]",
            ],
        ),
        (
            "[{id: no, fail: {code: X}}, {id: o, set: {x: 1}}, {id: b, needs: [no, o], set: {x: 1}}, {id: t, needs: [no.failed], set: {x: 1}}, {id: m, needs: [no, t], set: {x: 1}}]",
            &[
                "EdgeNeverMet? steps[2].needs[0]",
                "NeverRuns? steps[2].needs",
                "EdgeNeverMet? steps[4].needs[0]",
            ],
        ),
    ]);
}

#[test]
fn outcomes_that_are_compared_exist() {
    agree(&[(
        "[{id: q, switch: {cases: [{name: large, when: 'true'}], default: small}}, {id: b, needs: [q], when: steps.q.outcome == 'lareg', set: {x: \"$(steps.q.outcome in ['large', 'small', 'failed', 'tiny'])\"}}]",
        &[
            "UnknownOutcome steps[1].when -> large",
            "UnknownOutcome steps[1].set.x",
        ],
    )]);
}
