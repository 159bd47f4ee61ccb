//! `wait`: for a time to pass, a time to come, or an event.

use flowpilot_crds::workflow::{Wait, WaitEvent};
use jiff::Timestamp;

use super::Field;
use super::emit::check_type;
use crate::compile::place::{Place, View};
use crate::compile::reads::Names;
use crate::compile::{Problems, values};
use crate::expression::Text;
use crate::plan::{EventWait, WaitFor, Work};

pub(super) fn compile(wait: &Wait, field: Field, names: &Names<'_>, problems: &mut Problems) -> Option<Work> {
    let view = View::Step(field.step);
    let given = [
        wait.duration.is_some(),
        wait.until.is_some(),
        wait.event.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        let message = "a wait has exactly one of duration, until and event";
        problems.error("InvalidValue", field.path("wait"), message);
    }
    let duration = wait
        .duration
        .as_deref()
        .map(|text| field.duration(text, "wait.duration", view, names, problems));
    let until = wait
        .until
        .as_deref()
        .map(|text| until(text, field, names, problems));
    let event = wait
        .event
        .as_ref()
        .map(|awaited| event(awaited, field, names, problems));
    let awaited = match (duration, until, event) {
        (Some(duration), None, None) => WaitFor::Duration(duration?),
        (None, Some(until), None) => WaitFor::Until(until?),
        (None, None, Some(event)) => WaitFor::Event(event?),
        _ => return None,
    };
    Some(Work::Wait(awaited))
}

/// An RFC 3339 time, or an expression that gives one.
fn until(
    text: &str,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<crate::expression::Tree> {
    if let Ok(parsed) = Text::parse(text)
        && let Some(literal) = parsed.literal()
        && literal.trim().parse::<Timestamp>().is_err()
    {
        let message = format!(
            "`{}` is no time: write it as 2026-01-31T08:00:00Z (RFC 3339), or as an expression",
            literal.chars().take(60).collect::<String>()
        );
        problems.error("InvalidTime", field.path("wait.until"), message);
        return None;
    }
    field.text(text, "wait.until", names, problems)
}

fn event(event: &WaitEvent, field: Field, names: &Names<'_>, problems: &mut Problems) -> Option<EventWait> {
    check_type(&event.type_, &field.path("wait.event.type"), problems);
    let matches = match &event.match_ {
        Some(text) => {
            let (path, view) = (field.path("wait.event.match"), View::Match(field.step));
            values::condition(text, names, Place { view, path: &path }, problems).map(Some)
        }
        None => Some(None),
    };
    let timeout = match &event.timeout {
        Some(text) => {
            let view = View::Step(field.step);
            field
                .duration(text, "wait.event.timeout", view, names, problems)
                .map(Some)
        }
        None => Some(None),
    };
    Some(EventWait {
        event: event.type_.clone(),
        matches: matches?,
        timeout: timeout?,
    })
}
