//! What came of a test against what was expected.

use flowpilot_engine::problem::Problem;
use flowpilot_engine::simulation::{Report, StepReport};
use serde_json::{Map, Value, json};

use super::calls;
use super::case::Happened;
pub(crate) use super::difference::Difference;
use super::expect::{Expect, Pattern};
use super::fields::written;
use super::matching::{Bound, compare};

/// Everything that did not come as expected.
pub(crate) fn differences(expect: &Expect, happened: &Happened) -> Vec<Difference> {
    let mut found = Vec::new();
    match happened {
        Happened::Nothing(why) => found.push(Difference::new("workflow", "one that can be read", why)),
        Happened::Rejected(problems) if expect.admission_rejected => {
            found.extend(problem("admission", &expect.problem, problems));
        }
        Happened::Rejected(problems) => {
            found.push(Difference::new(
                "admission",
                "ok",
                format!("rejected: {}", words(problems)),
            ));
        }
        Happened::Refused(warnings, problems) => {
            found.extend(admission(expect, warnings));
            if expect.start_rejected {
                found.extend(problem("start", &expect.problem, problems));
            } else if !expect.admission_rejected {
                found.push(Difference::new(
                    "start",
                    "ok",
                    format!("rejected: {}", words(problems)),
                ));
            }
        }
        Happened::Ran(warnings, report) => {
            found.extend(admission(expect, warnings));
            if expect.start_rejected {
                found.push(Difference::new("start", "rejected", "the run started"));
            } else if !expect.admission_rejected {
                run(expect, report, &mut found);
            }
        }
    }
    found
}

fn admission(expect: &Expect, warnings: &[Problem]) -> Vec<Difference> {
    if expect.admission_rejected {
        let pattern = expect.problem.words();
        return vec![Difference::new("admission", format!("rejected{pattern}"), "ok")];
    }
    let missing = expect
        .warnings
        .iter()
        .filter(|pattern| !warnings.iter().any(|warning| pattern.fits(warning)));
    missing
        .map(|pattern| Difference::new("warnings", pattern.words().trim(), words(warnings)))
        .collect()
}

fn problem(place: &str, pattern: &Pattern, problems: &[Problem]) -> Option<Difference> {
    if problems.iter().any(|problem| pattern.fits(problem)) {
        return None;
    }
    Some(Difference::new(
        place,
        format!("rejected{}", pattern.words()),
        words(problems),
    ))
}

impl Pattern {
    fn fits(&self, problem: &Problem) -> bool {
        let at_or_below = |path: &String| {
            problem
                .path
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let text = problem.to_string();
        self.path.as_ref().is_none_or(at_or_below)
            && self.contains.iter().all(|word| text.contains(word.as_str()))
    }

    fn words(&self) -> String {
        let path = self
            .path
            .as_ref()
            .map(|path| format!(" at {path}"))
            .unwrap_or_default();
        let contains = if self.contains.is_empty() {
            String::new()
        } else {
            format!(" with the words {}", self.contains.join(", "))
        };
        format!("{path}{contains}")
    }
}

fn words(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return "nothing".to_owned();
    }
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn run(expect: &Expect, report: &Report, found: &mut Vec<Difference>) {
    if let Some(fault) = &report.fault {
        found.push(Difference::new("simulation", "to go on", fault));
    }
    let status = report.status.as_str();
    if let Some(expected) = expect.status
        && expected != status
    {
        let error = report
            .error
            .as_ref()
            .map(|error| format!(": {}: {}", error.code, error.message));
        found.push(Difference::new(
            "status",
            expected,
            format!("{status}{}", error.unwrap_or_default()),
        ));
    }
    let mut bound = Bound::new();
    let mut differ = |expected: &Value, actual: Option<&Value>, path: &str, found: &mut Vec<Difference>| {
        if let Err(mismatch) = compare(expected, actual, path, &mut bound) {
            found.push(Difference::of(&mismatch));
        }
    };
    if let Some(fields) = &expect.error {
        let error = serde_json::to_value(&report.error).unwrap_or_default();
        for (name, expected) in fields {
            let absent = if name == "mayHaveHappened" {
                Some(json!(false))
            } else {
                None
            };
            let actual = error.get(name).cloned().or(absent.filter(|_| !error.is_null()));
            differ(expected, actual.as_ref(), &format!("error.{name}"), found);
        }
    }
    if let Some(expected) = expect.ended_at
        && !report.ended_at.is_some_and(|at| expected.holds(at))
    {
        let actual = report
            .ended_at
            .map_or_else(|| "it did not end".to_owned(), written);
        found.push(Difference::new("endedAt", expected.words(), actual));
    }
    if let Some(expected) = &expect.outputs {
        let outputs = report.outputs.clone().map(Value::Object);
        // A workflow without outputs gives none, as a run that failed does: the same as nothing in them.
        let none = report.status.as_str() == "Succeeded" || *expected == json!({});
        let outputs = outputs.or_else(|| none.then(|| json!({})));
        differ(expected, outputs.as_ref(), "outputs", found);
    }
    for (path, fields) in &expect.steps {
        let actual = report.steps.get(path).map(step).unwrap_or_default();
        if actual.is_empty() {
            let near = report
                .steps
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            found.push(Difference::new(
                format!("steps.{path}"),
                "a step",
                format!("there are {near}"),
            ));
            continue;
        }
        for (name, expected) in fields {
            differ(expected, actual.get(name), &format!("steps.{path}.{name}"), found);
        }
    }
    for path in &expect.absent {
        if let Some(step) = report
            .steps
            .get(path)
            .filter(|step| !matches!(outcome(step), "skipped" | "pending"))
        {
            found.push(Difference::new(
                format!("steps.{path}"),
                "not to run",
                outcome(step),
            ));
        }
    }
    if let Some(expected) = &expect.calls {
        calls::check(expected, &report.calls, &mut bound, found);
    }
}

/// A step's end in one word.
pub(crate) fn outcome(step: &StepReport) -> &'static str {
    use flowpilot_engine::run::StepState as State;
    match step.state {
        State::Pending => "pending",
        State::Running => "running",
        State::Waiting => "waiting",
        State::Retrying => "retrying",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Skipped => "skipped",
        State::Cancelled => "cancelled",
    }
}

/// What can be expected of a step.
pub(crate) fn step(step: &StepReport) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("outcome", Some(json!(outcome(step))));
    put("named", step.named.as_ref().map(|named| json!(named)));
    put("reason", step.reason.map(|reason| json!(reason)));
    let error = step.error.as_ref();
    put("code", error.map(|error| json!(error.code)));
    put("message", error.map(|error| json!(error.message)));
    put("attempts", Some(json!(step.attempts)));
    put("output", step.output.clone());
    put("failures", step.failures.clone());
    put("error", error.map(|error| json!(error)));
    put("details", error.and_then(|error| error.details.clone()));
    put(
        "mayHaveHappened",
        Some(json!(error.is_some_and(|error| error.may_have_happened))),
    );
    put("startedAt", step.started_at.map(|at| json!(at.to_string())));
    put("endedAt", step.ended_at.map(|at| json!(at.to_string())));
    fields
}
