//! An explanation for people.

use flowpilot_engine::compile::{Attempts, Link, Name};
use jiff::SignedDuration;

use super::{Explained, full, schema};
use crate::output;
use crate::testing::fields::written;

/// The lines of an explanation.
pub(super) fn lines(explained: &Explained) -> Vec<String> {
    let Explained {
        file,
        line,
        column,
        step,
        problems,
    } = explained;
    let place = &step.place;
    let mut facts: Vec<(&str, String)> = vec![("step", full(place))];
    facts.extend(place.title.iter().map(|title| ("title", title.clone())));
    facts.push((
        "kind",
        place.kind.clone().unwrap_or_else(|| "none yet".to_owned()),
    ));
    facts.push(("place", format!("{} ({file}:{line}:{column})", place.path)));
    let start = if place.inside.is_empty() {
        "the start of the run"
    } else {
        "the start of its block"
    };
    facts.push(("needs", or(links(&place.needs), start)));
    facts.extend(place.when.iter().map(|when| ("when", when.clone())));
    facts.push(("leads to", or(links(&place.leads_to), "nothing")));
    facts.push(("outcomes", place.outcomes.join(", ")));
    if let Some(action) = &step.action {
        let title = action
            .title
            .as_ref()
            .map(|title| format!(" ({title})"))
            .unwrap_or_default();
        let key = if action.idempotency_key {
            ", with idempotency key"
        } else {
            ""
        };
        facts.push((
            "action",
            format!("{}{title}, effect {:?}{key}", action.name, action.effect),
        ));
    }
    facts.extend(step.undo.iter().map(|undo| ("undo", undo.clone())));
    facts.push(("attempts", attempts(&step.attempts)));
    let timeouts: Vec<String> = step
        .timeouts
        .iter()
        .map(|limit| format!("{} ({})", limit.value, limit.of))
        .collect();
    facts.push(("timeouts", timeouts.join(", ")));
    let mut lines: Vec<String> = facts
        .iter()
        .map(|(name, fact)| format!("{name:<11}{fact}"))
        .collect();
    if let Some(action) = &step.action {
        let rows = schema::rows(&action.input, "with");
        section(&mut lines, "Takes", &["FIELD", "TYPE", "NOTES"], &rows);
    }
    section(
        &mut lines,
        "Gives",
        &["NAME", "TYPE", "THERE"],
        &names(&step.output, false),
    );
    for scope in &step.reads {
        let title = match &scope.fields {
            None => "May read".to_owned(),
            Some(fields) => format!("May read in {fields}, too"),
        };
        section(
            &mut lines,
            &title,
            &["NAME", "TYPE", "THERE"],
            &names(&scope.names, true),
        );
    }
    if !problems.is_empty() {
        lines.extend([String::new(), "Problems".to_owned()]);
        lines.extend(problems.iter().map(|problem| format!("  {problem}")));
    }
    lines
}

/// Steps with the outcomes that lead from or to them.
pub(super) fn links(links: &[Link]) -> String {
    let link = |link: &Link| match link.outcomes.as_slice() {
        [only] if only == "succeeded" => link.step.clone(),
        outcomes => format!("{} ({})", link.step, outcomes.join(", ")),
    };
    links.iter().map(link).collect::<Vec<_>>().join(", ")
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() {
        otherwise.to_owned()
    } else {
        text
    }
}

fn attempts(attempts: &Attempts) -> String {
    if attempts.max == 1 {
        return "1".to_owned();
    }
    let span = |milliseconds: u64| {
        written(SignedDuration::from_millis(
            i64::try_from(milliseconds).unwrap_or(i64::MAX),
        ))
    };
    format!(
        "{}, the second after up to {}, then {} times that, at most {}; after {}",
        attempts.max,
        span(attempts.backoff_ms),
        attempts.factor,
        span(attempts.max_backoff_ms),
        attempts.codes.join(", ")
    )
}

fn names(names: &[Name], says_maybe: bool) -> Vec<Vec<String>> {
    let there = |name: &Name| match (name.certain, says_maybe) {
        (true, _) => "always",
        (false, true) => "maybe: read with .?",
        (false, false) => "maybe",
    };
    names
        .iter()
        .map(|name| vec![name.name.clone(), name.type_.clone(), there(name).to_owned()])
        .collect()
}

fn section(lines: &mut Vec<String>, title: &str, headings: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    lines.extend([String::new(), title.to_owned()]);
    lines.extend(
        output::columns(headings, rows)
            .iter()
            .map(|line| format!("  {line}")),
    );
}
