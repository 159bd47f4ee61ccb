//! Where a step stands among the others.

use flowpilot_crds::workflow::Step;

use super::super::Knowledge;
use super::super::kinds::Kind;
use super::super::outcomes::{self, EXPIRED, PARTIAL};
use super::{Link, StepPlace};

/// The edges of all steps, from both sides.
pub(super) struct Edges {
    needs: Vec<Vec<Link>>,
    leads_to: Vec<Vec<Link>>,
}

impl Edges {
    pub(super) fn of(known: &Knowledge<'_>) -> Self {
        let layout = known.names.layout;
        let needs: Vec<Vec<Link>> = layout.spec.steps.iter().map(links).collect();
        let mut leads_to = vec![Vec::new(); needs.len()];
        for (number, links) in needs.iter().enumerate() {
            for link in links {
                // What nobody is called leads nowhere.
                if let Some(from) = layout.number(&link.step) {
                    leads_to[from].push(Link {
                        step: layout.id(number).to_owned(),
                        outcomes: link.outcomes.clone(),
                    });
                }
            }
        }
        Self { needs, leads_to }
    }
}

pub(super) fn place(number: usize, known: &Knowledge<'_>, edges: &Edges) -> StepPlace {
    let layout = known.names.layout;
    let step = &layout.spec.steps[number];
    let mut inside: Vec<String> = layout
        .around(number)
        .map(|block| layout.id(block).to_owned())
        .collect();
    inside.reverse();
    StepPlace {
        id: step.id.clone(),
        title: step.title.clone(),
        kind: layout.kind(number).map(|kind| kind.word().to_owned()),
        path: format!("spec.steps[{number}]"),
        inside,
        needs: edges.needs[number].clone(),
        leads_to: edges.leads_to[number].clone(),
        when: step.when.clone(),
        outcomes: ends(step),
    }
}

/// The needs of a step as it writes them, those of one step together.
fn links(step: &Step) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for edge in &step.needs {
        let (id, outcome) = edge.split_once('.').unwrap_or((edge, "succeeded"));
        match links.iter_mut().find(|link| link.step == id) {
            Some(link) => link.outcomes.push(outcome.to_owned()),
            None => links.push(Link {
                step: id.to_owned(),
                outcomes: vec![outcome.to_owned()],
            }),
        }
    }
    links
}

fn ends(step: &Step) -> Vec<String> {
    let possible = outcomes::possible(step);
    let named = outcomes::named(step).into_iter().map(|named| named.name);
    let is_possible = |name: &&str| match *name {
        "partial" if step.for_each.is_some() => possible & PARTIAL != 0,
        "expired" if step.switch.is_none() => possible & EXPIRED != 0,
        _ => true,
    };
    let has_own_successes = matches!(Kind::of(step), Some(Kind::Switch | Kind::Approval | Kind::Fail));
    let plain = (!has_own_successes).then_some("succeeded");
    let all = plain
        .into_iter()
        .chain(named.filter(is_possible))
        .chain(["failed", "skipped", "cancelled"]);
    all.map(str::to_owned).collect()
}
