//! Writing what happened into `expect`, and leaving everything else in the file as it is.

use std::ops::Range;

use flowpilot_engine::problem::Problem;
use flowpilot_engine::simulation::{Call, Report, Status};
use serde_json::{Map, Value, json};

use super::calls;
use super::case::{Happened, Outcome};
use super::expect::CALL_FIELDS;
use super::fields::written;
use super::flow;
use super::matching::{Bound, compare};
use super::verdict;

/// The text of a document with what happened in `expect`; nothing if it needs no change.
pub(crate) fn updated(text: &str, object: &Value, result: &Outcome) -> Option<String> {
    let old = object
        .get("expect")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    // A test that expects nothing yet is filled in, though nothing differs.
    if result.differences.is_empty() && !old.is_empty() {
        return None;
    }
    let new = expectation(&old, result)?;
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(range) = section(&lines, 0..lines.len(), "expect", 0) {
        let kept = kept(&lines, &range, &old, &new);
        lines.splice(range, kept);
    } else {
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push('\n');
        }
        lines.push("expect:\n".to_owned());
        lines.extend(new.iter().flat_map(|(name, value)| entry(name, value, 2)));
    }
    Some(lines.concat())
}

/// The lines of a key at this indent: from its own to before the next one, without comments and blanks behind.
fn section(lines: &[String], within: Range<usize>, key: &str, indent: usize) -> Option<Range<usize>> {
    let is_at = |line: &str| line.len() - line.trim_start().len() == indent && !line.trim().is_empty();
    let names = |line: &str| {
        let rest = line.trim_start().strip_prefix(key);
        rest.is_some_and(|rest| rest.starts_with(':'))
    };
    let start = within
        .clone()
        .find(|number| is_at(&lines[*number]) && names(&lines[*number]))?;
    let ends = |line: &str| {
        let inner = line.trim_start();
        line.len() - inner.len() <= indent
            && !inner.is_empty()
            && !(inner.starts_with("- ") && line.len() - inner.len() == indent)
    };
    let mut end = (start + 1..within.end)
        .find(|number| ends(&lines[*number]))
        .unwrap_or(within.end);
    while end > start + 1
        && (lines[end - 1].trim().is_empty() || lines[end - 1].trim_start().starts_with('#'))
    {
        end -= 1;
    }
    Some(start..end)
}

/// The lines of the new `expect`: what still holds stands as it was written.
fn kept(
    lines: &[String],
    range: &Range<usize>,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Vec<String> {
    let head = lines[range.start].trim_end();
    let inner = lines.get(range.start + 1).filter(|_| range.len() > 1);
    let is_block = head
        .strip_prefix("expect:")
        .is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'));
    let indent = inner
        .map_or(2, |line| line.len() - line.trim_start().len())
        .max(1);
    let mut out = Vec::new();
    if !is_block {
        out.push("expect:\n".to_owned());
        out.extend(new.iter().flat_map(|(name, value)| entry(name, value, 2)));
        return out;
    }
    let within = range.start + 1..range.end;
    let mut edits: Vec<(Range<usize>, Vec<String>)> = Vec::new();
    let mut added = Vec::new();
    for (name, value) in old {
        if new.get(name) != Some(value)
            && let Some(section) = section(lines, within.clone(), name, indent)
        {
            let fresh = new
                .get(name)
                .map(|value| entry(name, value, indent))
                .unwrap_or_default();
            edits.push((section, fresh));
        }
    }
    for (name, value) in new {
        if !old.contains_key(name) {
            added.extend(entry(name, value, indent));
        }
    }
    edits.sort_by_key(|(section, _)| section.start);
    let mut at = range.start;
    for (section, fresh) in edits {
        out.extend(lines[at..section.start].iter().cloned());
        out.extend(fresh);
        at = section.end;
    }
    out.extend(lines[at..range.end].iter().cloned());
    if let Some(last) = out.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
    }
    out.extend(added);
    out
}

/// The lines of one key. Lists of maps and `steps` have a line per entry.
fn entry(name: &str, value: &Value, indent: usize) -> Vec<String> {
    let space = " ".repeat(indent);
    let by_line = matches!(value, Value::Array(items) if items.iter().any(Value::is_object));
    match value {
        Value::Array(items) if by_line => {
            let mut lines = vec![format!("{space}{name}:\n")];
            lines.extend(
                items
                    .iter()
                    .map(|item| format!("{space}- {}\n", flow::value(item))),
            );
            lines
        }
        Value::Object(fields) if name == "steps" && !fields.is_empty() => {
            let mut lines = vec![format!("{space}{name}:\n")];
            let inner = fields.iter();
            lines.extend(
                inner.map(|(step, value)| {
                    format!("{space}  {}: {}\n", flow::scalar(step), flow::value(value))
                }),
            );
            lines
        }
        _ => vec![format!("{space}{name}: {}\n", flow::value(value))],
    }
}

/// What is expected of a run.
const OF_RUNS: [&str; 8] = [
    "status",
    "error",
    "warnings",
    "endedAt",
    "outputs",
    "steps",
    "absentSteps",
    "calls",
];

/// What `expect` has to say.
fn expectation(old: &Map<String, Value>, result: &Outcome) -> Option<Map<String, Value>> {
    let mut new = old.clone();
    let without = |new: &mut Map<String, Value>, names: &[&str]| {
        for name in names {
            new.shift_remove(*name);
        }
    };
    match &result.happened {
        Happened::Nothing(_) => return None,
        Happened::Rejected(problems) => {
            without(&mut new, &OF_RUNS);
            without(&mut new, &["start", "path", "contains"]);
            new.insert("admission".to_owned(), json!("rejected"));
            pattern(&mut new, problems);
        }
        Happened::Refused(_, problems) => {
            without(&mut new, &OF_RUNS);
            without(&mut new, &["admission", "path", "contains"]);
            new.insert("start".to_owned(), json!("rejected"));
            pattern(&mut new, problems);
        }
        Happened::Ran(_, report) => {
            without(&mut new, &["start", "path", "contains"]);
            if new.contains_key("admission") {
                new.insert("admission".to_owned(), json!("ok"));
            }
            let says_nothing = !OF_RUNS.iter().any(|name| new.contains_key(*name));
            if says_nothing {
                everything(&mut new, report);
            } else {
                corrected(&mut new, result, report);
            }
        }
    }
    Some(new)
}

fn pattern(new: &mut Map<String, Value>, problems: &[Problem]) {
    if let Some(first) = problems.first() {
        new.insert("path".to_owned(), json!(first.path));
    }
}

/// All that can be said of a run.
fn everything(new: &mut Map<String, Value>, report: &Report) {
    new.insert("status".to_owned(), json!(report.status.as_str()));
    if let Some(error) = error(report) {
        new.insert("error".to_owned(), error);
    }
    if let Some(at) = report.ended_at {
        new.insert("endedAt".to_owned(), json!(written(at)));
    }
    if let Some(outputs) = report.outputs.as_ref().filter(|outputs| !outputs.is_empty()) {
        new.insert("outputs".to_owned(), json!(outputs));
    }
    let mut steps: Vec<_> = report.steps.iter().collect();
    steps.sort_by_key(|(_, step)| step.order);
    let fields = ["outcome", "named", "reason", "code"];
    let steps = steps.into_iter().map(|(path, report)| {
        let all = verdict::step(report);
        let told = fields
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), all.get(*name)?.clone())));
        (path.clone(), Value::Object(told.collect()))
    });
    new.insert("steps".to_owned(), Value::Object(steps.collect()));
    let listed: Vec<Value> = told(&report.calls)
        .map(|call| Value::Object(calls::summary(call)))
        .collect();
    new.insert("calls".to_owned(), json!(listed));
}

fn error(report: &Report) -> Option<Value> {
    let error = report
        .error
        .as_ref()
        .filter(|_| report.status == Status::Failed)?;
    let mut fields = Map::new();
    fields.insert("code".to_owned(), json!(error.code));
    if let Some(step) = &error.step {
        fields.insert("step".to_owned(), json!(step));
    }
    Some(Value::Object(fields))
}

fn told(calls: &[Call]) -> impl Iterator<Item = &Call> {
    calls.iter().filter(|call| call.what.kind() != "approval")
}

/// What was said and did not hold says what happened.
fn corrected(new: &mut Map<String, Value>, result: &Outcome, report: &Report) {
    let differs = |name: &str| {
        result.differences.iter().any(|difference| {
            difference
                .place
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    if differs("status") {
        new.insert("status".to_owned(), json!(report.status.as_str()));
    }
    if differs("error") {
        match error(report) {
            Some(error) => new.insert("error".to_owned(), error),
            None => new.shift_remove("error"),
        };
    }
    if differs("endedAt") {
        match report.ended_at {
            Some(at) => new.insert("endedAt".to_owned(), json!(written(at))),
            None => new.shift_remove("endedAt"),
        };
    }
    if differs("outputs") {
        match &report.outputs {
            Some(outputs) => new.insert("outputs".to_owned(), json!(outputs)),
            None => new.shift_remove("outputs"),
        };
    }
    if differs("warnings") {
        new.shift_remove("warnings");
    }
    if let Some(Value::Array(paths)) = new.get_mut("absentSteps") {
        paths.retain(|path| {
            !path
                .as_str()
                .is_some_and(|path| differs(&format!("steps.{path}")))
        });
    }
    if let Some(Value::Object(steps)) = new.get_mut("steps") {
        steps.retain(|path, _| report.steps.contains_key(path));
        for (path, fields) in steps {
            let actual = verdict::step(&report.steps[path]);
            let Some(fields) = fields.as_object_mut() else {
                continue;
            };
            let missing: Vec<String> = fields
                .keys()
                .filter(|name| !actual.contains_key(*name))
                .cloned()
                .collect();
            without(fields, &missing);
            for (name, value) in fields {
                if compare(value, actual.get(name), "", &mut Bound::new()).is_err() {
                    *value = actual[name].clone();
                }
            }
        }
    }
    if differs("calls")
        && let Some(calls) = new.get_mut("calls")
    {
        *calls = called(calls, report);
    }
}

fn without(fields: &mut Map<String, Value>, names: &[String]) {
    for name in names {
        fields.shift_remove(name);
    }
}

/// The calls, said with the fields that were said before.
fn called(old: &Value, report: &Report) -> Value {
    let said: Vec<&str> = match old {
        Value::Array(items) => {
            let named = |name: &&str| items.iter().any(|item| item.get(*name).is_some());
            CALL_FIELDS.into_iter().filter(named).collect()
        }
        _ => Vec::new(),
    };
    let listed = told(&report.calls).map(|call| {
        let mut fields = calls::summary(call);
        if !said.is_empty() {
            fields.retain(|name, _| name == "step" || name == "undo" || said.contains(&name.as_str()));
        }
        Value::Object(fields)
    });
    let listed: Vec<Value> = listed.collect();
    if old.is_array() {
        json!(listed)
    } else {
        json!({"unordered": listed})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written_anew() {
        let text = "why: x\nexpect: # all of it\n  status: Failed # no\n  # comment\n  endedAt: 5s\n  calls:\n  - {step: a}\n\n# behind\n";
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let range = section(&lines, 0..lines.len(), "expect", 0).unwrap();
        assert_eq!(range, 1..7);
        let old = json!({"status": "Failed", "endedAt": "5s", "calls": [{"step": "a"}]});
        let new =
            json!({"status": "Succeeded", "endedAt": "5s", "calls": [{"step": "b"}], "outputs": {"n": 1}});
        let kept = kept(&lines, &range, old.as_object().unwrap(), new.as_object().unwrap());
        assert_eq!(
            kept.concat(),
            "expect: # all of it\n  status: Succeeded\n  # comment\n  endedAt: 5s\n  calls:\n  - {step: b}\n  outputs: {n: 1}\n"
        );
    }
}
