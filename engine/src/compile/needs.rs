//! `needs`: edges into a step, grouped by the step they come from.

use flowpilot_crds::workflow::Step;

use super::kinds::Kind;
use super::layout::Layout;
use super::names::{listed, nearest_of};
use super::{Problems, outcomes};
use crate::plan::{Edge, Need};

/// The needs of every step; what is wrong is left out.
pub(super) fn compile(layout: &Layout<'_>, problems: &mut Problems) -> Vec<Vec<Need>> {
    let steps = layout.spec.steps.iter().enumerate();
    steps
        .map(|(number, step)| {
            let mut needs: Vec<Need> = Vec::new();
            for (index, text) in step.needs.iter().enumerate() {
                let path = || format!("spec.steps[{number}].needs[{index}]");
                let Some((needed, edge)) = edge(text, number, layout, &path, problems) else {
                    continue;
                };
                match needs.iter_mut().find(|need| need.step == needed) {
                    Some(need) if need.edges.contains(&edge) => {
                        let message = format!("{text} stands twice in `needs`: remove one");
                        problems.error("DuplicateNeed", path(), message);
                    }
                    Some(need) => need.edges.push(edge),
                    None => needs.push(Need {
                        step: needed,
                        edges: vec![edge],
                    }),
                }
            }
            needs
        })
        .collect()
}

fn edge(
    text: &str,
    step: usize,
    layout: &Layout<'_>,
    path: &dyn Fn() -> String,
    problems: &mut Problems,
) -> Option<(usize, Edge)> {
    let (id, outcome) = text
        .split_once('.')
        .map_or((text, None), |(id, outcome)| (id, Some(outcome)));
    let siblings = || {
        let others = (0..layout.block.len()).filter(|other| *other != step);
        others
            .filter(|other| layout.block[*other] == layout.block[step])
            .map(|other| layout.id(other))
    };
    let Some(number) = layout.number(id) else {
        let like = nearest_of(id, siblings()).or_else(|| nearest_of(id, layout.ids()));
        let there = listed(id, siblings(), "steps beside it are", "it is alone in its block");
        let like = like.map(|id| match outcome {
            Some(outcome) => format!("{id}.{outcome}"),
            None => id,
        });
        problems.suggesting(
            "UnknownStep",
            path(),
            format!("there is no step {id}: {there}"),
            like,
        );
        return None;
    };
    if !layout.is_lost[step] && !layout.is_lost[number] && layout.block[number] != layout.block[step] {
        other_block(id, number, step, layout, path, problems);
        return None;
    }
    let needed = &layout.spec.steps[number];
    let edge = match outcome {
        None | Some("succeeded") => Edge::Succeeded,
        Some("failed") => Edge::Failed,
        Some("done") => Edge::Done,
        Some(name) => named(needed, name, path, problems)?,
    };
    if outcomes::possible(needed) & outcomes::meeting_of(needed, &edge) == 0 {
        problems.warning("EdgeNeverMet", path(), never_met(needed, text, &edge));
    }
    Some((number, edge))
}

/// The step that stands for the needed one in the block of the step that needs it.
fn other_block(
    id: &str,
    number: usize,
    step: usize,
    layout: &Layout<'_>,
    path: &dyn Fn() -> String,
    problems: &mut Problems,
) {
    let own = layout.id(step);
    let outer = layout
        .around(number)
        .find(|block| layout.block[*block] == layout.block[step]);
    if layout.around(step).any(|block| block == number) {
        let message = format!("{own} is inside {id}: a step cannot need the block it is in");
        return problems.error("OtherBlock", path(), message);
    }
    let message = match (layout.block[number], outer) {
        (Some(block), _) => format!(
            "{id} is inside the block {}, and needs stay within one block",
            layout.id(block)
        ),
        (None, _) => format!("{id} is outside of the block of {own}, and needs stay within one block"),
    };
    let message = match outer {
        Some(outer) => format!("{message}: need {} instead", layout.id(outer)),
        None => match layout.block[step] {
            Some(block) => format!("{message}: let {} need it", layout.id(block)),
            None => message,
        },
    };
    problems.suggesting(
        "OtherBlock",
        path(),
        message,
        outer.map(|outer| layout.id(outer).to_owned()),
    );
}

fn named(step: &Step, name: &str, path: &dyn Fn() -> String, problems: &mut Problems) -> Option<Edge> {
    let known = outcomes::named(step);
    if let Some(outcome) = known.iter().find(|outcome| outcome.name == name) {
        return Some(Edge::Named {
            name: name.to_owned(),
            failure: outcome.failure,
        });
    }
    let id = &step.id;
    let names = || {
        let own = known.iter().map(|outcome| outcome.name);
        own.chain(["succeeded", "failed", "done"])
    };
    let message = if matches!(name, "skipped" | "cancelled") {
        format!("there is no edge {id}.{name}: {id}.done is met by every end")
    } else {
        let there = listed(name, names(), "there are", "");
        format!("step {id} has no outcome {name}: {there}")
    };
    let like = nearest_of(name, names()).or_else(|| usual(name).map(str::to_owned));
    let like = like.map(|name| format!("{id}.{name}"));
    problems.suggesting("UnknownOutcome", path(), message, like);
    None
}

fn never_met(step: &Step, text: &str, edge: &Edge) -> String {
    let id = &step.id;
    let why = match (Kind::of(step), edge) {
        (Some(Kind::ForEach), _) => "is never partial under onItemError FailFast: write Collect",
        (Some(Kind::Approval), _) => "never expires, as it has no timeout",
        (Some(Kind::Wait), _) => "never expires: only a wait for an event with a timeout does",
        (Some(Kind::Stop), _) => "ends the run, and only steps with a done edge run after it",
        _ => "never succeeds",
    };
    format!("no end of {id} can meet {text}: {id} {why}")
}

/// What other systems call the ends that every step has.
fn usual(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "success" | "successful" | "ok" | "completed" => "succeeded",
        "failure" | "error" | "errored" | "catch" => "failed",
        "always" | "finally" | "finished" | "ended" | "complete" | "skipped" | "cancelled" => "done",
        _ => return None,
    })
}
