//! What can be wrong: a spec, and the code, path and suggestion that must come of it.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "manifests are put together here, once"
)]

use flowpilot_crds::WorkflowSpec;

use super::{Context, Support, compile};
use crate::problem::{Problem, Severity};

mod actions;
mod advice;
mod blocks;
mod edges;
mod explain;
mod expressions;
mod inputs;
mod kinds;
mod limits;
mod names;
mod plans;
mod presence;
mod server;
mod steps;
mod triggers;
mod types;
mod whole;

fn spec(text: &str) -> WorkflowSpec {
    let text = text.trim_start();
    let text = match text.chars().next() {
        Some('-') => format!("steps:\n{text}"),
        Some('[') => format!("steps: {text}"),
        _ => text.to_owned(),
    };
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Every finding: errors, warnings, and what other objects decide.
fn problems(text: &str, context: &Context) -> Vec<Problem> {
    match compile(&spec(text), context) {
        Ok(compiled) => compiled.findings(),
        Err(problems) => problems,
    }
}

/// `Code path -> suggestion`, with `?` behind the code of a warning.
fn lines(text: &str, context: &Context) -> Vec<String> {
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
        let path = problem.path.trim_start_matches("spec.");
        format!("{}{mark} {path}{like}", problem.code)
    };
    problems(text, context).iter().map(line).collect()
}

/// A spec, and its findings.
type Case = (&'static str, &'static [&'static str]);

fn agree(cases: &[Case]) {
    agree_in(cases, &Context::default());
}

fn server_agrees(cases: &[Case]) {
    let context = Context {
        support: Support::Server,
        ..Context::default()
    };
    agree_in(cases, &context);
}

fn agree_in(cases: &[Case], context: &Context) {
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found = lines(text, context);
        if found != *expected {
            wrong.push(format!("{text}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
