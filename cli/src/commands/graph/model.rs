//! A workflow as a picture shows it: boxes, boxes inside boxes, and arrows between boxes of the same block.

use flowpilot_engine::plan::{Edge, Need, Plan, PlanStep};

/// Letters that a title or a condition shows; `flowpilot explain` has all of it.
const LETTERS: usize = 80;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) title: String,
    /// In the order of the manifest; what takes a step back stands behind the step.
    pub(super) nodes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
}

/// A step, or what takes one back.
#[derive(Debug)]
pub(super) struct Node {
    /// Unique: the step's id, or `<id>.undo`.
    pub(super) id: String,
    /// What people read, line by line.
    pub(super) lines: Vec<String>,
    pub(super) form: Form,
    /// The block around it, as an index.
    pub(super) block: Option<usize>,
}

/// What a node looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Does something.
    Work,
    /// Takes one of several ways.
    Choice,
    /// Asks people.
    Question,
    /// Waits for time or an event.
    Pause,
    /// Ends something.
    End,
    /// Has other nodes inside.
    Block,
    /// Takes a step back.
    Undo,
}

/// From a node to one that follows it, of the same block.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The outcomes that lead along it.
    pub(super) label: String,
    pub(super) way: Way,
}

/// When an arrow is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// After a success, at least.
    Success,
    /// After failures only.
    Failure,
    /// After any end.
    Always,
    /// When the block fails later.
    Back,
}

impl Graph {
    /// The graph of a plan.
    pub(super) fn of(plan: &Plan, title: &str) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        let mut arrows: Vec<Arrow> = Vec::new();
        let mut places = Vec::with_capacity(plan.steps().len());
        for step in plan.steps() {
            places.push(nodes.len());
            nodes.push(Node::of(step));
            if let Some(action) = step.undo_action() {
                arrows.push(Arrow {
                    from: nodes.len() - 1,
                    to: nodes.len(),
                    label: "undo".to_owned(),
                    way: Way::Back,
                });
                nodes.push(Node {
                    id: format!("{}.undo", step.id),
                    lines: vec![format!("undo {}", step.id), action.to_owned()],
                    form: Form::Undo,
                    block: step.block(),
                });
            }
        }
        for (step, place) in plan.steps().zip(&places) {
            arrows.extend(step.needs().iter().map(|need| Arrow::of(need, &places, *place)));
        }
        for node in &mut nodes {
            node.block = node.block.map(|block| places[block]);
        }
        Self {
            title: title.to_owned(),
            nodes,
            arrows,
        }
    }

    /// The nodes of a block, or of the run.
    pub(super) fn members(&self, block: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(move |(_, node)| node.block == block)
            .map(|(number, _)| number)
    }
}

impl Node {
    fn of(step: &PlanStep) -> Self {
        let what = match step.subject() {
            Some(subject) => format!("{} {subject}", step.kind()),
            None => step.kind().to_owned(),
        };
        let mut lines = vec![step.id.clone()];
        lines.extend(step.title.as_deref().map(one_line));
        lines.extend(step.condition().map(|when| format!("when {}", one_line(when))));
        lines.push(what);
        let form = match step.kind() {
            _ if step.is_block() => Form::Block,
            "switch" => Form::Choice,
            "approval" => Form::Question,
            "wait" => Form::Pause,
            "fail" | "stop" => Form::End,
            _ => Form::Work,
        };
        Self {
            id: step.id.clone(),
            lines,
            form,
            block: step.block(),
        }
    }
}

/// A text on one line of at most [`LETTERS`].
fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= LETTERS {
        return words;
    }
    let start: String = words.chars().take(LETTERS - 1).collect();
    format!("{start}…")
}

impl Arrow {
    fn of(need: &Need, places: &[usize], to: usize) -> Self {
        let outcomes: Vec<&str> = need.edges.iter().map(Edge::outcome).collect();
        let way = if need.edges.contains(&Edge::Done) {
            Way::Always
        } else if need.edges.iter().all(Edge::is_failure) {
            Way::Failure
        } else {
            Way::Success
        };
        Self {
            from: places[need.step],
            to,
            label: outcomes.join(", "),
            way,
        }
    }
}
