//! Whole manifests: all problems at once, and limits.

use cpu_time::ThreadTime;

use super::{Context, agree_in, compile, lines, problems, spec};
use crate::compile::{PROBLEMS, SPEC_BYTES};

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
    assert_eq!(found[0].offset, Some(12));
    assert!(found[0].sentence().ends_with("(at 12)"), "{}", found[0]);
    let cycle = "- {id: a, needs: [b], set: {x: 1}}\n- {id: b, needs: [a], set: {x: 1}}";
    let cycle = problems(cycle, &Context::default());
    assert_eq!(
        cycle[0].message,
        "these steps wait for each other: a needs b needs a"
    );
}

#[test]
fn variables_of_the_tenant_are_known_or_unresolved() {
    let text = "- {id: a, set: {x: $(vars.region)}}";
    let known = |names: &[&str]| Context {
        tenant_variables: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..Context::default()
    };
    agree_in(
        &[(text, &["UnknownVariable? steps[0].set.x"])],
        &Context::default(),
    );
    agree_in(&[(text, &[])], &known(&["region"]));
    agree_in(
        &[(text, &["UnknownVariable? steps[0].set.x -> vars.regoin"])],
        &known(&["regoin"]),
    );
    let compiled = compile(&spec(text), &known(&[])).unwrap();
    assert_eq!((compiled.warnings.len(), compiled.unresolved.len()), (0, 1));
}

#[test]
fn a_workflow_has_limits() {
    let many: String = (0..501)
        .map(|number| format!("- {{id: s{number}, set: {{x: 1}}}}\n"))
        .collect();
    assert_eq!(lines(&many, &Context::default()), ["LimitExceeded steps"]);
    let mut large = spec("- {id: a, set: {x: 1}}");
    large.description = Some("x".repeat(SPEC_BYTES));
    assert_eq!(
        compile(&large, &Context::default()).unwrap_err()[0].code,
        "LimitExceeded"
    );
    let long = format!("- {{id: a, set: {{x: \"$({})\"}}}}", "1 + ".repeat(2000) + "1");
    assert_eq!(
        lines(&long, &Context::default()),
        ["InvalidExpression steps[0].set.x"]
    );
    let bad: String = (0..500)
        .map(|number| format!("- {{id: s{number}, needs: [nobody], set: {{x: $(nothing)}}}}\n"))
        .collect();
    assert_eq!(lines(&bad, &Context::default()).len(), PROBLEMS);
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
    let begin = ThreadTime::now();
    let _ = compile(&spec, &Context::default());
    // Of the processor, whatever else runs; what must not happen grows without end.
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
