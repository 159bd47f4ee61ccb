//! What the server cannot do yet, and `Everything` can.

use super::{Context, lines, server_agrees};
use crate::compile::Support;

const CASES: &[super::Case] = &[
    (
        "{inputs: [{name: a, type: string}], triggers: [{id: t, schedule: {cron: '* * * * *'}}], concurrency: {key: x}, steps: [{id: a, set: {x: 1}}]}",
        &["NotSupportedYet triggers", "NotSupportedYet concurrency"],
    ),
    (
        "[{id: a, container: {image: x}}]",
        &["NotSupportedYet steps[0].container"],
    ),
    (
        "[{id: a, workflow: {name: x}}]",
        &["NotSupportedYet steps[0].workflow"],
    ),
    ("[{id: a, approval: {}}]", &["NotSupportedYet steps[0].approval"]),
    ("[{id: a, emit: {type: x}}]", &["NotSupportedYet steps[0].emit"]),
    (
        "[{id: a, wait: {event: {type: x}}}]",
        &["NotSupportedYet steps[0].wait.event"],
    ),
    (
        "[{id: a, uses: ai/extract@1, with: {text: x}, budget: {usd: '0.05'}}]",
        &["NotSupportedYet steps[0].budget", "NotSupportedYet steps[0].uses"],
    ),
    (
        "[{id: a, uses: core/log@1, with: {message: x}, undo: {uses: core/log@1, connection: y, with: {message: x}}, cache: {key: x, ttl: 1h}, runnerClass: x, connection: x}]",
        &[
            "NotSupportedYet steps[0].connection",
            "NotSupportedYet steps[0].undo.connection",
            "NotSupportedYet steps[0].cache",
            "NotSupportedYet steps[0].runnerClass",
        ],
    ),
];

#[test]
fn what_the_server_cannot_do_is_refused_with_its_path() {
    server_agrees(CASES);
    server_agrees(&[
        (
            "[{id: a, script: {source: return 1}}, {id: b, forEach: {items: [1]}}, {id: c, in: b, set: {x: $(item)}}, {id: d, loop: {until: 'true'}}, {id: e, in: d, group: {}}, {id: f, in: e, wait: {until: '2026-01-01T00:00:00Z'}}, {id: g, switch: {cases: [{name: x, when: 'true'}]}, undo: {uses: core/log@1}}]",
            &["FieldNotAllowed steps[6].undo", "InvalidInput steps[6].undo.with"],
        ),
        (
            "[{id: a, set: {x: 1}, sensitive: true}]",
            &["NotSupportedYet steps[0].sensitive"],
        ),
    ]);
}

#[test]
fn everything_else_can_do_it() {
    for (text, _) in CASES {
        let found = lines(text, &Context::default());
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn what_needs_a_cluster_is_refused_by_a_process_alone() {
    let local = Context {
        support: Support::Local,
        ..Context::default()
    };
    let text = "[{id: a, container: {image: x}}, {id: b, uses: core/log@1, with: {message: x}, connection: y, undo: {uses: core/log@1, connection: y, with: {message: x}}}]";
    assert_eq!(
        lines(text, &local),
        [
            "NeedsCluster steps[0].container",
            "NeedsCluster steps[1].connection",
            "NeedsCluster steps[1].undo.connection"
        ]
    );
    let here = "[{id: a, approval: {}}, {id: b, emit: {type: x}}, {id: c, wait: {event: {type: x}}}, {id: d, workflow: {name: x}}, {id: e, set: {x: 1}, sensitive: true}]";
    assert!(lines(here, &local).is_empty());
}
