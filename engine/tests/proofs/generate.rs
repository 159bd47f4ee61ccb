//! Random workflows. Each is valid: what the compiler refuses here is a mistake of the one or the other.

use crate::flow::{Action, Condition, Edge, Flow, Gives, Kind, Need, Retry, Step, Turns};
use crate::random::Random;

const STEPS: usize = 16;
const DEPTH: usize = 4;
const ACTIONS: [Action; 5] = [Action::Log, Action::Get, Action::Post, Action::Put, Action::Mail];
pub(crate) const EVENTS: [&str; 2] = ["order.paid", "order.sent"];
/// Codes that answers have: those of the language, and one of an action's own.
pub(crate) const CODES: [&str; 8] = [
    "Timeout",
    "RateLimited",
    "Unavailable",
    "Conflict",
    "Interrupted",
    "BadRequest",
    "BudgetExceeded",
    "Own",
];

/// The workflow of a seed.
pub(crate) fn flow(random: &mut Random) -> Flow {
    let most = if random.chance(20) { 2 * STEPS } else { STEPS };
    let count = 1 + random.below(most);
    let mut steps: Vec<Step> = Vec::new();
    // How much of everything there is changes from seed to seed.
    let taste = Taste {
        blocks: random.below(40),
        failure: random.below(30),
        undo: random.below(60),
    };
    while steps.len() < count {
        let blocks: Vec<usize> = (0..steps.len())
            .filter(|step| steps[*step].kind.is_block())
            .collect();
        let block = if blocks.is_empty() || random.chance(30) {
            None
        } else {
            Some(*random.of(&blocks))
        };
        add(random, &taste, &mut steps, block);
    }
    // A block has at least one step.
    let mut number = 0;
    while number < steps.len() {
        if steps[number].kind.is_block() && !steps.iter().any(|step| step.block == Some(number)) {
            add(random, &Taste { blocks: 0, ..taste }, &mut steps, Some(number));
        }
        number += 1;
    }
    if random.chance(30) {
        steps = shuffled(random, steps);
    }
    Flow {
        steps,
        timeout: *random.of(&[60, 900, 3600, 7200, 86_400]),
        outputs: random.chance(50),
    }
}

/// The same steps in another order: what is listed first need not come first.
fn shuffled(random: &mut Random, steps: Vec<Step>) -> Vec<Step> {
    let mut places: Vec<usize> = (0..steps.len()).collect();
    for last in (1..places.len()).rev() {
        places.swap(last, random.below(last + 1));
    }
    let mut listed: Vec<(usize, Step)> = places.iter().copied().zip(steps).collect();
    for (_, step) in &mut listed {
        step.block = step.block.map(|block| places[block]);
        for need in &mut step.needs {
            need.step = places[need.step];
        }
    }
    listed.sort_by_key(|(place, _)| *place);
    listed.into_iter().map(|(_, step)| step).collect()
}

#[derive(Clone, Copy)]
struct Taste {
    blocks: usize,
    failure: usize,
    undo: usize,
}

fn depth(steps: &[Step], block: Option<usize>) -> usize {
    block.map_or(0, |block| 1 + depth(steps, steps[block].block))
}

fn in_items(steps: &[Step], block: Option<usize>) -> bool {
    block.is_some_and(|block| {
        matches!(steps[block].kind, Kind::ForEach { .. }) || in_items(steps, steps[block].block)
    })
}

fn add(random: &mut Random, taste: &Taste, steps: &mut Vec<Step>, block: Option<usize>) {
    let may_nest = depth(steps, block) < DEPTH && random.chance(taste.blocks);
    let items = in_items(steps, block);
    let kind = if may_nest {
        a_block(random)
    } else {
        work(random, taste, items)
    };
    let siblings: Vec<usize> = (0..steps.len())
        .filter(|step| steps[*step].block == block)
        .collect();
    let needs = needs(random, steps, &siblings);
    let when = random.chance(12).then(|| condition(random, items));
    let performed = kind.is_performed();
    let group = matches!(kind, Kind::Group { .. });
    let timeout =
        ((performed || kind.is_block()) && random.chance(25)).then(|| *random.of(&[5, 20, 60, 400]));
    let retry = ((performed || group) && random.chance(35)).then(|| retry(random));
    let undo = (performed && random.chance(taste.undo)).then(|| *random.of(&ACTIONS));
    let harmless = match kind {
        Kind::Uses(action) => action.is_harmless(),
        Kind::Script => true,
        _ => false,
    };
    let has_budget = matches!(kind, Kind::Workflow { .. } | Kind::Group { .. });
    let is_hidden = !matches!(kind, Kind::Switch { .. } | Kind::Fail | Kind::Stop { .. });
    steps.push(Step {
        id: format!("s{}", steps.len()),
        block,
        needs,
        when,
        timeout,
        retry,
        undo,
        cache: harmless && random.chance(20),
        budget: has_budget && random.chance(10),
        sensitive: is_hidden && random.chance(5),
        kind,
    });
}

fn needs(random: &mut Random, steps: &[Step], siblings: &[usize]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    if siblings.is_empty() {
        return needs;
    }
    for _ in 0..random.weighted(&[20, 45, 25, 10]) {
        // Rather the last ones, so that chains come about.
        let from = if random.chance(60) {
            siblings.len().saturating_sub(3)
        } else {
            0
        };
        let step = siblings[from + random.below(siblings.len() - from)];
        let edge = edge(random, &steps[step].kind);
        match needs.iter_mut().find(|need| need.step == step) {
            Some(need) if !need.edges.contains(&edge) => need.edges.push(edge),
            Some(_) => {}
            None => needs.push(Need {
                step,
                edges: vec![edge],
            }),
        }
    }
    needs
}

fn edge(random: &mut Random, needed: &Kind) -> Edge {
    let outcomes = needed.outcomes();
    match random.weighted(&[50, 15, 15, if outcomes.is_empty() { 0 } else { 60 }]) {
        0 => Edge::Succeeded,
        1 => Edge::Failed,
        2 => Edge::Done,
        _ => {
            let (name, failure) = *random.of(&outcomes);
            Edge::Named { name, failure }
        }
    }
}

fn condition(random: &mut Random, in_items: bool) -> Condition {
    match random.weighted(&[20, 20, 20, 20, 5, if in_items { 30 } else { 0 }]) {
        0 => Condition::Always(true),
        1 => Condition::Always(false),
        2 => Condition::InputIs(1),
        3 => Condition::InputIs(2),
        4 => Condition::Broken,
        _ => Condition::IndexIsEven,
    }
}

fn retry(random: &mut Random) -> Retry {
    let codes = random.chance(30).then(|| {
        let mut codes = vec![*random.of(&CODES), "Timeout"];
        codes.dedup();
        codes
    });
    Retry {
        attempts: 1 + u32::try_from(random.below(4)).unwrap_or_default(),
        longest: *random.of(&[1, 10, 60]),
        codes,
    }
}

fn gives(random: &mut Random) -> Gives {
    *random.of(&[
        Gives::Nothing,
        Gives::Nothing,
        Gives::Something,
        Gives::Something,
        Gives::Something,
        Gives::Error,
    ])
}

fn a_block(random: &mut Random) -> Kind {
    match random.weighted(&[40, 20, 20, 20]) {
        0 => Kind::Group {
            race: false,
            result: gives(random),
        },
        1 => Kind::Group {
            race: true,
            result: gives(random),
        },
        2 => Kind::ForEach {
            items: random.below(5),
            parallel: random.chance(60).then(|| 1 + random.below(4)),
            collect: random.chance(50),
            result: gives(random),
        },
        _ => {
            let end = random.below(4);
            let turns = if random.chance(50) {
                Turns::While(end)
            } else {
                Turns::Until(end)
            };
            Kind::Loop {
                turns,
                most: 1 + random.below(5),
                delay: *random.of(&[0, 0, 5, 60]),
            }
        }
    }
}

fn work(random: &mut Random, taste: &Taste, in_items: bool) -> Kind {
    let timeout = |random: &mut Random| random.chance(60).then(|| *random.of(&[10, 100, 1000]));
    let weights = [120, 20, 15, 15, 15, 20, 15, 8, 12, 12, 6, taste.failure, 4, 4];
    match random.weighted(&weights) {
        0 => Kind::Uses(*random.of(&ACTIONS)),
        1 => Kind::Set {
            broken: random.chance(taste.failure),
        },
        2 => Kind::Script,
        3 => Kind::Container,
        4 => Kind::Workflow {
            waits: random.chance(80),
        },
        5 => {
            let mut cases = vec![("large", condition(random, in_items))];
            if random.chance(60) {
                cases.push(("small", condition(random, in_items)));
            }
            Kind::Switch {
                cases,
                default: random.chance(70).then_some("rest"),
            }
        }
        6 => Kind::WaitFor(*random.of(&[1, 5, 30, 500])),
        7 => Kind::WaitUntil(*random.of(&[0, 40, 300])),
        8 => Kind::Event {
            kind: random.of::<&'static str>(&EVENTS),
            matches: random.chance(30).then(|| random.chance(70)),
            timeout: timeout(random),
        },
        9 => Kind::Approval {
            required: 1 + random.below(2),
            timeout: timeout(random),
            self_approval: random.chance(70),
        },
        10 => Kind::Emit(random.of::<&'static str>(&EVENTS)),
        11 => Kind::Fail,
        12 => Kind::UsesBroken,
        _ => Kind::Stop {
            well: random.chance(60),
        },
    }
}
