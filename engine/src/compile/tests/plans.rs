//! Plans: what the machine is given.

use super::{Context, compile, spec};

#[test]
fn a_plan_survives_its_way_to_the_runner() {
    let text = "
inputs: [{name: items, type: array, required: true}]
triggers: [{id: hook, webhook: {dedupeKey: $(trigger.body.id)}, inputs: {items: $(trigger.body.items)}}]
concurrency: {key: '$(inputs.items[0])', max: 2}
steps:
- {id: box, group: {result: 1, race: true}, retry: {attempts: 2}, timeout: 5s, budget: {usd: '0.05'}}
- {id: each, in: box, forEach: {items: $(inputs.items), onItemError: Collect, result: $(item)}}
- {id: call, in: each, uses: core/http@1, with: {url: x, json: {a: $(item)}}, cache: {key: x, ttl: 1h}, sensitive: true, undo: {uses: core/http@1, with: {url: z}}}
- {id: repeat, loop: {while: turn.n < 3, init: {n: 0}, next: {n: $(turn.n + 1)}, delay: 0s}}
- {id: wait1, in: repeat, wait: {event: {type: x, match: event.id == 'a', timeout: 1h}}}
- {id: code, script: {source: return 1, input: {a: 1}}, runnerClass: big}
- {id: job, container: {image: x, args: [$(date)], env: {A: $(1)}}}
- {id: sub, workflow: {name: other, await: false}}
- {id: ask, approval: {groups: [a], form: [{name: x, type: string, options: [a]}], selfApproval: Deny, timeout: 1h}}
- {id: pick, switch: {cases: [{name: x, when: 'true'}], default: y}}
- {id: tell, emit: {type: x, data: {a: 1}}}
- {id: no, needs: [pick.y], fail: {code: X, message: $(1)}}
- {id: end, needs: [no.failed], stop: {status: Failed, message: bye}}
";
    let plan = compile(&spec(text), &Context::default()).unwrap().plan;
    let json = serde_json::to_string(&plan).unwrap();
    let read: crate::plan::Plan = serde_json::from_str(&json).unwrap();
    assert_eq!(read, plan);
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
}

#[test]
fn a_template_stays_as_it_is_written() {
    let text = "[{id: a, uses: x/y@1, with: {text: {template: 'a $(b) {{ c }}', data: {c: $(1)}}}}]";
    let plan = compile(&spec(text), &Context::default()).unwrap().plan;
    let with = serde_json::to_value(&plan).unwrap()["steps"][0]["work"]["with"].clone();
    let with: crate::template::With = serde_json::from_value(with).unwrap();
    assert_eq!(with.texts().len(), 1);
}
