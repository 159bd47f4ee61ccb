//! `needs`: edges into a step, grouped by the step they come from.

use std::collections::BTreeMap;

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::unknown_fields::nearest;
use flowpilot_crds::workflow::Step;

use super::{Problems, outcomes};
use crate::plan::{Edge, Need};

/// The needs of every step, and where each stands in the manifest.
pub(super) fn compile(spec: &WorkflowSpec, problems: &mut Problems) -> Vec<Vec<Need>> {
    let numbers: BTreeMap<&str, usize> = spec
        .steps
        .iter()
        .enumerate()
        .rev()
        .map(|(number, step)| (step.id.as_str(), number))
        .collect();
    spec.steps
        .iter()
        .enumerate()
        .map(|(number, step)| {
            let mut needs: Vec<Need> = Vec::new();
            for (index, text) in step.needs.iter().enumerate() {
                let path = format!("spec.steps[{number}].needs[{index}]");
                let Some((needed, edge)) = edge(text, spec, &numbers, &path, problems) else {
                    continue;
                };
                match needs.iter_mut().find(|need| need.step == needed) {
                    Some(need) if need.edges.contains(&edge) => {
                        problems.error(
                            "DuplicateNeed",
                            path,
                            format!("{text} stands twice in `needs`: remove one"),
                        );
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
    spec: &WorkflowSpec,
    numbers: &BTreeMap<&str, usize>,
    path: &str,
    problems: &mut Problems,
) -> Option<(usize, Edge)> {
    let (id, outcome) = text
        .split_once('.')
        .map_or((text, None), |(id, outcome)| (id, Some(outcome)));
    let Some(number) = numbers.get(id).copied() else {
        let like = nearest(id, numbers.keys().copied()).map(|id| match outcome {
            Some(outcome) => format!("{id}.{outcome}"),
            None => id,
        });
        problems.suggesting("UnknownStep", path, format!("there is no step {id}"), like);
        return None;
    };
    let edge = match outcome {
        None | Some("succeeded") => Edge::Succeeded,
        Some("failed") => Edge::Failed,
        Some("done") => Edge::Done,
        Some(name) => return named(&spec.steps[number], name, path, problems).map(|edge| (number, edge)),
    };
    Some((number, edge))
}

fn named(step: &Step, name: &str, path: &str, problems: &mut Problems) -> Option<Edge> {
    let known = outcomes::of(step);
    if let Some(outcome) = known.iter().find(|outcome| outcome.name == name) {
        return Some(Edge::Named {
            name: name.to_owned(),
            failure: outcome.failure,
        });
    }
    let id = &step.id;
    let message = if matches!(name, "skipped" | "cancelled") {
        format!("there is no edge {id}.{name}: {id}.done follows every end")
    } else {
        let names: Vec<&str> = known.iter().map(|outcome| outcome.name.as_str()).collect();
        let own = if names.is_empty() {
            String::new()
        } else {
            format!(", {}", names.join(", "))
        };
        format!("step {id} has no outcome {name}: there are succeeded, failed, done{own}")
    };
    let names = ["succeeded", "failed", "done"].into_iter();
    let like = nearest(
        name,
        names.chain(known.iter().map(|outcome| outcome.name.as_str())),
    );
    problems.suggesting(
        "UnknownOutcome",
        path,
        message,
        like.map(|name| format!("{id}.{name}")),
    );
    None
}
