//! `loop`: turns, and the values that they carry.

use flowpilot_crds::workflow::Loop;

use super::Field;
use crate::compile::blocks::carried;
use crate::compile::place::{Place, View};
use crate::compile::reads::Names;
use crate::compile::{Problems, identifiers, limits, values};
use crate::plan::{LoopWork, Work};

/// Turns unless the manifest says otherwise.
const TURNS: u32 = 100;
/// Turns of one loop.
const MOST_TURNS: u32 = 10_000;

pub(super) fn compile(
    repeats: &Loop,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Work> {
    let step = field.step;
    match (&repeats.while_, &repeats.until) {
        (None, None) => {
            let message = "a loop has exactly one of while and until: this one has none";
            problems.error("InvalidValue", field.path("loop"), message);
        }
        (Some(_), Some(_)) => {
            let message = "a loop has exactly one of while and until: this one has both";
            problems.error("InvalidValue", field.path("loop.until"), message);
        }
        _ => {}
    }
    for name in carried(names.layout, step) {
        let part = if repeats.init.contains_key(name) {
            "init"
        } else {
            "next"
        };
        let path = field.path(&format!("loop.{part}.{name}"));
        if name == "index" {
            let message = "index is the number of the turn: choose another name for the carried value";
            problems.error("ReservedName", path, message);
        } else {
            identifiers::check(name, &path, problems);
        }
    }
    let max_iterations = limits::number(
        repeats.max_iterations,
        TURNS,
        MOST_TURNS,
        &field.path("loop.maxIterations"),
        problems,
    );
    let mut condition = |text: &Option<String>, name: &str, view: View| match text {
        Some(text) => {
            let path = field.path(name);
            values::condition(text, names, Place { view, path: &path }, problems).map(Some)
        }
        None => Some(None),
    };
    let before = condition(&repeats.while_, "loop.while", View::Turn(step));
    let after = condition(&repeats.until, "loop.until", View::Until(step));
    let delay = match &repeats.delay {
        Some(text) => field
            .duration(text, "loop.delay", View::Turn(step), names, problems)
            .map(Some),
        None => Some(None),
    };
    let init = field.map(&repeats.init, "loop.init", names, problems);
    let next = serde_json::Value::Object(repeats.next.clone());
    let next = field.inside(&next, "loop.next", names, problems);
    Some(Work::Loop(LoopWork {
        before: before?,
        after: after?,
        max_iterations,
        delay: delay?,
        init: init?,
        next: next?,
    }))
}
