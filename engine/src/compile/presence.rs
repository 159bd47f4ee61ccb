//! Whether a field of a step is there when it is read.

use flowpilot_crds::workflow::Step;

use super::Problems;
use super::kinds::Kind;
use super::outcomes::{
    ANY_FAILURE, ANY_SUCCESS, Ends, FAILED, PARTIAL, REJECTED, STOPPED, SUCCEEDED, collects,
};
use super::place::Place;
use super::reads::{Names, is_plain};
use crate::expression::Read;

pub(super) fn check(
    names: &Names<'_>,
    read: &Read,
    step: usize,
    all: &[Read],
    place: Place<'_>,
    problems: &mut Problems,
) {
    let (id, field) = (&read.path[1], read.path[2].as_str());
    let definition = &names.layout.spec.steps[step];
    let Some(there) = ends_with(definition, field) else {
        return;
    };
    let ends = names.certainty.ends(step, place.view, names.layout);
    // Where nothing ever runs, only what no end has is absent.
    let ends = match ends {
        Some(ends) => ends,
        None if there == 0 => Ends::MAX,
        None => return,
    };
    let plain = is_plain(read, 3, all);
    if ends & there == 0 {
        let why = why_never(definition, field);
        let message = format!("steps.{id}.{field} is absent here on every path{why}");
        if plain {
            problems.error("MayBeAbsent", place.at(read), message);
        } else {
            problems.warning("MayBeAbsent", place.at(read), message);
        }
    } else if plain && ends & !there != 0 {
        let message = format!(
            "steps.{id}.{field} is not certain to be there, as {id} is not certain to have {}: reading it may fail",
            if field == "error" { "failed" } else { "succeeded" }
        );
        let like = Some(format!("steps.{id}.?{field}"));
        problems.warning_suggesting("MayBeAbsent", place.at(read), message, like);
    }
}

/// The ends after which a step has the field; nothing if it always has.
pub(super) fn ends_with(step: &Step, field: &str) -> Option<Ends> {
    let kind = Kind::of(step);
    Some(match field {
        "output" => match kind {
            Some(Kind::Switch | Kind::Fail | Kind::Stop) => 0,
            Some(Kind::Wait) if step.wait.as_ref().is_some_and(|wait| wait.event.is_none()) => 0,
            Some(Kind::ForEach) if step.for_each.as_ref().is_some_and(|each| each.result.is_none()) => 0,
            Some(Kind::Group) if step.group.as_ref().is_some_and(|group| group.result.is_none()) => 0,
            Some(Kind::Approval) => SUCCEEDED | REJECTED,
            _ => ANY_SUCCESS,
        },
        "error" => ANY_FAILURE,
        "startedAt" => SUCCEEDED | FAILED | REJECTED | PARTIAL | STOPPED | ANY_FAILURE,
        "failures" if collects(step) => SUCCEEDED | PARTIAL,
        "failures" => 0,
        _ => return None,
    })
}

fn why_never(step: &Step, field: &str) -> &'static str {
    match (Kind::of(step), field) {
        (Some(Kind::Group | Kind::ForEach), "output") if ends_with(step, field) == Some(0) => {
            ": without `result` the block has no output"
        }
        (Some(Kind::Switch | Kind::Fail | Kind::Stop | Kind::Wait), "output")
            if ends_with(step, field) == Some(0) =>
        {
            ": a step of this kind has no output"
        }
        (Some(Kind::ForEach), "failures") => ": under onItemError FailFast there are none",
        (_, "failures") => ": only a forEach under onItemError Collect has failures",
        (_, "output") => ": the step did not succeed",
        (_, "error") => ": the step did not fail",
        _ => "",
    }
}
