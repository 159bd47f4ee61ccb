//! A test's result for people.

use flowpilot_engine::journal::Event;
use flowpilot_engine::simulation::Report;

use super::case::{Case, Happened, Outcome};
use super::verdict::outcome;

/// Events of the journal's end that are shown.
const EVENTS: usize = 12;

/// One line: how it went and what it is called.
pub(crate) fn line(case: &Case, result: &Outcome, file: &str) -> String {
    let word = if result.differences.is_empty() {
        "ok    "
    } else {
        "FAILED"
    };
    format!("{word} {} ({file}:{})", case.test.name, case.line)
}

/// Why a test failed.
pub(crate) fn details(case: &Case, result: &Outcome) -> String {
    let mut text = String::new();
    let mut put = |line: &str| {
        text.push_str("    ");
        text.push_str(line);
        text.push('\n');
    };
    if !case.test.why.is_empty() {
        put(&format!("why: {}", case.test.why));
    }
    for difference in &result.differences {
        put(&format!("{}:", difference.place));
        put(&format!("  expected: {}", indented(&difference.expected)));
        put(&format!("  actual:   {}", indented(&difference.actual)));
    }
    if let Happened::Ran(_, report) = &result.happened {
        put(&format!("path: {}", path(report)));
        for refused in &report.refused {
            put(&format!("refused: {refused}"));
        }
        for (key, meant) in &result.strays {
            let hint = meant.as_ref().map(|id| format!("; did you mean `{id}`?"));
            put(&format!(
                "mocks.{key}: there is no such step{}",
                hint.unwrap_or_default()
            ));
        }
        put("journal:");
        let skipped = report.journal.len().saturating_sub(EVENTS);
        if skipped > 0 {
            put(&format!("  … {skipped} events before"));
        }
        for event in &report.journal[skipped..] {
            put(&format!("  {}", journal_line(event, report)));
        }
    }
    text
}

/// Several lines, under the first one.
fn indented(text: &str) -> String {
    text.replace('\n', "\n              ")
}

/// The path a run took: its steps in the order in which they began, with their ends.
pub(crate) fn path(report: &Report) -> String {
    let mut steps: Vec<_> = report.steps.iter().collect();
    steps.sort_by_key(|(_, step)| (step.started_at.is_none(), step.started_at, step.order));
    let words = steps.into_iter().map(|(path, step)| {
        let end = outcome(step);
        let detail = step.named.clone().or_else(|| match (step.reason, &step.error) {
            (Some(reason), _) => Some(format!("{reason:?}")),
            (None, Some(error)) if end == "failed" => Some(error.code.clone()),
            _ => None,
        });
        match (end, detail) {
            ("succeeded", None) => path.clone(),
            ("succeeded", Some(named)) => format!("{path}={named}"),
            (end, Some(detail)) => format!("{path}:{end}({detail})"),
            (end, None) => format!("{path}:{end}"),
        }
    });
    words.collect::<Vec<_>>().join(" -> ")
}

fn journal_line(event: &Event, report: &Report) -> String {
    let json = serde_json::to_value(event).unwrap_or_default();
    let mut fields = json.as_object().cloned().unwrap_or_default();
    let kind = fields.shift_remove("type");
    fields.shift_remove("at");
    let start = report.journal.first().map_or(event.at(), Event::at);
    let at = super::fields::written(event.at().duration_since(start));
    let kind = kind
        .as_ref()
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    format!("{at:>8} {kind} {}", super::flow::map(&fields))
}
