//! What left the engine against what was expected to.

use flowpilot_engine::simulation::{Call, Called};
use serde_json::{Map, Value};

use super::difference::Difference;
use super::expect::{Calls, ExpectedCall};
use super::fields::written;
use super::flow;
use super::matching::{Bound, compare};

/// Calls that are matched in any order by trying: more are taken one after the other.
const TRIED: usize = 200;

/// Adds what differs.
pub(crate) fn check(expected: &Calls, calls: &[Call], bound: &mut Bound, found: &mut Vec<Difference>) {
    let calls: Vec<&Call> = calls.iter().filter(|call| counts(call, expected)).collect();
    match expected {
        Calls::Exactly(list) => in_order(list, &calls, bound, found),
        Calls::About {
            unordered,
            includes,
            excludes,
            count,
            before,
        } => {
            if let Some(list) = unordered {
                in_any_order("calls.unordered", list, &calls, bound, found);
                if list.len() < calls.len() {
                    let all = calls
                        .iter()
                        .map(|call| shown(call))
                        .collect::<Vec<_>>()
                        .join("\n");
                    found.push(Difference::new("calls", format!("{} calls", list.len()), all));
                }
            }
            in_any_order("calls.includes", includes, &calls, bound, found);
            for step in excludes {
                if let Some(call) = calls.iter().find(|call| is_of(call, step)) {
                    found.push(Difference::new(
                        "calls.excludes",
                        format!("no call of {step}"),
                        shown(call),
                    ));
                }
            }
            for (step, number) in count {
                let actual = calls.iter().filter(|call| is_of(call, step)).count();
                if actual as u64 != *number {
                    found.push(Difference::new(
                        format!("calls.count.{step}"),
                        number.to_string(),
                        actual.to_string(),
                    ));
                }
            }
            for (first, second) in before {
                let position = |step: &str| calls.iter().position(|call| is_of(call, step));
                let (left, right) = (position(first), position(second));
                if !matches!((left, right), (Some(left), Some(right)) if left < right) {
                    let order: Vec<&str> = calls.iter().map(|call| call.step.as_str()).collect();
                    found.push(Difference::new(
                        "calls.before",
                        format!("{first} before {second}"),
                        order.join(", "),
                    ));
                }
            }
        }
    }
}

/// Questions to people are calls only for who names them.
fn counts(call: &Call, expected: &Calls) -> bool {
    if !matches!(call.what, Called::Approval { .. }) {
        return true;
    }
    let named = |list: &[ExpectedCall]| {
        list.iter()
            .any(|expected| expected.fields.get("step").and_then(Value::as_str) == Some(&call.step))
    };
    match expected {
        Calls::Exactly(list) => named(list),
        Calls::About {
            unordered,
            includes,
            excludes,
            count,
            before,
        } => {
            unordered.as_deref().is_some_and(named)
                || named(includes)
                || excludes.iter().any(|step| is_of(call, step))
                || count.iter().any(|(step, _)| is_of(call, step))
                || before
                    .iter()
                    .any(|(first, second)| is_of(call, first) || is_of(call, second))
        }
    }
}

/// A call of a step, by path or, where a name is given, in whatever block; `x.undo` is its undo.
fn is_of(call: &Call, step: &str) -> bool {
    let (step, undo) = step
        .strip_suffix(".undo")
        .map_or((step, false), |step| (step, true));
    let last = call.step.rsplit(['.', '/']).next().unwrap_or_default();
    call.undo == undo && (call.step == step || last == step)
}

fn in_order(list: &[ExpectedCall], calls: &[&Call], bound: &mut Bound, found: &mut Vec<Difference>) {
    for number in 0..list.len().max(calls.len()) {
        let place = format!("calls[{number}]");
        match (list.get(number), calls.get(number)) {
            (Some(expected), Some(call)) => {
                if let Err(difference) = one(expected, call, &place, bound) {
                    found.push(difference);
                    // What comes behind is only off by one.
                    if expected.fields.get("step").and_then(Value::as_str) != Some(&call.step) {
                        let rest = |from: usize| {
                            calls
                                .iter()
                                .skip(from)
                                .map(|call| call.step.as_str())
                                .collect::<Vec<_>>()
                                .join(", ")
                        };
                        let wanted: Vec<_> = list
                            .iter()
                            .skip(number)
                            .map(|call| call.fields.get("step").and_then(Value::as_str).unwrap_or("?"))
                            .collect();
                        found.push(Difference::new("calls", wanted.join(", "), rest(number)));
                        return;
                    }
                }
            }
            (Some(expected), None) => found.push(Difference::new(place, expected.words(), "no more calls")),
            (None, Some(call)) => found.push(Difference::new(place, "no more calls", shown(call))),
            (None, None) => {}
        }
    }
}

/// Every expected call has one of its own among the calls.
fn in_any_order(
    place: &str,
    list: &[ExpectedCall],
    calls: &[&Call],
    bound: &mut Bound,
    found: &mut Vec<Difference>,
) {
    let mut taken = vec![false; calls.len()];
    let tries = list.len() <= TRIED;
    if tries && let Some(bindings) = assign(list, calls, &mut taken, bound, &mut 100_000) {
        *bound = bindings;
        return;
    }
    // Not all of them fit: say which, taking the first that fits for each.
    taken.fill(false);
    for (number, expected) in list.iter().enumerate() {
        let fits = (0..calls.len()).find(|call| {
            let mut trial = bound.clone();
            let fits = !taken[*call] && one(expected, calls[*call], "", &mut trial).is_ok();
            if fits {
                *bound = trial;
            }
            fits
        });
        if let Some(call) = fits {
            taken[call] = true;
        } else {
            let same = calls.iter().zip(&taken).filter(|(call, taken)| {
                !**taken && expected.fields.get("step").and_then(Value::as_str) == Some(&call.step)
            });
            let near = same.map(|(call, _)| shown(call)).collect::<Vec<_>>().join("\n");
            let near = if near.is_empty() {
                calls
                    .iter()
                    .map(|call| shown(call))
                    .collect::<Vec<_>>()
                    .join("\n")
            } else {
                near
            };
            found.push(Difference::new(
                format!("{place}[{number}]"),
                expected.words(),
                near,
            ));
        }
    }
}

/// Bindings under which every expected call has one of its own.
fn assign(
    list: &[ExpectedCall],
    calls: &[&Call],
    taken: &mut [bool],
    bound: &Bound,
    tries: &mut u32,
) -> Option<Bound> {
    let Some((expected, rest)) = list.split_first() else {
        return Some(bound.clone());
    };
    for number in 0..calls.len() {
        *tries = tries.checked_sub(1)?;
        if taken[number] {
            continue;
        }
        let mut trial = bound.clone();
        if one(expected, calls[number], "", &mut trial).is_ok() {
            taken[number] = true;
            if let Some(bindings) = assign(rest, calls, taken, &trial, tries) {
                return Some(bindings);
            }
            taken[number] = false;
        }
    }
    None
}

/// Compares what was written of a call.
fn one(expected: &ExpectedCall, call: &Call, place: &str, bound: &mut Bound) -> Result<(), Difference> {
    let actual = call.document();
    for (name, value) in &expected.fields {
        compare(value, actual.get(name), &super::fields::join(place, name), bound).map_err(|mismatch| {
            let mut difference = Difference::of(&mismatch);
            if name != "step" {
                difference.place = format!("{} ({})", difference.place, call.step);
            }
            difference
        })?;
    }
    match expected.at {
        Some(moment) if !moment.holds(call.at) => {
            let place = format!("{} ({})", super::fields::join(place, "at"), call.step);
            Err(Difference::new(place, moment.words(), written(call.at)))
        }
        _ => Ok(()),
    }
}

impl ExpectedCall {
    fn words(&self) -> String {
        let mut fields = self.fields.clone();
        if let Some(at) = self.at {
            fields.insert("at".to_owned(), Value::String(at.words()));
        }
        flow::map(&fields)
    }
}

/// A call in one line.
pub(crate) fn shown(call: &Call) -> String {
    flow::map(&summary(call))
}

/// What tells a call: everything but what is as usual.
pub(crate) fn summary(call: &Call) -> Map<String, Value> {
    let mut fields = call.document();
    let at = Value::String(written(call.at));
    for name in ["undo", "cancelled"] {
        if fields.get(name) == Some(&Value::Bool(false)) {
            fields.shift_remove(name);
        }
    }
    if call.attempt == 1 {
        fields.shift_remove("attempt");
    }
    if fields.contains_key("uses") || fields.contains_key("workflow") {
        fields.shift_remove("kind");
    }
    let mut summary = Map::new();
    if let Some(step) = fields.shift_remove("step") {
        summary.insert("step".to_owned(), step);
    }
    summary.insert("at".to_owned(), at);
    summary.extend(fields);
    summary
}
