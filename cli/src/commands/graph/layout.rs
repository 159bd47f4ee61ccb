//! Where boxes and arrows of a picture stand. Each block is arranged by itself, from the inside out: its steps in layers
//! (no step above one that it needs), each layer in an order with few crossings, and each box near those it is joined to.
//! The same graph always gives the same picture.

use super::model::{Form, Graph};

mod layers;

use layers::Layers;

/// Between the border of a block and what is in it.
const PADDING: f64 = 18.0;
/// A line of text.
pub(super) const LINE: f64 = 16.0;
/// Letters of a line; longer ones are cut.
pub(super) const LETTERS: usize = 48;
/// Width of a letter, on average.
const LETTER: f64 = 7.0;

/// A box, by its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Where everything stands.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Per node.
    pub(super) areas: Vec<Area>,
    /// Per arrow the points that it leads through, from top to bottom.
    pub(super) routes: Vec<Vec<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Layout {
    /// Arranges a graph.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut layout = Self {
            areas: vec![Area::default(); graph.nodes.len()],
            routes: vec![Vec::new(); graph.arrows.len()],
            ..Self::default()
        };
        (layout.width, layout.height) = layout.arrange(graph, None);
        for node in graph.members(None).collect::<Vec<_>>() {
            layout.shift_inside(graph, node);
        }
        layout
    }

    /// Arranges what is in a block, relative to its inner corner; its size.
    fn arrange(&mut self, graph: &Graph, block: Option<usize>) -> (f64, f64) {
        let members: Vec<usize> = graph.members(block).collect();
        for node in &members {
            let (width, height) = self.size(graph, *node);
            self.areas[*node] = Area {
                width,
                height,
                ..Area::default()
            };
        }
        let mut layers = Layers::of(graph, &members, &self.areas);
        layers.sort();
        layers.spread();
        layers.write(self)
    }

    fn size(&mut self, graph: &Graph, node: usize) -> (f64, f64) {
        let drawn = &graph.nodes[node];
        if drawn.form == Form::Block {
            let (width, height) = self.arrange(graph, Some(node));
            let header = text_width(&drawn.lines.join(" · ")) + PADDING;
            return (width.max(header) + 2.0 * PADDING, height + LINE + 2.0 * PADDING);
        }
        let widest = drawn
            .lines
            .iter()
            .map(|line| text_width(line))
            .fold(60.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a step has four lines")]
        let lines = drawn.lines.len() as f64;
        (widest + 28.0, lines * LINE + 14.0)
    }

    /// Moves what is in a block to where the block stands.
    fn shift_inside(&mut self, graph: &Graph, block: usize) {
        let area = self.areas[block];
        let members: Vec<usize> = graph.members(Some(block)).collect();
        let inner = members
            .iter()
            .map(|node| self.areas[*node].x + self.areas[*node].width)
            .fold(0.0, f64::max);
        let (right, down) = (area.x + (area.width - inner) / 2.0, area.y + LINE + PADDING);
        for (number, arrow) in graph.arrows.iter().enumerate() {
            if graph.nodes[arrow.from].block == Some(block) {
                for (x, y) in &mut self.routes[number] {
                    (*x, *y) = (*x + right, *y + down);
                }
            }
        }
        for node in members {
            self.areas[node].x += right;
            self.areas[node].y += down;
            self.shift_inside(graph, node);
        }
    }
}

/// How wide a line of text is, when it is cut to [`LETTERS`].
fn text_width(text: &str) -> f64 {
    let letters = text.chars().take(LETTERS);
    letters
        .map(|letter| if letter < '\u{1100}' { LETTER } else { 2.0 * LETTER })
        .sum()
}
