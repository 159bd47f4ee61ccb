//! The layers of one block: which box is in which, in what order, and how far to the right.

use super::{Area, Layout};
use crate::commands::graph::model::Graph;

/// Between boxes of a layer.
const BESIDE: f64 = 24.0;
/// Between layers; labels of arrows stand there.
const BELOW: f64 = 44.0;
/// How often layers are put in order, and moved.
const SWEEPS: usize = 8;
/// Places in one block through which long arrows are led around boxes. Beyond, they go straight.
const WAYPOINTS: usize = 20_000;

/// A box in a layer, or a place through which an arrow leads.
struct Cell {
    node: Option<usize>,
    width: f64,
    height: f64,
    middle: f64,
    /// Cells of the layers above and below to which it is joined.
    joined: [Vec<usize>; 2],
}

/// One block.
pub(super) struct Layers {
    cells: Vec<Cell>,
    rows: Vec<Vec<usize>>,
    /// Number of an arrow, and the cells that it leads through.
    chains: Vec<(usize, Vec<usize>)>,
}

impl Layers {
    /// The boxes of a block, none above one that leads to it.
    pub(super) fn of(graph: &Graph, members: &[usize], areas: &[Area]) -> Self {
        let mut place = vec![usize::MAX; graph.nodes.len()];
        let mut cells: Vec<Cell> = Vec::with_capacity(members.len());
        for node in members {
            place[*node] = cells.len();
            cells.push(Cell::new(Some(*node), areas[*node].width, areas[*node].height));
        }
        let inside = |arrow: &usize| {
            place[graph.arrows[*arrow].from] != usize::MAX && place[graph.arrows[*arrow].to] != usize::MAX
        };
        let arrows: Vec<usize> = (0..graph.arrows.len()).filter(inside).collect();
        let ends: Vec<(usize, usize)> = arrows
            .iter()
            .map(|arrow| (place[graph.arrows[*arrow].from], place[graph.arrows[*arrow].to]))
            .collect();
        let depths = depths(cells.len(), &ends);
        let count = depths.iter().max().map_or(0, |deepest| deepest + 1);
        let mut layers = vec![Vec::new(); count];
        for (cell, depth) in depths.iter().enumerate() {
            layers[*depth].push(cell);
        }
        let mut chains = Vec::with_capacity(arrows.len());
        for (arrow, (from, to)) in arrows.into_iter().zip(ends) {
            let mut chain = vec![from];
            for layer in &mut layers[depths[from] + 1..depths[to]] {
                if cells.len() < WAYPOINTS {
                    layer.push(cells.len());
                    chain.push(cells.len());
                    cells.push(Cell::new(None, 8.0, 0.0));
                }
            }
            chain.push(to);
            for pair in chain.windows(2) {
                cells[pair[0]].joined[1].push(pair[1]);
                cells[pair[1]].joined[0].push(pair[0]);
            }
            chains.push((arrow, chain));
        }
        Self {
            cells,
            rows: layers,
            chains,
        }
    }

    /// Puts each layer in the order of what its cells are joined to above, then below, and so on.
    pub(super) fn sort(&mut self) {
        for number in 0..self.rows.len() {
            self.number(number);
        }
        for sweep in 0..SWEEPS {
            let side = sweep % 2;
            for number in self.sweep(side) {
                let mut layer = std::mem::take(&mut self.rows[number]);
                layer.sort_by(|one, other| self.pull(*one, side).total_cmp(&self.pull(*other, side)));
                self.rows[number] = layer;
                self.number(number);
            }
        }
    }

    /// The layers from the top (side 0) or from the bottom, but for the first one.
    fn sweep(&self, side: usize) -> Vec<usize> {
        let count = self.rows.len();
        if side == 0 {
            (1..count).collect()
        } else {
            (0..count.saturating_sub(1)).rev().collect()
        }
    }

    /// Numbers stand for places, until there are some.
    fn number(&mut self, layer: usize) {
        let mut place = 0.0;
        for cell in &self.rows[layer] {
            self.cells[*cell].middle = place;
            place += 1.0;
        }
    }

    /// The middle of the cells to which one is joined; its own if there are none.
    fn pull(&self, cell: usize, side: usize) -> f64 {
        let joined = &self.cells[cell].joined[side];
        if joined.is_empty() {
            return self.cells[cell].middle;
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        let count = joined.len() as f64;
        joined.iter().map(|other| self.cells[*other].middle).sum::<f64>() / count
    }

    /// Gives each cell a place near what it is joined to, without overlaps.
    pub(super) fn spread(&mut self) {
        for number in 0..self.rows.len() {
            self.line_up(number);
        }
        for sweep in 0..SWEEPS {
            let side = sweep % 2;
            for number in self.sweep(side) {
                self.settle(number, side);
            }
        }
        let left = self
            .cells
            .iter()
            .map(|cell| cell.middle - cell.width / 2.0)
            .fold(f64::INFINITY, f64::min);
        for cell in &mut self.cells {
            cell.middle -= left;
        }
    }

    fn line_up(&mut self, number: usize) {
        let mut right = 0.0;
        for cell in &self.rows[number] {
            let cell = &mut self.cells[*cell];
            cell.middle = right + cell.width / 2.0;
            right += cell.width + BESIDE;
        }
        for cell in &self.rows[number] {
            self.cells[*cell].middle -= right / 2.0;
        }
    }

    /// Where each cell of a layer wants to be, pushed apart: the mean of pushing all to the right and all to the left.
    fn settle(&mut self, number: usize, side: usize) {
        let layer = &self.rows[number];
        let wanted: Vec<f64> = layer.iter().map(|cell| self.pull(*cell, side)).collect();
        let apart = |one: usize, other: usize| {
            f64::midpoint(self.cells[layer[one]].width, self.cells[layer[other]].width) + BESIDE
        };
        let (mut right, mut left) = (wanted.clone(), wanted);
        for place in 1..layer.len() {
            right[place] = right[place].max(right[place - 1] + apart(place - 1, place));
        }
        for place in (1..layer.len()).rev() {
            left[place - 1] = left[place - 1].min(left[place] - apart(place - 1, place));
        }
        for (place, cell) in layer.iter().enumerate() {
            self.cells[*cell].middle = f64::midpoint(right[place], left[place]);
        }
    }

    /// Writes places and routes; the size of all.
    pub(super) fn write(&self, layout: &mut Layout) -> (f64, f64) {
        // Per cell the top of its layer, its own lower border, and that of its layer.
        let mut borders = vec![[0.0; 3]; self.cells.len()];
        let (mut top, mut width) = (0.0, 0.0_f64);
        for layer in &self.rows {
            let heights = layer.iter().map(|cell| self.cells[*cell].height);
            let bottom = top + heights.fold(0.0, f64::max);
            for number in layer {
                let cell = &self.cells[*number];
                borders[*number] = [top, top + cell.height, bottom];
                width = width.max(cell.middle + cell.width / 2.0);
                if let Some(node) = cell.node {
                    layout.areas[node].x = cell.middle - cell.width / 2.0;
                    layout.areas[node].y = top;
                }
            }
            top = bottom + BELOW;
        }
        for (arrow, chain) in &self.chains {
            // Down to the end of the layer, and from layer to layer to the upper border of the last box.
            let mut points = Vec::with_capacity(2 * chain.len());
            for (place, cell) in chain.iter().enumerate() {
                let (middle, [upper, own, lower]) = (self.cells[*cell].middle, borders[*cell]);
                points.push((middle, if place == 0 { own } else { upper }));
                points.push((middle, lower));
            }
            points.pop();
            layout.routes[*arrow] = points;
        }
        (width, (top - BELOW).max(0.0))
    }
}

impl Cell {
    fn new(node: Option<usize>, width: f64, height: f64) -> Self {
        Self {
            node,
            width,
            height,
            middle: 0.0,
            joined: [Vec::new(), Vec::new()],
        }
    }
}

/// The longest way from the top to each cell.
fn depths(count: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let mut depths = vec![0; count];
    let mut waiting = vec![0; count];
    let mut after = vec![Vec::new(); count];
    for (from, to) in arrows {
        waiting[*to] += 1;
        after[*from].push(*to);
    }
    let mut ready: Vec<usize> = (0..count).filter(|cell| waiting[*cell] == 0).collect();
    while let Some(cell) = ready.pop() {
        for next in &after[cell] {
            depths[*next] = depths[*next].max(depths[cell] + 1);
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    depths
}
