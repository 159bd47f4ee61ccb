//! Kinds, and the fields that go with each.

use super::{agree, lines};
use crate::compile::Context;

#[test]
fn a_step_is_of_exactly_one_kind() {
    agree(&[
        ("[{id: a}]", &["NoKind steps[0]"]),
        (
            "[{id: a, set: {x: 1}, fail: {code: X}}]",
            &["SeveralKinds steps[0].fail"],
        ),
        ("{steps: []}", &["LimitExceeded steps"]),
    ]);
}

/// Each kind, with the least that it needs, and what may stand beside it.
const KINDS: [(&str, &str); 14] = [
    (
        "uses: x/y@1",
        "with connection timeout retry undo cache sensitive runnerClass",
    ),
    ("set: {x: 1}", "sensitive"),
    (
        "script: {source: return 1}",
        "timeout retry undo cache sensitive runnerClass",
    ),
    (
        "container: {image: x}",
        "timeout retry undo sensitive runnerClass",
    ),
    ("workflow: {name: x}", "timeout retry undo sensitive budget"),
    ("switch: {cases: [{name: x, when: 'true'}]}", ""),
    ("forEach: {items: [1]}", "timeout sensitive"),
    ("loop: {until: 'true'}", "timeout sensitive"),
    ("group: {}", "timeout retry sensitive budget"),
    ("wait: {duration: 1s}", "sensitive"),
    ("approval: {}", "sensitive"),
    ("emit: {type: x}", "sensitive"),
    ("fail: {code: X}", ""),
    ("stop: {status: Succeeded}", ""),
];

const FIELDS: [(&str, &str); 9] = [
    ("with", "{a: 1}"),
    ("connection", "c"),
    ("timeout", "5s"),
    ("retry", "{}"),
    ("undo", "{uses: x/y@1}"),
    ("cache", "{key: x, ttl: 1h}"),
    ("sensitive", "true"),
    ("budget", "{usd: '1'}"),
    ("runnerClass", "big"),
];

#[test]
fn each_common_field_is_allowed_where_the_language_says() {
    for (kind, allowed) in KINDS {
        for (field, value) in FIELDS {
            let block = ["forEach", "loop", "group"]
                .iter()
                .any(|block| kind.starts_with(block));
            let inside = if block {
                ", {id: b, in: a, set: {x: 1}}"
            } else {
                ""
            };
            let text = format!("[{{id: a, {kind}, {field}: {value}}}{inside}]");
            let refused = lines(&text, &Context::default())
                .iter()
                .any(|line| *line == format!("FieldNotAllowed steps[0].{field}"));
            let may = allowed.split(' ').any(|name| name == field);
            assert_eq!(refused, !may, "{text}");
        }
    }
    agree(&[
        ("[{id: a, uses: ai/extract@1, budget: {usd: '0.05'}}]", &[]),
        (
            "[{id: a, uses: ai/extract@1, budget: {usd: '0'}}]",
            &["InvalidValue steps[0].budget.usd"],
        ),
        (
            "[{id: a, uses: core/http@1, with: {url: x, method: POST}, cache: {key: x, ttl: 1h}}, {id: b, uses: core/http@1, with: {url: x}, cache: {key: x, ttl: 1h}}]",
            &["FieldNotAllowed steps[0].cache"],
        ),
    ]);
}

#[test]
fn each_kind_checks_its_own_fields() {
    agree(&[
        (
            "[{id: a, fail: {code: not good}}]",
            &["InvalidValue steps[0].fail.code"],
        ),
        (
            "[{id: a, fail: {code: $(inputs.x)}}]",
            &["InvalidValue steps[0].fail.code"],
        ),
        ("[{id: a, wait: {}}]", &["InvalidValue steps[0].wait"]),
        (
            "[{id: a, wait: {duration: 1s, until: '2026-01-01T00:00:00Z'}}]",
            &["InvalidValue steps[0].wait"],
        ),
        (
            "[{id: a, wait: {until: tomorrow}}]",
            &["InvalidTime steps[0].wait.until"],
        ),
        ("[{id: a, wait: {until: \"$(now() + duration('1h'))\"}}]", &[]),
        (
            "[{id: a, wait: {event: {type: ''}}}]",
            &["InvalidValue steps[0].wait.event.type"],
        ),
        (
            "[{id: a, loop: {}}, {id: b, in: a, set: {x: 1}}]",
            &["InvalidValue steps[0].loop"],
        ),
        (
            "[{id: a, loop: {while: 'true', until: 'true'}}, {id: b, in: a, set: {x: 1}}]",
            &["InvalidValue steps[0].loop.until"],
        ),
        (
            "[{id: a, forEach: {items: {a: 1}}}, {id: b, in: a, set: {x: 1}}]",
            &["InvalidValue steps[0].forEach.items"],
        ),
        (
            "[{id: a, forEach: {items: 'x $([1])'}}, {id: b, in: a, set: {x: 1}}]",
            &["InvalidValue steps[0].forEach.items"],
        ),
        (
            "[{id: a, forEach: {items: [1, 2, 3], maxItems: 2}}, {id: b, in: a, set: {x: 1}}]",
            &["LimitExceeded steps[0].forEach.items"],
        ),
        (
            "[{id: a, script: {source: ' '}}]",
            &["InvalidValue steps[0].script.source"],
        ),
        (
            // Data is no code: nothing here is read as an expression.
            "[{id: a, script: {source: \"return '$(nope'\"}}, {id: b, container: {image: alpine, command: [sh, -c, \"echo $(date\"], args: [\"$(\"], env: {A: \"$(1)\"}}}]",
            &[],
        ),
        (
            "[{id: a, container: {image: \"$(inputs.x)\", env: {1A: x}}}]",
            &[
                "NotLiteral steps[0].container.image",
                "InvalidIdentifier steps[0].container.env.1A",
            ],
        ),
        (
            "[{id: a, workflow: {name: \"$('x')\"}}]",
            &["InvalidValue steps[0].workflow.name"],
        ),
        (
            "[{id: a, emit: {type: \"$('x')\"}}]",
            &["NotLiteral steps[0].emit.type"],
        ),
    ]);
}
