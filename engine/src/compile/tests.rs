//! One case per thing that can be wrong: a spec, and the code, path and suggestion that must come of it.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "manifests are put together here, once"
)]

use std::collections::BTreeSet;
use std::time::Instant;

use flowpilot_crds::WorkflowSpec;

use super::{Context, compile};
use crate::problem::{Problem, Severity};

fn spec(text: &str) -> WorkflowSpec {
    let text = if text.trim_start().starts_with('-') {
        format!("steps:\n{text}")
    } else {
        text.to_owned()
    };
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Every finding, errors and warnings.
fn problems(text: &str, context: &Context) -> Vec<Problem> {
    match compile(&spec(text), context) {
        Ok(compiled) => compiled.warnings,
        Err(problems) => problems,
    }
}

fn lines(text: &str) -> Vec<String> {
    let line = |problem: &Problem| {
        let mark = if problem.severity == Severity::Warning {
            "?"
        } else {
            ""
        };
        let like = problem
            .suggestion
            .as_deref()
            .map(|like| format!(" -> {like}"))
            .unwrap_or_default();
        format!(
            "{}{mark} {}{like}",
            problem.code,
            problem.path.trim_start_matches("spec.")
        )
    };
    problems(text, &Context::default()).iter().map(line).collect()
}

/// Spec, then the findings (`Code path -> suggestion`, with `?` behind the code of a warning).
const CASES: &[(&str, &[&str])] = &[
    ("- {id: a, set: {x: 1}}", &[]),
    // needs
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
    // names
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
    // kinds and fields
    ("[{id: a}]", &["NoKind steps[0]"]),
    (
        "[{id: a, set: {x: 1}, fail: {code: X}}]",
        &["SeveralKinds steps[0].fail"],
    ),
    (
        "[{id: a, set: {x: 1}, with: {y: 1}}]",
        &["FieldNotAllowed steps[0].with"],
    ),
    (
        "[{id: a, set: {x: 1}, timeout: 5s}]",
        &["FieldNotAllowed steps[0].timeout"],
    ),
    (
        "[{id: a, wait: {duration: 5s}, retry: {}}]",
        &["FieldNotAllowed steps[0].retry"],
    ),
    (
        "[{id: a, fail: {code: not good}}]",
        &["InvalidValue steps[0].fail.code"],
    ),
    ("[{id: a, wait: {}}]", &["InvalidValue steps[0].wait"]),
    ("{steps: []}", &["LimitExceeded steps"]),
    // durations and numbers
    (
        "[{id: a, wait: {duration: 5 minutes}}]",
        &["InvalidDuration steps[0].wait.duration"],
    ),
    (
        "[{id: a, wait: {duration: 0s}}]",
        &["InvalidDuration steps[0].wait.duration"],
    ),
    (
        "{timeout: 1.5h, steps: [{id: a, set: {x: 1}}]}",
        &["InvalidDuration timeout"],
    ),
    (
        "[{id: a, uses: core/log@1, with: {message: x}, timeout: 1d, retry: {attempts: 0, factor: 0.5, backoff: x, maxBackoff: 0s}}]",
        &[
            "InvalidDuration steps[0].timeout",
            "LimitExceeded steps[0].retry.attempts",
            "LimitExceeded steps[0].retry.factor",
            "InvalidDuration steps[0].retry.backoff",
            "InvalidDuration steps[0].retry.maxBackoff",
        ],
    ),
    // actions
    (
        "[{id: a, uses: core/htpp@1, with: {url: x}}]",
        &["UnknownAction steps[0].uses -> core/http@1"],
    ),
    ("[{id: a, uses: ai/extract@1}]", &["UnknownAction steps[0].uses"]),
    (
        "[{id: a, uses: shop/refund@2}]",
        &["NotSupportedYet steps[0].uses"],
    ),
    (
        "[{id: a, uses: core/http@1, with: {url: x, metod: GET}}]",
        &["InvalidInput steps[0].with.metod -> method"],
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
        &[],
    ),
    (
        "[{id: a, uses: core/table@1, with: {data: x, filter: row.a >, select: {b: rows.c}, aggregate: {n: \"$(1)\", ok: size(rows)}}}]",
        &[
            "InvalidExpression steps[0].with.filter",
            "UnknownName steps[0].with.select.b -> row",
            "InvalidExpression steps[0].with.aggregate.n",
        ],
    ),
    // expressions
    (
        "[{id: a, set: {x: $(1 +)}}]",
        &["InvalidExpression steps[0].set.x"],
    ),
    (
        "[{id: a, set: {x: [ok, {y: \"$(1\"}]}}]",
        &["InvalidExpression steps[0].set.x[1].y"],
    ),
    (
        "[{id: a, when: $(true), set: {x: 1}}]",
        &["InvalidExpression steps[0].when"],
    ),
    (
        "[{id: a, when: nope > 1, set: {x: 1}}]",
        &["UnknownName steps[0].when"],
    ),
    (
        "[{id: a, set: {x: $(input.y)}}]",
        &["UnknownName steps[0].set.x -> inputs"],
    ),
    (
        "[{id: a, set: {x: $(trigger.body)}}]",
        &["UnknownName steps[0].set.x"],
    ),
    (
        "[{id: a, set: {x: $(run.name)}}]",
        &["UnknownName steps[0].set.x"],
    ),
    (
        "[{id: a, set: {x: $(workflow.nam)}}]",
        &["UnknownName steps[0].set.x -> workflow.name"],
    ),
    (
        "{inputs: [{name: letter, type: string, required: true}], steps: [{id: a, set: {x: $(inputs.lettre)}}]}",
        &["UnknownInput steps[0].set.x -> inputs.letter"],
    ),
    (
        "{variables: {limit: 1}, steps: [{id: a, set: {x: $(vars.limt)}}]}",
        &["UnknownVariable? steps[0].set.x -> vars.limit"],
    ),
    // steps
    (
        "[{id: one, set: {v: 1}}, {id: two, set: {x: $(steps.one.output.v)}}]",
        &["NotAnAncestor steps[1].set.x -> needs: [one]"],
    ),
    (
        "[{id: one, set: {x: $(steps.one.output)}}]",
        &["NotAnAncestor steps[0].set.x"],
    ),
    (
        "[{id: one, set: {v: 1}}, {id: two, needs: [one], set: {x: $(steps.oen.output)}}]",
        &["UnknownStep steps[1].set.x -> steps.one"],
    ),
    (
        "[{id: one, set: {v: 1}}, {id: two, needs: [one], set: {x: $(steps.one.ouput)}}]",
        &["UnknownName steps[1].set.x -> steps.one.output"],
    ),
    (
        "[{id: one, set: {value: 1}}, {id: two, needs: [one], set: {x: $(steps.one.output.vlaue)}}]",
        &["UnknownField steps[1].set.x -> steps.one.output.value"],
    ),
    (
        "[{id: one, uses: core/http@1, with: {url: x}}, {id: two, needs: [one], set: {x: $(steps.one.output.?statsu)}}]",
        &["UnknownField steps[1].set.x -> steps.one.output.status"],
    ),
    (
        "[{id: one, set: {v: 1}}, {id: two, needs: [one], set: {x: $(steps)}}]",
        &["UnknownName steps[1].set.x"],
    ),
    (
        "{inputs: [{name: o, type: object, required: true, schema: {properties: {name: {type: string}}}}], steps: [{id: a, set: {x: $(inputs.o.nam)}}]}",
        &["UnknownField steps[0].set.x -> inputs.o.name"],
    ),
    // absence
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
        &["NeverRuns? steps[1].needs"],
    ),
    // inputs
    (
        "{inputs: [{name: a, type: string, schema: {type: integer}}, {name: b, type: string, schema: {pattern: \"(\"}}, {name: c, type: integer, default: x}, {name: d, type: string, required: true, default: x}, {name: e, type: object, schema: {$ref: \"http://x.test\"}}], steps: [{id: a, set: {x: 1}}]}",
        &[
            "InvalidSchema inputs[0].schema.type",
            "InvalidSchema inputs[1].schema",
            "InvalidInput inputs[2].default",
            "FieldNotAllowed inputs[3].default",
            "InvalidSchema inputs[4].schema",
        ],
    ),
    // not yet
    (
        "{inputs: [{name: a, type: string, sensitive: true}], triggers: [{id: t, schedule: {cron: '* * * * *'}}], concurrency: {key: x}, steps: [{id: a, set: {x: 1}}]}",
        &[
            "NotSupportedYet inputs[0].sensitive",
            "NotSupportedYet triggers",
            "NotSupportedYet concurrency",
        ],
    ),
    (
        "[{id: a, script: {source: x}}]",
        &["NotSupportedYet steps[0].script"],
    ),
    (
        "[{id: a, container: {image: x}}]",
        &["NotSupportedYet steps[0].container"],
    ),
    (
        "[{id: a, workflow: {name: x}}]",
        &["NotSupportedYet steps[0].workflow"],
    ),
    (
        "[{id: a, switch: {cases: [{name: big, when: 'true'}]}}, {id: b, needs: [a.big], set: {x: 1}}, {id: c, needs: [a.bgi], set: {x: 1}}]",
        &[
            "NotSupportedYet steps[0].switch",
            "UnknownOutcome steps[2].needs[0] -> a.big",
        ],
    ),
    (
        "[{id: a, forEach: {items: []}}]",
        &["NotSupportedYet steps[0].forEach"],
    ),
    (
        "[{id: a, loop: {until: 'true'}}]",
        &["NotSupportedYet steps[0].loop"],
    ),
    (
        "[{id: a, group: {}}, {id: b, in: a, set: {x: 1}}]",
        &["NotSupportedYet steps[0].group", "NotSupportedYet steps[1].in"],
    ),
    ("[{id: a, approval: {}}]", &["NotSupportedYet steps[0].approval"]),
    ("[{id: a, emit: {type: x}}]", &["NotSupportedYet steps[0].emit"]),
    (
        "[{id: a, wait: {until: x}}]",
        &["NotSupportedYet steps[0].wait.until"],
    ),
    (
        "[{id: a, wait: {event: {type: x}}}]",
        &["NotSupportedYet steps[0].wait.event"],
    ),
    (
        "[{id: a, uses: core/log@1, with: {message: {template: x}}, undo: {uses: core/log@1}, cache: {key: x, ttl: 1h}, sensitive: true, budget: {usd: '1'}, runnerClass: x, connection: x}]",
        &[
            "NotSupportedYet steps[0].connection",
            "NotSupportedYet steps[0].undo",
            "NotSupportedYet steps[0].cache",
            "NotSupportedYet steps[0].sensitive",
            "NotSupportedYet steps[0].budget",
            "NotSupportedYet steps[0].runnerClass",
            "NotSupportedYet steps[0].with.message.template",
            "InvalidInput steps[0].with.message",
        ],
    ),
];

#[test]
fn each_problem_has_its_code_its_path_and_its_suggestion() {
    let mut wrong = Vec::new();
    for (text, expected) in CASES {
        let text = if text.starts_with('[') {
            format!("steps: {text}")
        } else {
            (*text).to_owned()
        };
        let found = lines(&text);
        if found != *expected {
            wrong.push(format!("{text}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_manifest() {
    let text = "
inputs: [{name: 1a, type: string}]
timeout: soon
steps:
- {id: a, needs: [x], set: {v: $(inputs.q)}}
- {id: b, uses: core/nope@1}
outputs: {v: $(steps.c.output)}";
    let codes: Vec<String> = problems(text, &Context::default())
        .into_iter()
        .map(|problem| problem.code)
        .collect();
    let expected = [
        "InvalidIdentifier",
        "InvalidDuration",
        "UnknownStep",
        "UnknownInput",
        "UnknownAction",
        "UnknownStep",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn an_expression_error_says_where_in_the_text() {
    let found = problems("- {id: a, set: {x: \"hello $(1 + )\"}}", &Context::default());
    assert!(found[0].message.contains("(at "), "{}", found[0].message);
    let cycle = "- {id: a, needs: [b], set: {x: 1}}\n- {id: b, needs: [a], set: {x: 1}}";
    let cycle = problems(cycle, &Context::default());
    assert_eq!(
        cycle[0].message,
        "these steps wait for each other: a needs b needs a"
    );
}

#[test]
fn variables_of_the_tenant_are_known_or_only_warn() {
    let text = "- {id: a, set: {x: $(vars.region)}}";
    assert_eq!(problems(text, &Context::default())[0].severity, Severity::Warning);
    let known = |names: &[&str]| Context {
        tenant_variables: Some(
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>(),
        ),
    };
    assert!(problems(text, &known(&["region"])).is_empty());
    let found = problems(text, &known(&["regoin"]));
    assert_eq!(
        (found[0].severity, found[0].suggestion.as_deref()),
        (Severity::Error, Some("vars.regoin"))
    );
}

#[test]
fn a_workflow_has_limits() {
    let many: String = (0..501)
        .map(|number| format!("- {{id: s{number}, set: {{x: 1}}}}\n"))
        .collect();
    assert_eq!(lines(&many), ["LimitExceeded steps"]);
    let mut large = spec("- {id: a, set: {x: 1}}");
    large.description = Some("x".repeat(super::SPEC_BYTES));
    assert_eq!(
        compile(&large, &Context::default()).unwrap_err()[0].code,
        "LimitExceeded"
    );
    let long = format!("- {{id: a, set: {{x: \"$({})\"}}}}", "1 + ".repeat(2000) + "1");
    assert_eq!(lines(&long), ["InvalidExpression steps[0].set.x"]);
    let bad: String = (0..500)
        .map(|number| format!("- {{id: s{number}, needs: [nobody], set: {{x: $(nothing)}}}}\n"))
        .collect();
    assert_eq!(lines(&bad).len(), super::PROBLEMS);
}

#[test]
fn the_densest_graph_compiles_in_no_time() {
    let mut text = String::from("steps:\n");
    for step in 0..500_usize {
        let needs: Vec<String> = (step.saturating_sub(100)..step)
            .map(|needed| {
                if needed % 3 == 0 {
                    format!("s{needed}.failed")
                } else {
                    format!("s{needed}")
                }
            })
            .collect();
        text.push_str(&format!(
            "- {{id: s{step}, needs: [{}], set: {{x: 1}}}}\n",
            needs.join(", ")
        ));
    }
    let spec = spec(&text);
    let begin = Instant::now();
    let _ = compile(&spec, &Context::default());
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
