use super::super::explain::{Explanation, Scope, explain, places};
use super::*;

const REFUND: &str = r#"
timeout: 48h
variables: {limit: 100}
inputs:
- {name: items, type: array, required: true, schema: {items: {type: object, required: [id], properties: {id: {type: string}}}}}
- {name: note, type: string}
steps:
- {id: guard, group: {result: $(steps.pay.output)}, timeout: 1h}
- {id: size, in: guard, switch: {cases: [{name: large, when: "size(inputs.items) > vars.limit"}], default: small}}
- {id: ask, in: guard, needs: [size.large], approval: {timeout: 24h, form: [{name: why, type: string}]}}
- {id: pay, in: guard, needs: [size.small, ask.approved], forEach: {items: $(inputs.items), result: $(steps.call.output.status)}}
- {id: call, in: pay, when: item.id != "", uses: core/http@1, with: {url: "http://a", method: GET}, retry: {attempts: 4, backoff: 2s},
   timeout: 30s, undo: {uses: core/http@1, with: {url: "http://b"}}}
- {id: again, in: guard, needs: [pay], loop: {until: turn.n > 2, init: {n: 1}, next: {n: "$(turn.n + 1)"}}}
- {id: inner, in: again, wait: {event: {type: paid, match: "event.data.n == turn.n"}}}
- {id: tell, needs: [guard.failed, guard], set: {a: 1}}
"#;

fn explained(id: &str) -> Explanation {
    explain(&spec(REFUND), &Context::default(), id).unwrap()
}

/// `name: type`, with `?` where it may be absent.
fn names(scope: &Scope) -> Vec<String> {
    let name = |name: &super::super::explain::Name| {
        let mark = if name.certain { "" } else { "?" };
        format!("{}{mark}: {}", name.name, name.type_)
    };
    scope.names.iter().map(name).collect()
}

/// Names of a scope that begin so.
fn below(id: &str, scope: usize, start: &str) -> Vec<String> {
    let explanation = explained(id);
    let names = names(&explanation.reads[scope]);
    names.into_iter().filter(|name| name.starts_with(start)).collect()
}

#[test]
fn edges_are_seen_from_both_sides() {
    let ask = explained("ask").place;
    assert_eq!(
        (ask.kind.as_deref(), ask.path.as_str()),
        (Some("approval"), "spec.steps[2]")
    );
    assert_eq!(
        (ask.needs[0].step.as_str(), ask.needs[0].outcomes.as_slice()),
        ("size", ["large".to_owned()].as_slice())
    );
    assert_eq!(
        (ask.leads_to[0].step.as_str(), ask.leads_to[0].outcomes.as_slice()),
        ("pay", ["approved".to_owned()].as_slice())
    );
    assert_eq!(explained("call").place.inside, ["guard", "pay"]);
    assert_eq!(explained("tell").place.needs[0].outcomes, ["failed", "succeeded"]);
    let all = places(&spec(REFUND), &Context::default());
    assert_eq!(all.len(), 8);
    assert_eq!(all[2], ask);
}

#[test]
fn outcomes_are_those_that_can_come() {
    let outcomes = |id: &str| explained(id).place.outcomes.join(" ");
    assert_eq!(outcomes("size"), "large small failed skipped cancelled");
    assert_eq!(
        outcomes("ask"),
        "approved rejected expired failed skipped cancelled"
    );
    // Without `Collect` and without a timeout.
    assert_eq!(outcomes("pay"), "succeeded failed skipped cancelled");
    assert_eq!(outcomes("inner"), "succeeded failed skipped cancelled");
}

#[test]
fn what_may_be_read_has_a_type_and_may_be_absent() {
    assert_eq!(
        below("size", 0, "inputs"),
        [
            "inputs.items: list of map",
            "inputs.items[].id: string",
            "inputs.note?: string"
        ]
    );
    assert_eq!(below("size", 0, "vars"), ["vars.limit: int"]);
    assert_eq!(below("size", 0, "steps"), [""; 0]);
    // Not certain to have been asked; and nothing has failed on the way here.
    assert!(below("pay", 0, "steps.ask.output").contains(&"steps.ask.output.form.why?: string".to_owned()));
    assert_eq!(below("pay", 0, "steps.size.error"), [""; 0]);
    assert_eq!(below("call", 0, "item"), ["item: map", "item.id: string"]);
    assert_eq!(below("call", 0, "blocks"), [""; 0]);
    assert_eq!(below("call", 0, "steps.call"), [""; 0]);
    assert_eq!(below("inner", 0, "turn"), ["turn.n: int", "turn.index: int"]);
    assert_eq!(
        below("tell", 0, "steps.guard.output"),
        ["steps.guard.output?: list of int"]
    );
}

#[test]
fn some_fields_see_more_than_the_others() {
    let in_fields = |id: &str| -> Vec<String> {
        explained(id)
            .reads
            .into_iter()
            .filter_map(|scope| scope.fields)
            .collect()
    };
    assert_eq!(in_fields("call"), ["undo"]);
    assert_eq!(
        below("call", 1, "")[..2],
        ["steps.call.output: map", "steps.call.output.status: int"]
    );
    assert_eq!(in_fields("inner"), ["wait.event.match"]);
    assert_eq!(below("inner", 1, "event.type"), ["event.type: string"]);
    assert_eq!(
        in_fields("again"),
        ["loop.while, loop.delay", "loop.next, loop.until"]
    );
    assert_eq!(below("again", 1, ""), ["turn.n: int", "turn.index: int"]);
    assert!(below("again", 2, "").contains(&"steps.inner.output: map".to_owned()));
    assert_eq!(in_fields("guard"), ["group.result"]);
}

#[test]
fn what_an_action_takes_and_what_limits_it_is_said() {
    let call = explained("call");
    let action = call.action.unwrap();
    // A literal GET only reads.
    assert_eq!(
        (action.name.as_str(), action.effect),
        ("core/http@1", crate::action::Effect::Read)
    );
    assert_eq!(action.input["required"], serde_json::json!(["url"]));
    assert_eq!(
        (
            call.attempts.max,
            call.attempts.backoff_ms,
            call.attempts.max_backoff_ms
        ),
        (4, 2_000, 60_000)
    );
    assert!(call.attempts.codes.contains(&"Unavailable".to_owned()));
    let limits: Vec<String> = call
        .timeouts
        .iter()
        .map(|limit| format!("{} {}", limit.of, limit.value))
        .collect();
    assert_eq!(limits, ["step 30s", "guard 1h", "run 48h"]);
    let output: Vec<&str> = call.output.iter().map(|name| name.name.as_str()).collect();
    assert_eq!(output[..2], ["steps.call.output", "steps.call.output.status"]);
    assert_eq!(explained("size").output, []);
    assert_eq!(
        (
            explained("ask").attempts.max,
            explained("ask").timeouts[0].value.as_str()
        ),
        (1, "24h")
    );
}

#[test]
fn a_workflow_that_is_wrong_is_explained_all_the_same() {
    let wrong = spec(
        "[{id: a, set: {x: $(steps.b.output)}}, {id: b, needs: [a, nobody], set: {y: $(missing.z)}}, {id: c}]",
    );
    let explanation = explain(&wrong, &Context::default(), "b").unwrap();
    assert_eq!(names(&explanation.reads[0])[0], "steps.a.output: map");
    let nothing = explain(&wrong, &Context::default(), "c").unwrap();
    assert_eq!(
        (nothing.place.kind, nothing.timeouts[0].value.as_str()),
        (None, "720h")
    );
    assert_eq!(explain(&wrong, &Context::default(), "d"), None);
}

#[test]
fn what_is_said_to_be_there_can_be_read_as_it_stands() {
    let whole = spec(REFUND);
    let mut count = 0;
    for step in 0..whole.steps.len() {
        let explanation = explain(&whole, &Context::default(), &whole.steps[step].id).unwrap();
        for name in explanation.reads[0]
            .names
            .iter()
            .filter(|name| !name.name.contains("[]"))
        {
            let mut reading = whole.clone();
            reading.steps[step].when = Some(format!("size([{}]) == 1", name.name));
            let path = format!("spec.steps[{step}].when");
            let found = match compile(&reading, &Context::default()) {
                Ok(compiled) => compiled.findings(),
                Err(problems) => problems,
            };
            let said = found
                .iter()
                .any(|problem| problem.path == path && problem.code == "MayBeAbsent");
            // Fields that a schema leaves open are known when they are read.
            assert!(
                !(said && name.certain),
                "{} in {}",
                name.name,
                explanation.place.id
            );
            assert!(
                found
                    .iter()
                    .all(|problem| problem.path != path || problem.code == "MayBeAbsent"),
                "{found:?}"
            );
            count += 1;
        }
    }
    assert!(count > 100, "only {count} names");
}
